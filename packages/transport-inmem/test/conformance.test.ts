import { testTransport } from '@raftkit/conformance'
import { describe, it } from 'vitest'
import { InmemNetwork } from '../src/index.ts'

const network = new InmemNetwork({ defaults: { timeoutMs: 10_000 } })
let opened = 0

testTransport({
  runner: { describe, it },
  name: 'InmemTransport',
  supports: { extensions: true, preVote: true, breakConnections: true },
  open: async () => network.transport(`server-${++opened}:1`),
  breakConnections: async (a, b) => network.reset(a.localAddress, b.localAddress),
})
