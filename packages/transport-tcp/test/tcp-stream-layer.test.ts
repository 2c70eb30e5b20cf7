import { Socket } from 'node:net'
import { createTcpTransport, TcpStreamLayer } from '@raftkit/transport-tcp'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { member } from './certificates.ts'
import { deferred, heartbeat, openServer, openTransport, peerOf, RawSocket } from './fixtures.ts'

describe('listening', () => {
  it('advertises the port that the system chose', async () => {
    const transport = await openTransport({ bind: '127.0.0.1:0' })
    expect(transport.localAddress).toMatch(/^127\.0\.0\.1:[1-9]\d*$/)
  })

  it('speaks IPv6', async () => {
    const a = await openTransport({ bind: '[::1]:0' })
    const b = await openTransport({ bind: '[::1]:0' })
    expect(b.localAddress).toMatch(/^\[::1\]:[1-9]\d*$/)
    expect(await a.call(peerOf(b), heartbeat())).toMatchObject({ success: true })
  })

  it('binds every interface when an address for the others is given', async () => {
    const free = await openTransport()
    const port = free.localAddress.split(':')[1]!
    await free.close()
    for (const bind of [`0.0.0.0:${port}`, `:${port}`, `[::]:${port}`]) {
      const advertise = `127.0.0.1:${port}`
      const b = await openTransport({ bind, advertise })
      expect(b.localAddress).toBe(advertise)
      const a = await openTransport()
      expect(await a.call(peerOf(b), heartbeat())).toMatchObject({ success: true })
      await a.close()
      await b.close()
    }
  })

  it.each(['0.0.0.0:0', '[::]:0', ':0', 'nonsense', '127.0.0.1', ''])(
    'refuses to advertise %j and says what to do',
    async (bind) => {
      await expect(createTcpTransport({ bind })).rejects.toMatchObject({
        code: 'RAFT_INVALID_ADDRESS',
      })
    },
  )

  it('rejects with the cause when the port is taken', async () => {
    const taken = await openTransport()
    await expect(createTcpTransport({ bind: taken.localAddress })).rejects.toMatchObject({
      code: 'RAFT_LISTEN_FAILED',
      message: expect.stringContaining('another process') as string,
      cause: { code: 'EADDRINUSE' },
      details: { bind: taken.localAddress, code: 'EADDRINUSE' },
    })
  })

  it('rejects when no interface has the address', async () => {
    await expect(createTcpTransport({ bind: '192.0.2.1:0' })).rejects.toMatchObject({
      code: 'RAFT_LISTEN_FAILED',
      message: expect.stringContaining('no interface') as string,
    })
  })

  it('refuses a send buffer that would never drain', () => {
    expect(() => new TcpStreamLayer({ bind: '127.0.0.1:0', sendBufferBytes: 1000 })).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_CONFIG' }),
    )
  })
})

describe('dialling', () => {
  const options = { timeoutMs: 10_000 }

  async function layer(): Promise<TcpStreamLayer> {
    return new TcpStreamLayer({ bind: '127.0.0.1:0' })
  }

  it('rejects where nobody listens', async () => {
    const gone = await openTransport()
    await gone.close()
    const stream = await layer()
    await expect(stream.dial(gone.localAddress, options)).rejects.toMatchObject({
      code: 'RAFT_DIAL_FAILED',
      retryable: true,
      cause: { code: 'ECONNREFUSED' },
    })
    await stream.close()
  })

  it('rejects for something that is no address', async () => {
    const stream = await layer()
    for (const address of ['nonsense', '127.0.0.1:99999', '::1:1'])
      await expect(stream.dial(address, options)).rejects.toMatchObject({
        code: 'RAFT_DIAL_FAILED',
        retryable: false,
        cause: { code: 'RAFT_INVALID_ADDRESS' },
      })
    await stream.close()
  })

  it('says what went wrong with each address of a host name', async () => {
    const gone = await openTransport()
    await gone.close()
    const stream = await layer()
    const dialling = stream.dial(`localhost:${gone.localAddress.split(':')[1]}`, options)
    await expect(dialling).rejects.toMatchObject({
      code: 'RAFT_DIAL_FAILED',
      message: expect.stringContaining('ECONNREFUSED') as string,
    })
    await stream.close()
  })

  it('leaves nothing behind of a dial that is given up', async () => {
    // It takes the connection and then says nothing, so that TLS waits for the handshake.
    const accepted = deferred<Socket>()
    const address = await openServer((socket) => {
      accepted.resolve(socket)
      socket.resume()
    })
    const stream = new TcpStreamLayer({ bind: '127.0.0.1:0', tls: member })
    onTestFinished(() => stream.close())
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const dialling = stream.dial(address, { ...options, signal: controller.signal })
    const socket = await accepted.promise
    const closed = new Promise((resolve) => socket.on('close', resolve))
    controller.abort(reason)
    await expect(dialling).rejects.toBe(reason)
    await closed
  })

  it('is refused after close', async () => {
    const other = await openTransport()
    const stream = await layer()
    await stream.close()
    const refused = { code: 'RAFT_TRANSPORT_CLOSED' }
    await expect(stream.dial(other.localAddress, options)).rejects.toMatchObject(refused)
    await expect(stream.listen(() => {})).rejects.toMatchObject(refused)
  })

  it('takes no longer than it may', async () => {
    const address = await openServer(() => {})
    const stream = new TcpStreamLayer({ bind: '127.0.0.1:0', tls: member })
    await expect(stream.dial(address, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'RAFT_DIAL_FAILED',
      message: expect.stringContaining('50 ms') as string,
    })
    await stream.close()
  })
})

