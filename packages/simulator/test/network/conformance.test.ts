// A process's end of the simulated network keeps the contract of transports, also when sends are calls of their own.
import { testTransport } from '@raftkit/conformance'
import { InmemNetwork } from '@raftkit/transport-inmem'
import { describe, it } from 'vitest'
import { GatedTransport } from '../../src/network/gated-transport.ts'
import { Process } from '../../src/server/process.ts'

const observer = {
  onRequest: () => {},
  onResponse: () => {},
  onArrival: () => true,
  onAnswer: () => {},
  onBrokenSnapshot: () => {},
}

const network = new InmemNetwork({ defaults: { timeoutMs: 10_000 } })
let opened = 0

testTransport<GatedTransport>({
  runner: { describe, it },
  name: 'GatedTransport',
  supports: {
    extensions: true,
    preVote: true,
    breakConnections: true,
    duplication: true,
    sizeLimit: false,
  },
  open: async () =>
    new GatedTransport(network.transport(`server-${++opened}:1`), new Process(), observer),
  breakConnections: async (a, b) => network.reset(a.localAddress, b.localAddress),
  duplicate: async (a, b) => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      network.setLinkFaults(from.localAddress, to.localAddress, { duplication: 1 })
  },
})
