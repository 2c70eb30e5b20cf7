import { once } from 'node:events'
import {
  createServer,
  get,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import type { WsStreamOptions } from '../src/index.ts'
import { member } from './certificates.ts'
import { listening, openRawSocket, rawSocket, Watched } from './ws-rig.ts'

const onRequest = (_request: IncomingMessage, response: ServerResponse) =>
  void response.end('a page')

async function opened(server: Server | SecureServer): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function attached(options: Partial<WsStreamOptions> = {}) {
  const server = createServer(onRequest)
  const advertise = await opened(server)
  return { server, ...(await listening({ server, advertise, ...options })) }
}

/** A client that never ends its half of the connection by itself. */
async function connectHalfOpen(address: string): Promise<Socket> {
  const client = connect({
    port: Number(address.split(':')[1]),
    host: '127.0.0.1',
    allowHalfOpen: true,
  })
  onTestFinished(() => {
    client.destroy()
  })
  client.on('error', () => {})
  await once(client, 'connect')
  return client
}

async function pageAt(address: string): Promise<string> {
  const [response] = (await once(get(`http://${address}/raft`), 'response')) as [IncomingMessage]
  let text = ''
  for await (const piece of response.setEncoding('utf8')) text += String(piece)
  return text
}

describe('a layer that is attached to a server', () => {
  it('accepts and dials while the server goes on serving', async () => {
    const a = await attached()
    const b = await attached()
    const [near, far] = await Promise.all([a.dial(b.address), b.accept()])
    const [client, server] = [new Watched(near).start(), new Watched(far).start()]
    near.write([new Uint8Array(5)])
    await server.has(5)
    far.write([new Uint8Array(6)])
    await client.has(6)
    expect(await pageAt(b.address)).toBe('a page')
  })

  it('leaves upgrades on other paths to whoever waits for them', async () => {
    const { server, address, url } = await attached()
    const chat = new WebSocketServer({ noServer: true })
    server.on('upgrade', (upgrade, socket, head) => {
      if (upgrade.url === '/chat')
        chat.handleUpgrade(upgrade, socket, head, (ws) => ws.send('welcome'))
    })
    const ws = rawSocket(`ws://${address}/chat`, { protocols: [], origin: 'https://page.example' })
    const [message] = (await once(ws, 'message')) as [Buffer]
    expect(message.toString()).toBe('welcome')
    await openRawSocket(url)
  })

  it('shares a server with another layer on another path', async () => {
    const first = await attached({ path: '/one' })
    const second = await listening({
      server: first.server,
      advertise: first.address,
      path: '/two',
    })
    const pairs = [
      await Promise.all([openRawSocket(`ws://${first.address}/one`), first.accept()]),
      await Promise.all([openRawSocket(`ws://${first.address}/two`), second.accept()]),
    ]
    for (const [ws, connection] of pairs) {
      const receiver = new Watched(connection).start()
      ws.send(new Uint8Array(4))
      await receiver.has(4)
      expect(receiver.bytes.byteLength).toBe(4)
    }
  })

  it('answers upgrades on other paths when nobody else does', async () => {
    const { address } = await attached()
    const upgrade = request(`http://${address}/elsewhere`, {
      headers: { Connection: 'Upgrade', Upgrade: 'websocket' },
    }).end()
    const [response] = (await once(upgrade, 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(404)
  })

  it('lets go of a connection that it refused although the other side holds on', async () => {
    const { server, address } = await attached()
    const accepting = once(server, 'connection') as Promise<[Socket]>
    const client = await connectHalfOpen(address)
    const [socket] = await accepting
    client.write('GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await once(socket, 'close')
    expect(socket.destroyed).toBe(true)
  })

  it('detaches on close, ends its connections and leaves the server and its others alone', async () => {
    const { server, address, url, layer, accept } = await attached()
    const other = await listening({ server, advertise: address, path: '/other' })
    const [ws, far] = await Promise.all([openRawSocket(url), accept()])
    const [, stays] = await Promise.all([openRawSocket(`ws://${address}/other`), other.accept()])
    const end = new Watched(far).start()
    const untouched = new Watched(stays).start()
    await Promise.all([layer.close(), once(ws, 'close'), end.ended()])
    expect(server.listening).toBe(true)
    expect(server.listenerCount('upgrade')).toBe(1)
    expect(await pageAt(address)).toBe('a page')
    expect(untouched.ends).toEqual([])
  })

  it('keeps its rules', async () => {
    const { url } = await attached()
    const ws = rawSocket(url, { protocols: [], origin: 'https://page.example' })
    const [, response] = (await once(ws, 'unexpected-response')) as [unknown, IncomingMessage]
    expect(response.statusCode).toBe(403)
  })

  it('works on an HTTPS server, with any authority and without certificates of clients', async () => {
    const server = createSecureServer({ cert: member.cert, key: member.key }, onRequest)
    const advertise = await opened(server)
    const { accept, dial } = await listening({ server, advertise, tls: { ca: member.ca } })
    const [near, far] = await Promise.all([dial(advertise), accept()])
    const receiver = new Watched(far).start()
    new Watched(near).start()
    near.write([new Uint8Array(7)])
    await receiver.has(7)
    const distrustful = await listening({ server, advertise, path: '/x', tls: {} })
    await expect(distrustful.dial(advertise)).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED' })
  })
})