describe('a connection', () => {
  it.each([undefined, member])(
    'sends at once, and notices the end of a machine that says nothing',
    async (tls) => {
      const noDelay = vi.spyOn(Socket.prototype, 'setNoDelay')
      const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive')
      onTestFinished(() => void vi.restoreAllMocks())
      const options = { keepAliveMs: 4_000, ...(tls === undefined ? {} : { tls }) }
      const a = await openTransport(options)
      const b = await openTransport(options)
      await a.call(peerOf(b), heartbeat())
      // One end each.
      expect(noDelay.mock.calls).toEqual([[true], [true]])
      expect(keepAlive.mock.calls).toEqual([
        [true, 4_000],
        [true, 4_000],
      ])
    },
  )

  it.each([
    ['small pieces, joined', [10, 20, 30], { joined: 1, gathered: 0 }],
    ['large pieces, not copied', [10, 100_000, 30], { joined: 0, gathered: 1 }],
  ])('hands a message to the system at once: %s', async (_what, sizes, calls) => {
    const all = deferred<void>()
    const total = sizes.reduce((sum, size) => sum + size, 0)
    let received = 0
    const address = await openServer((socket) =>
      socket.on('data', (bytes) => {
        received += bytes.length
        if (received === total) all.resolve()
      }),
    )
    const stream = new TcpStreamLayer({ bind: '127.0.0.1:0' })
    onTestFinished(() => stream.close())
    const connection = await stream.dial(address, { timeoutMs: 10_000 })
    connection.start({ onData: () => {}, onClose: () => {} })
    onTestFinished(() => void vi.restoreAllMocks())
    const joined = vi.spyOn(Socket.prototype, '_write')
    const gathered = vi.spyOn(Socket.prototype as Required<Socket>, '_writev')
    connection.write(sizes.map((size) => new Uint8Array(size)))
    await all.promise
    expect({ joined: joined.mock.calls.length, gathered: gathered.mock.calls.length }).toEqual(
      calls,
    )
  })

  it('says after a write whether there is room, and when there is again', async () => {
    const accepted = deferred<Socket>()
    const address = await openServer((socket) => {
      socket.pause()
      accepted.resolve(socket)
    })
    const stream = new TcpStreamLayer({ bind: '127.0.0.1:0', sendBufferBytes: 128 * 1024 })
    const connection = await stream.dial(address, { timeoutMs: 10_000 })
    connection.start({ onData: () => {}, onClose: () => {} })
    const chunk = new Uint8Array(64 * 1024)
    let written = 0
    for (let room = true; room;) {
      room = connection.write([chunk, chunk])
      written += 2 * chunk.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    let drained = false
    const draining = connection.drained().then(() => (drained = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(drained).toBe(false)
    const socket = await accepted.promise
    let received = 0
    const all = new Promise<void>((resolve) => {
      socket.on('data', (bytes) => {
        received += bytes.length
        if (received === written) resolve()
      })
    })
    socket.resume()
    await draining
    expect(connection.write([])).toBe(true)
    await all
    await stream.close()
  })

  it('is told apart from a broken one when the other side ends it', async () => {
    const ended = deferred<Error | undefined>()
    const address = await openServer((socket) => socket.end())
    const stream = new TcpStreamLayer({ bind: '127.0.0.1:0' })
    const connection = await stream.dial(address, { timeoutMs: 10_000 })
    connection.start({ onData: () => {}, onClose: ended.resolve })
    expect(await ended.promise).toBeUndefined()
    await stream.close()
  })

  it('that is reset closes with the error', async () => {
    const ended = deferred<Error | undefined>()
    const address = await openServer((socket) => socket.on('data', () => socket.resetAndDestroy()))
    const stream = new TcpStreamLayer({ bind: '127.0.0.1:0' })
    const connection = await stream.dial(address, { timeoutMs: 10_000 })
    connection.start({ onData: () => {}, onClose: ended.resolve })
    connection.write([new Uint8Array(10)])
    expect(await ended.promise).toMatchObject({ code: 'ECONNRESET' })
    await stream.close()
  })

  /** A connection whose buffer is full, because the other side does not read. */
  async function full() {
    const accepted = deferred<Socket>()
    const address = await openServer((socket) => {
      socket.pause()
      accepted.resolve(socket)
    })
    const stream = new TcpStreamLayer({ bind: '127.0.0.1:0' })
    onTestFinished(() => stream.close())
    const connection = await stream.dial(address, { timeoutMs: 10_000 })
    const ended = deferred<Error | undefined>()
    connection.start({ onData: () => {}, onClose: ended.resolve })
    const chunk = new Uint8Array(1024 * 1024)
    while (connection.write([chunk])) await new Promise((resolve) => setImmediate(resolve))
    return { connection, ended: ended.promise, socket: await accepted.promise }
  }

  it('lets go of a writer that waits for room when the other side goes', async () => {
    const { connection, ended, socket } = await full()
    const draining = connection.drained()
    socket.resetAndDestroy()
    await draining
    expect(await ended).toBeInstanceOf(Error)
    expect(connection.write([new Uint8Array(1)])).toBe(true)
  })

  it('lets go of a writer that waits for room when it is destroyed here', async () => {
    const { connection, ended } = await full()
    const draining = connection.drained()
    connection.destroy()
    await draining
    expect(await ended).toBeUndefined()
    expect(connection.write([new Uint8Array(1)])).toBe(true)
  })

  it('ends when the other side will send no more, whatever it does not take', async () => {
    const { ended, socket } = await full()
    socket.end()
    expect(await ended).toBeUndefined()
  })

  it('delivers nothing more once it is destroyed, not even what was received before', async () => {
    const accepted = deferred<Socket>()
    const address = await openServer((socket) => {
      socket.setNoDelay(true)
      accepted.resolve(socket)
    })
    const stream = new TcpStreamLayer({ bind: '127.0.0.1:0' })
    onTestFinished(() => stream.close())
    const connection = await stream.dial(address, { timeoutMs: 10_000 })
    const ended = deferred<Error | undefined>()
    let deliveries = 0
    connection.start({
      onData: () => {
        deliveries += 1
        connection.destroy()
      },
      onClose: ended.resolve,
    })
    connection.pause()
    const socket = await accepted.promise
    for (let chunk = 0; chunk < 5; chunk += 1) {
      await new Promise<void>((resolve) => socket.write('0123456789', () => resolve()))
      await new Promise((resolve) => setImmediate(resolve))
    }
    connection.resume()
    await ended.promise
    expect(deliveries).toBe(1)
  })

  it('that ended before it was started says so once it is', async () => {
    const address = await openServer(() => {})
    const stream = new TcpStreamLayer({ bind: '127.0.0.1:0' })
    const connection = await stream.dial(address, { timeoutMs: 10_000 })
    await stream.close()
    await new Promise((resolve) => setImmediate(resolve))
    const ended = deferred<Error | undefined>()
    connection.start({ onData: () => {}, onClose: ended.resolve })
    await ended.promise
    connection.write([new Uint8Array(10)])
    await connection.drained()
    expect(connection.remoteAddress).toBe(address)
  })

  it('leaves the pool of the transport when the other side ends it', async () => {
    const a = await openTransport()
    const b = await openTransport()
    await a.call(peerOf(b), heartbeat())
    expect(a.stats().idleConnections).toBe(1)
    const port = b.localAddress
    await b.close()
    while (a.stats().idleConnections > 0) await new Promise((resolve) => setImmediate(resolve))
    const again = await openTransport({ bind: port })
    expect(await a.call(peerOf(again), heartbeat())).toMatchObject({ success: true })
  })

  it('is closed by the listener when it says nothing for too long', async () => {
    const b = await openTransport({ limits: { firstByteTimeoutMs: 20 } })
    const raw = new RawSocket(b.localAddress)
    await raw.closed
    expect(raw.received).toHaveLength(0)
  })
})
