import { testTransport } from '@raftkit/conformance'
import { describe, it } from 'vitest'
import { InmemNetwork } from '../src/index.ts'
import type { InmemTransport } from '../src/index.ts'

const network = new InmemNetwork({ defaults: { timeoutMs: 10_000 } })
let opened = 0

const address = (): string => `server-${++opened}:1`

async function duplicate(a: InmemTransport, b: InmemTransport): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const)
    network.setLinkFaults(from.localAddress, to.localAddress, { duplication: 1 })
}

testTransport<InmemTransport>({
  runner: { describe, it },
  name: 'InmemTransport',
  supports: {
    extensions: true,
    preVote: true,
    breakConnections: true,
    duplication: true,
    sizeLimit: false,
  },
  open: async () => network.transport(address()),
  breakConnections: async (a, b) => network.reset(a.localAddress, b.localAddress),
  duplicate,
})
