import { testStreamLayer, testTransport } from '@raftkit/conformance'
import { NetworkTransport } from '@raftkit/transport-network'
import { describe, it } from 'vitest'
import { MemoryNetwork, type MemoryLayer } from './memory-streams.ts'

const runner = { describe, it }
let addresses = 0

{
  const network = new MemoryNetwork()
  testStreamLayer({
    runner,
    name: 'the stream layer of these tests',
    supports: { reuseAddress: true },
    open: async () => network.layer(`node${(addresses += 1)}:1`),
    openAt: async (address) => network.layer(address),
  })
}

{
  const network = new MemoryNetwork()
  const streams = new Map<NetworkTransport, MemoryLayer>()
  const open = async (wireLimits: { maxMessageBytes?: number }): Promise<NetworkTransport> => {
    const stream = network.layer(`node${(addresses += 1)}:1`)
    const transport = await NetworkTransport.open({ stream, wireLimits })
    streams.set(transport, stream)
    return transport
  }
  testTransport({
    runner,
    name: 'NetworkTransport',
    supports: {
      extensions: true,
      preVote: true,
      breakConnections: true,
      duplication: false,
      sizeLimit: true,
    },
    open: () => open({}),
    openLimited: (maxMessageBytes) => open({ maxMessageBytes }),
    breakConnections: async (a, b) => {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const)
        for (const connection of streams.get(from)?.dialled ?? [])
          if (connection.remoteAddress === to.localAddress)
            connection.break(new Error('the network broke'))
    },
  })
}
