import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { RaftError } from '@raftkit/interface'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { WebSocket } from 'ws'
import {
  connected,
  listening,
  openRawSocket,
  pingsOfAnother,
  rawServer,
  Watched,
} from './ws-rig.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)

const pattern = (byteLength: number) =>
  new Uint8Array(byteLength).map((_, i) => (i * 31 + (i >> 8)) & 255)

const closeOf = (ws: WebSocket) =>
  new Promise((resolve) => ws.once('close', (code, reason) => resolve([code, reason.toString()])))

const socketOf = (ws: WebSocket) => Reflect.get(ws, '_socket') as Socket

/** Enough turns of the event loop for what is on its way in this process to arrive. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}

describe('a connection', () => {
  it('carries bytes both ways, in order and whole', async () => {
    const { near, far } = await connected()
    near.start()
    far.start()
    const large = pattern(3_000_001)
    near.connection.write([bytesOf('a'), large.subarray(0, 100), large.subarray(100)])
    near.connection.write([])
    near.connection.write([new Uint8Array(0)])
    near.connection.write([bytesOf('z')])
    far.connection.write([bytesOf('back'), large])
    await Promise.all([far.has(3_000_003), near.has(3_000_005)])
    expect(far.bytes.equals(Buffer.concat([bytesOf('a'), large, bytesOf('z')]))).toBe(true)
    expect(near.bytes.equals(Buffer.concat([bytesOf('back'), large]))).toBe(true)
  })

  it('leaves the chunks that it sends as they are', async () => {
    const { near, far } = await connected()
    near.start()
    far.start()
    const chunk = pattern(100_000)
    const small = pattern(100)
    near.connection.write([chunk])
    near.connection.write([small])
    await far.has(100_100)
    expect(Buffer.compare(chunk, pattern(100_000))).toBe(0)
    expect(Buffer.compare(small, pattern(100))).toBe(0)
  })

  it('keeps what comes before it is started', async () => {
    const { near, far } = await connected()
    far.start()
    far.connection.write([bytesOf('early')])
    await settle()
    near.start()
    await near.has(5)
    expect(near.bytes.toString()).toBe('early')
  })

  it('tells the end that comes before it is started', async () => {
    const { near, far } = await connected()
    far.start()
    far.connection.write([bytesOf('last words')])
    await settle()
    far.connection.destroy()
    await far.ended()
    await settle()
    near.start()
    expect(await near.ended()).toBeUndefined()
    expect(near.bytes.toString()).toBe('last words')
  })

  it('tells an end without any data that comes before it is started', async () => {
    const { near, far } = await connected()
    far.connection.destroy()
    await settle()
    near.start()
    expect(await near.ended()).toBeUndefined()
    far.start()
    expect(await far.ended()).toBeUndefined()
  })

  it('delivers nothing while it is paused, and everything after', async () => {
    const { near, far } = await connected()
    near.start()
    far.start(() => far.connection.pause())
    for (const text of ['one', 'two', 'three']) {
      near.connection.write([bytesOf(text)])
      await settle()
    }
    expect(far.bytes.toString()).toBe('one')
    far.connection.resume()
    expect(far.bytes.toString()).toBe('one')
    await far.has(6)
    expect(far.bytes.toString()).toBe('onetwo')
    far.connection.resume()
    await far.has(11)
    expect(far.received.map((chunk) => Buffer.from(chunk).toString())).toEqual([
      'one',
      'two',
      'three',
    ])
  })

  it('holds the other side back while it is paused', async () => {
    const { near, far } = await connected({ receiveBufferBytes: 64 * 1024 })
    near.start()
    far.start()
    far.connection.pause()
    const chunk = pattern(256 * 1024)
    let sent = 0
    while (near.connection.write([chunk])) {
      sent += chunk.byteLength
      await settle()
    }
    sent += chunk.byteLength
    const drained = near.connection.drained()
    await settle()
    expect(far.received).toEqual([])
    far.connection.resume()
    await drained
    await far.has(sent)
    expect(far.bytes.subarray(-chunk.byteLength).equals(chunk)).toBe(true)
  })

  it('is drained at once when it has room or is gone', async () => {
    const { near, far } = await connected()
    near.start()
    far.start()
    await near.connection.drained()
    far.connection.pause()
    while (near.connection.write([pattern(256 * 1024)])) await settle()
    const drained = near.connection.drained()
    near.connection.destroy()
    await drained
    await near.connection.drained()
    expect(near.connection.write([bytesOf('nobody')])).toBe(true)
  })

  it('ends on both sides, once, without an error and with all that was sent before', async () => {
    const { near, far } = await connected()
    near.start()
    far.start()
    near.connection.write([pattern(200_000)])
    await far.has(200_000)
    near.connection.destroy()
    near.connection.destroy()
    expect(near.ends).toEqual([])
    expect(await near.ended()).toBeUndefined()
    expect(await far.ended()).toBeUndefined()
    await settle()
    expect([near.ends.length, far.ends.length]).toEqual([1, 1])
  })

  it('ends with the error that it was destroyed with', async () => {
    const { near } = await connected()
    near.start()
    near.connection.destroy(new Error('enough'))
    expect((await near.ended())?.message).toBe('enough')
  })

  it('delivers nothing after it was destroyed, not even what it held', async () => {
    const { near, far } = await connected()
    near.start()
    far.start(() => far.connection.pause())
    near.connection.write([bytesOf('one')])
    await far.has(3)
    near.connection.write([bytesOf('two')])
    await settle()
    far.connection.resume()
    far.connection.destroy()
    await far.ended()
    await settle()
    expect(far.bytes.toString()).toBe('one')
  })

  it('delivers nothing more when it is destroyed while it delivers what it held', async () => {
    const { near, far } = await connected()
    near.start()
    far.start(() => {
      if (far.received.length === 1) far.connection.pause()
      else far.connection.destroy()
    })
    for (const text of ['one', 'two', 'three']) {
      near.connection.write([bytesOf(text)])
      await settle()
    }
    far.connection.resume()
    await far.ended()
    await settle()
    expect(far.bytes.toString()).toBe('onetwo')
  })

  it('delivers what it held before the end of the other side', async () => {
    const { near, far } = await connected()
    near.start()
    far.start(() => far.connection.pause())
    near.connection.write([bytesOf('one')])
    await far.has(3)
    near.connection.write([bytesOf('two')])
    await settle()
    near.connection.destroy()
    await settle()
    expect(far.ends).toEqual([])
    far.connection.resume()
    await far.ended()
    expect(far.bytes.toString()).toBe('onetwo')
  })

  it('ends when it is destroyed after the other side ended and with data held', async () => {
    const { near, far } = await connected()
    near.start()
    far.start(() => far.connection.pause())
    near.connection.write([bytesOf('one')])
    await far.has(3)
    near.connection.write([bytesOf('two')])
    await settle()
    near.connection.destroy()
    await settle()
    far.connection.destroy()
    await far.ended()
    expect(far.ends.length).toBe(1)
    expect(far.bytes.toString()).toBe('one')
  })
})

describe('a connection whose other side breaks the rules', () => {
  const accepted = async (options = {}) => {
    const server = await listening(options)
    const [ws, connection] = await Promise.all([openRawSocket(server.url), server.accept()])
    return { ws, far: new Watched(connection).start(), server }
  }

  it('refuses text, says so, and changes nothing', async () => {
    const { ws, far, server } = await accepted()
    ws.send('hello')
    ws.send(bytesOf('more'))
    ws.send('hello again')
    ws.send(new Uint8Array(2 * 1024 * 1024))
    const [close, error] = await Promise.all([closeOf(ws), far.ended()])
    expect(close).toEqual([1003, 'binary messages only'])
    expect(RaftError.is(error, 'RAFT_DECODE_FAILED')).toBe(true)
    expect(String(error)).toMatch(/127\.0\.0\.1:\d+ broke the rules .* text message/)
    expect(far.received).toEqual([])
    expect(server.logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', expect.stringMatching(/closed the connection with 127\.0\.0\.1:\d+: .*text/)],
    ])
  })

  it('refuses a message above the limit before it has come', async () => {
    const { ws, far } = await accepted({ maxMessageBytes: 100_000 })
    ws.send(new Uint8Array(100_000))
    await far.has(100_000)
    ws.send(new Uint8Array(100_001))
    const [close, error] = await Promise.all([closeOf(ws), far.ended()])
    expect(close).toEqual([1009, ''])
    expect(RaftError.is(error, 'RAFT_LIMIT_EXCEEDED')).toBe(true)
    expect(String(error)).toMatch(/above maxMessageBytes/)
    expect(far.bytes.byteLength).toBe(100_000)
  })

  it('says why although it is still being sent to', async () => {
    const { ws, far } = await accepted({ maxMessageBytes: 100_000 })
    for (let i = 0; i < 30; i++) ws.send(new Uint8Array(1_000_000))
    expect(await closeOf(ws)).toEqual([1009, ''])
    expect(RaftError.is(await far.ended(), 'RAFT_LIMIT_EXCEEDED')).toBe(true)
  })

  it('ends at once, although the other side does not close', async () => {
    const { ws, far } = await accepted()
    ws.send('hello')
    ws.pause()
    expect(RaftError.is(await far.ended(), 'RAFT_DECODE_FAILED')).toBe(true)
  })

  it('joins a message in fragments, within the limit', async () => {
    const { ws, far } = await accepted({ maxMessageBytes: 100_000 })
    ws.send(new Uint8Array(60_000), { fin: false })
    ws.send(new Uint8Array(30_000), { fin: true })
    await far.has(90_000)
    ws.send(new Uint8Array(60_000), { fin: false })
    ws.send(new Uint8Array(60_000), { fin: true })
    expect(RaftError.is(await far.ended(), 'RAFT_LIMIT_EXCEEDED')).toBe(true)
  })

  it('passes the complaint of the other side on', async () => {
    const { ws, far } = await accepted()
    ws.close(1008, 'not today')
    const error = await far.ended()
    expect(RaftError.is(error, 'RAFT_CONNECTION_LOST')).toBe(true)
    expect(String(error)).toMatch(/code 1008 \(not today\)/)
  })

  it.each([1000, 1001, undefined])('takes close code %s for an orderly end', async (code) => {
    const { ws, far } = await accepted()
    ws.close(code)
    expect(await far.ended()).toBeUndefined()
  })

  it('passes the error of a connection that broke on', async () => {
    const { ws, far } = await accepted()
    socketOf(ws).resetAndDestroy()
    expect(await far.ended()).toMatchObject({ code: 'ECONNRESET' })
  })

  it('refuses bytes that are no frame', async () => {
    const { ws, far, server } = await accepted()
    socketOf(ws).write(bytesOf('GET / HTTP/1.1\r\n\r\n'))
    expect(RaftError.is(await far.ended(), 'RAFT_DECODE_FAILED')).toBe(true)
    expect(server.logger.lines.length).toBe(1)
  })

  it('answers pings, only the last of those that it could not answer', async () => {
    const { ws, far } = await accepted({ receiveBufferBytes: 1 })
    ws.ping('a')
    const [first] = (await once(ws, 'pong')) as [Buffer]
    expect(first.toString()).toBe('a')
    far.connection.pause()
    ws.send(new Uint8Array(10))
    ws.ping('b')
    ws.ping('c')
    await settle()
    const pong = once(ws, 'pong')
    far.connection.resume()
    const [later] = (await pong) as [Buffer]
    expect(later.toString()).toBe('c')
  })
})

describe('a connection to a server that breaks the rules', () => {
  it('keeps to the same limits, and answers each ping once', async () => {
    const server = await rawServer()
    const client = await listening({ maxMessageBytes: 100_000 })
    const [connection, ws] = await Promise.all([client.dial(server.address), server.accept()])
    const near = new Watched(connection).start()
    let pongs = 0
    ws.on('pong', () => pongs++)
    ws.ping()
    ws.send(new Uint8Array(100_000))
    await near.has(100_000)
    near.connection.write([bytesOf('after the pong')])
    await once(ws, 'message')
    expect(pongs).toBe(1)
    ws.send(new Uint8Array(100_001))
    expect(RaftError.is(await near.ended(), 'RAFT_LIMIT_EXCEEDED')).toBe(true)
  })
})

describe('a paused connection', () => {
  it('counts what many small messages cost', async () => {
    const server = await listening({ receiveBufferBytes: 1000 })
    const [ws, connection] = await Promise.all([openRawSocket(server.url), server.accept()])
    const far = new Watched(connection).start()
    far.connection.pause()
    let pongs = 0
    ws.on('pong', () => pongs++)
    for (let i = 0; i < 20; i++) ws.send(new Uint8Array(i % 2))
    ws.ping()
    await settle()
    expect(pongs).toBe(0)
    const pong = once(ws, 'pong')
    far.connection.resume()
    await Promise.all([pong, far.has(10)])
    expect(far.received.length).toBe(10)
  })
})

describe('a connection whose other side is silent', () => {
  /** A relay that can swallow everything, as a network that lost the other host does. */
  async function relayTo(address: string) {
    const port = Number(address.split(':')[1])
    let swallow = false
    const sockets: Socket[] = []
    const relay = createServer((inside) => {
      const outside = connect(port, '127.0.0.1')
      sockets.push(inside, outside)
      for (const [from, to] of [
        [inside, outside],
        [outside, inside],
      ] as const) {
        from.on('data', (data) => swallow || to.write(data))
        from.on('error', () => {})
        from.on('close', () => swallow || to.destroy())
      }
    })
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      relay.close()
    })
    const { port: relayPort } = relay.address() as AddressInfo
    return { address: `127.0.0.1:${relayPort}`, cut: () => (swallow = true) }
  }

  it('ends, on both sides, with an error that says so', async () => {
    const options = { pingIntervalMs: 20, pongTimeoutMs: 200 }
    const server = await listening(options)
    const client = await listening(options)
    const relay = await relayTo(server.address)
    const [near, far] = await Promise.all([client.dial(relay.address), server.accept()])
    const ends = [new Watched(near).start(), new Watched(far).start()]
    relay.cut()
    for (const end of ends) {
      const error = await end.ended()
      expect(RaftError.is(error, 'RAFT_CONNECTION_LOST')).toBe(true)
      expect(String(error)).toMatch(/did not answer a ping within pongTimeoutMs 200/)
    }
  })

  it('lives while data lies unread on either side, however long that takes', async () => {
    const { near, far } = await connected({
      pingIntervalMs: 5,
      pongTimeoutMs: 300,
      receiveBufferBytes: 1,
    })
    near.start()
    far.start()
    far.connection.pause()
    near.connection.write([bytesOf('unread for long')])
    await pingsOfAnother(50, 10)
    expect([near.ends, far.ends]).toEqual([[], []])
    far.connection.resume()
    await far.has(15)
    near.connection.write([bytesOf('!')])
    await far.has(16)
  })

  it('lives while it is paused without data, and notices the end', async () => {
    const { near, far } = await connected({ pingIntervalMs: 5, pongTimeoutMs: 300 })
    near.start()
    far.start()
    far.connection.pause()
    await pingsOfAnother(50, 10)
    expect([near.ends, far.ends]).toEqual([[], []])
    near.connection.destroy()
    await far.ended()
    expect(far.ends.length).toBe(1)
  })
})
