import { testStreamLayer, testTransport } from '@raftkit/conformance'
import type { StreamConnection, StreamLayer } from '@raftkit/interface'
import { NetworkTransport } from '@raftkit/transport-network'
import { TcpStreamLayer, type TcpStreamOptions } from '@raftkit/transport-tcp'
import { describe, it } from 'vitest'
import { member } from './certificates.ts'

const runner = { describe, it }

const kinds: readonly { name: string; options: TcpStreamOptions }[] = [
  { name: 'TCP', options: { bind: '127.0.0.1:0' } },
  { name: 'TLS', options: { bind: '127.0.0.1:0', tls: member } },
]

for (const { name, options } of kinds) {
  testStreamLayer({
    runner,
    name,
    supports: { reuseAddress: true },
    open: async () => new TcpStreamLayer(options),
    openAt: async (bind) => new TcpStreamLayer({ ...options, bind }),
  })

  const dialled = new Map<NetworkTransport, { address: string; connection: StreamConnection }[]>()
  const open = async (wireLimits: { maxMessageBytes?: number }): Promise<NetworkTransport> => {
    const connections: { address: string; connection: StreamConnection }[] = []
    const layer = new TcpStreamLayer(options)
    const stream: StreamLayer = {
      get localAddress() {
        return layer.localAddress
      },
      listen: (onConnection) => layer.listen(onConnection),
      dial: async (address, dialOptions) => {
        const connection = await layer.dial(address, dialOptions)
        connections.push({ address, connection })
        return connection
      },
      close: () => layer.close(),
    }
    const transport = await NetworkTransport.open({ stream, wireLimits })
    dialled.set(transport, connections)
    return transport
  }

  testTransport({
    runner,
    name: `NetworkTransport over ${name}`,
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
        for (const { address, connection } of dialled.get(from) ?? [])
          if (address === to.localAddress) connection.destroy()
    },
    dispose: async (transport) => void dialled.delete(transport),
  })
}
