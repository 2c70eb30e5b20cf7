import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testTransport } from '@raftkit/conformance'
import type { StreamConnection, StreamLayer } from '@raftkit/interface'
import { NetworkTransport } from '@raftkit/transport-network'
import { describe, it } from 'vitest'
import { WsStreamLayer, type WsStreamOptions } from '../src/index.ts'
import { member } from './certificates.ts'

type Dialled = { readonly address: string; readonly connection: StreamConnection }[]

const dialledBy = new WeakMap<NetworkTransport, Dialled>()

async function open(options: WsStreamOptions, server?: Server): Promise<NetworkTransport> {
  const dialled: Dialled = []
  const layer = new WsStreamLayer(options)
  const stream: StreamLayer = {
    get localAddress() {
      return layer.localAddress
    },
    listen: (onConnection) => layer.listen(onConnection),
    async dial(address, dialOptions) {
      const connection = await layer.dial(address, dialOptions)
      dialled.push({ address, connection })
      return connection
    },
    close: async () => {
      await layer.close()
      server?.close()
    },
  }
  const transport = await NetworkTransport.open({ stream })
  dialledBy.set(transport, dialled)
  return transport
}

async function openAttached(): Promise<NetworkTransport> {
  const server = createServer((_request, response) => response.writeHead(404).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return open({ server, advertise: `127.0.0.1:${port}` }, server)
}

const breakConnections = async (a: NetworkTransport, b: NetworkTransport): Promise<void> => {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const)
    for (const { address, connection } of dialledBy.get(from) ?? [])
      if (address === to.localAddress) connection.destroy()
}

const suite = {
  runner: { describe, it },
  supports: { extensions: true, preVote: true, breakConnections: true },
  breakConnections,
}

testTransport({
  ...suite,
  name: 'WebSocket on a port of its own',
  open: () => open({ bind: '127.0.0.1:0' }),
})

testTransport({
  ...suite,
  name: 'WebSocket with unmasked frames',
  open: () => open({ bind: '127.0.0.1:0', mask: false }),
})

testTransport({
  ...suite,
  name: 'WebSocket over TLS',
  open: () => open({ bind: '127.0.0.1:0', tls: member }),
})

testTransport({
  ...suite,
  name: 'WebSocket attached to a server',
  open: openAttached,
})
