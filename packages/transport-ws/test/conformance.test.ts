import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testStreamLayer, testTransport } from '@raftkit/conformance'
import type { ServerAddress, StreamConnection, StreamLayer } from '@raftkit/interface'
import { NetworkTransport } from '@raftkit/transport-network'
import { describe, it } from 'vitest'
import { WsStreamLayer } from '../src/index.ts'
import { member } from './certificates.ts'

/** A layer whose HTTP server goes with it. */
async function attached(address: ServerAddress): Promise<StreamLayer> {
  const server = createServer((_request, response) => response.writeHead(404).end())
  server.listen(Number(address.split(':')[1]), '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const layer = new WsStreamLayer({ server, advertise: `127.0.0.1:${port}` })
  return withCalls(layer, {
    close: async () => {
      await layer.close()
      server.close()
    },
  })
}

function withCalls(layer: StreamLayer, calls: Partial<StreamLayer>): StreamLayer {
  return {
    get localAddress() {
      return layer.localAddress
    },
    listen: (onConnection) => layer.listen(onConnection),
    dial: (address, options) => layer.dial(address, options),
    close: () => layer.close(),
    ...calls,
  }
}

const layers: Readonly<Record<string, (bind: ServerAddress) => Promise<StreamLayer>>> = {
  'WebSocket on a port of its own': async (bind) => new WsStreamLayer({ bind }),
  'WebSocket with unmasked frames': async (bind) => new WsStreamLayer({ bind, mask: false }),
  'WebSocket over TLS': async (bind) => new WsStreamLayer({ bind, tls: member }),
  'WebSocket attached to a server': attached,
}

type Dialled = { readonly address: ServerAddress; readonly connection: StreamConnection }[]

const dialledBy = new WeakMap<NetworkTransport, Dialled>()

/** A transport over the layer that keeps the connections it dials. */
async function transportOver(
  layer: StreamLayer,
  wireLimits: { readonly maxMessageBytes?: number } = {},
): Promise<NetworkTransport> {
  const dialled: Dialled = []
  const stream = withCalls(layer, {
    dial: async (address, options) => {
      const connection = await layer.dial(address, options)
      dialled.push({ address, connection })
      return connection
    },
  })
  const transport = await NetworkTransport.open({ stream, wireLimits })
  dialledBy.set(transport, dialled)
  return transport
}

async function breakConnections(a: NetworkTransport, b: NetworkTransport): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const)
    for (const { address, connection } of dialledBy.get(from) ?? [])
      if (address === to.localAddress) connection.destroy()
}

for (const [name, open] of Object.entries(layers)) {
  // Whether an address can be had is the business of whoever makes that server listen.
  const reuse = open === attached ? {} : { openAt: open }
  testStreamLayer({
    runner: { describe, it },
    name,
    supports: { reuseAddress: open !== attached },
    open: () => open('127.0.0.1:0'),
    ...reuse,
  })
  testTransport({
    runner: { describe, it },
    name,
    supports: {
      extensions: true,
      preVote: true,
      breakConnections: true,
      duplication: false,
      sizeLimit: true,
    },
    open: async () => transportOver(await open('127.0.0.1:0')),
    openLimited: async (maxMessageBytes) =>
      transportOver(await open('127.0.0.1:0'), { maxMessageBytes }),
    breakConnections,
  })
}
