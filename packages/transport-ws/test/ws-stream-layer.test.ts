import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WsStreamLayer } from '../src/index.ts'
import { connected, listening, rawServer, rawSocket, Watched } from './ws-rig.ts'

const failed = (code: string, words: RegExp) => ({
  name: 'RaftError',
  code,
  message: expect.stringMatching(words) as string,
})

/** The HTTP answer to an upgrade request that is refused. */
function answerTo(
  url: string,
  options: Parameters<typeof rawSocket>[1] = {},
): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const ws = rawSocket(url, options)
    ws.on('open', () => reject(new Error('it was let in')))
    ws.on('error', reject)
    ws.on('unexpected-response', (_request, response) => {
      void textOf(response).then((body) => resolve({ status: response.statusCode, body }))
    })
  })
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of response.setEncoding('utf8')) text += String(piece)
  return text
}

/** A TCP connection, and what it got until it was closed. */
function rawTcp(address: string): { socket: Socket; text: Promise<string> } {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
  })
  let text = ''
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  socket.on('error', () => {})
  return { socket, text: once(socket, 'close').then(() => text) }
}

describe('listen', () => {
  it('takes a free port and advertises it', async () => {
    const { address } = await listening()
    expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/)
  })

  it('rejects when the address is taken', async () => {
    const { address } = await listening()
    const second = new WsStreamLayer({ bind: address })
    onTestFinished(() => second.close())
    await expect(second.listen(() => {})).rejects.toMatchObject(
      failed('RAFT_LISTEN_FAILED', /another process \(or this one\) listens there/),
    )
  })

  it('rejects after close', async () => {
    const layer = new WsStreamLayer({ bind: '127.0.0.1:0' })
    await layer.close()
    await expect(layer.listen(() => {})).rejects.toMatchObject(
      failed('RAFT_TRANSPORT_CLOSED', /make a new one/),
    )
  })
})

describe('who is let in', () => {
  it('asks for the subprotocol', async () => {
    const { url, logger } = await listening()
    const refusal = { status: 400, body: 'the subprotocol raftkit.v1 is needed here' }
    expect(await answerTo(url, { protocols: [] })).toEqual(refusal)
    expect(await answerTo(url, { protocols: ['raftkit.v2', 'chat'] })).toEqual(refusal)
    expect(logger.lines.map(({ level }) => level)).toEqual(['warn', 'warn'])
    const ws = rawSocket(url, { protocols: ['chat', 'raftkit.v1'] })
    await once(ws, 'open')
    expect(ws.protocol).toBe('raftkit.v1')
  })

  it('asks for the path', async () => {
    const { address, url } = await listening()
    const refusal = { status: 404, body: 'no WebSocket is served at this path' }
    expect(await answerTo(`ws://${address}/`)).toEqual(refusal)
    expect(await answerTo(`${url}/`)).toEqual(refusal)
    await once(rawSocket(`${url}?token=ignored`), 'open')
  })

  it('refuses browsers, except from where they may come', async () => {
    const { url } = await listening({ allowedOrigins: ['https://ops.example'] })
    const refusal = { status: 403, body: 'this origin is not in allowedOrigins' }
    expect(await answerTo(url, { origin: 'https://evil.example' })).toEqual(refusal)
    expect(await answerTo(url, { origin: 'null' })).toEqual(refusal)
    await once(rawSocket(url, { origin: 'https://ops.example' }), 'open')
    const closed = await listening()
    expect(await answerTo(closed.url, { origin: 'https://ops.example' })).toEqual(refusal)
  })

  it('leaves the last word to authorize, which sees the headers of the dialler', async () => {
    const authorize = vi.fn<(request: IncomingMessage) => boolean>(
      (request) => request.headers.authorization === 'Bearer secret',
    )
    const server = await listening({ authorize })
    const client = await listening({ headers: { Authorization: 'Bearer secret' } })
    const other = await listening()
    await Promise.all([client.dial(server.address), server.accept()])
    await expect(other.dial(server.address)).rejects.toMatchObject(
      failed('RAFT_DIAL_FAILED', /answered with HTTP 401 \(authorize refused the request\)/),
    )
    expect(authorize).toHaveBeenCalledTimes(2)
  })

  it('offers no compression', async () => {
    const { url } = await listening()
    const ws = rawSocket(url, { perMessageDeflate: true })
    await once(ws, 'open')
    expect(ws.extensions).toBe('')
  })

  it('tells plain HTTP what this port is for', async () => {
    const { address } = await listening()
    const [response] = (await once(get(`http://${address}/raft`), 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(426)
    expect(response.headers.connection).toBe('close')
    expect(await textOf(response)).toMatch(/speaks Raft over WebSocket only/)
  })

  it('closes what is not HTTP, with one log line', async () => {
    const { address, logger } = await listening()
    const { socket, text } = rawTcp(address)
    socket.write(Buffer.from([0, 0x8c, 0xa1, 0xff, 0x0d, 0x0a]))
    expect(await text).toMatch(/^HTTP\/1\.1 400 /)
    expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', expect.stringMatching(/127\.0\.0\.1:\d+: it sent something else than HTTP/)],
    ])
  })

  it.each([
    ['half way', (socket: Socket) => socket.end('GET /raft HTTP/1.1\r\n')],
    ['at once', (socket: Socket) => socket.resetAndDestroy()],
  ])('is silent about who goes away %s', async (_, leave) => {
    const server = await listening()
    const { socket } = rawTcp(server.address)
    await once(socket, 'connect')
    leave(socket)
    await Promise.all([server.dial(server.address), server.accept()])
    expect(server.logger.lines).toEqual([])
  })

  it('closes what sends nothing, or never finishes its request, in time', async () => {
    const { address } = await listening({ handshakeTimeoutMs: 30 })
    const silent = rawTcp(address)
    const slow = rawTcp(address)
    slow.socket.write('GET /raft HTTP/1.1\r\nHost: a\r\n')
    expect(await Promise.all([silent.text, slow.text])).toEqual(['', ''])
  })

  it('does not end a connection whose handshake was in time', async () => {
    const { near, far, server } = await connected({ handshakeTimeoutMs: 200 })
    near.start()
    far.start()
    // It outlives one that began after it and was ended.
    await rawTcp(server.address).text
    near.connection.write([new Uint8Array(3)])
    await far.has(3)
    expect([near.ends, far.ends]).toEqual([[], []])
  })

  it('ends the oldest of too many that are not ready', async () => {
    const { address } = await listening({ maxHandshakes: 2, handshakeTimeoutMs: 60_000 })
    const first = rawTcp(address)
    await once(first.socket, 'connect')
    rawTcp(address)
    rawTcp(address)
    expect(await first.text).toBe('')
  })
})

describe('dial', () => {
  it('rejects where nobody listens', async () => {
    const gone = await listening()
    await gone.layer.close()
    const { dial } = await listening()
    await expect(dial(gone.address)).rejects.toMatchObject({
      ...failed('RAFT_DIAL_FAILED', /ECONNREFUSED/),
      retryable: true,
      details: { address: gone.address },
    })
  })

  it('rejects an address that is none', async () => {
    const { dial } = await listening()
    await expect(dial('nowhere')).rejects.toMatchObject(
      failed('RAFT_DIAL_FAILED', /"nowhere" is not an address/),
    )
  })

  it('says what to check when the path differs', async () => {
    const server = await listening({ path: '/a' })
    const client = await listening({ path: '/b' })
    await expect(client.dial(server.address)).rejects.toMatchObject(
      failed(
        'RAFT_DIAL_FAILED',
        /HTTP 404 .*; check that path \(\/b\) is the same on every server/,
      ),
    )
  })

  /** A TCP server that does `onSocket`. */
  async function tcpServer(onSocket: (socket: Socket) => void): Promise<string> {
    const server = createServer((socket) => {
      onTestFinished(() => {
        socket.destroy()
      })
      socket.on('error', () => {})
      onSocket(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.close()
    })
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('rejects when the other side does not answer in time', async () => {
    const { layer } = await listening()
    let onGone = () => {}
    const gone = new Promise<void>((resolve) => {
      onGone = resolve
    })
    const address = await tcpServer((socket) => socket.resume().once('close', onGone))
    await expect(layer.dial(address, { timeoutMs: 50 })).rejects.toMatchObject(
      failed('RAFT_DIAL_FAILED', /no connection within 50 ms/),
    )
    await gone
  })

  it('rejects when the answer does not end in time', async () => {
    const { layer } = await listening()
    const address = await tcpServer((socket) => {
      socket.write('HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nhm')
    })
    await expect(layer.dial(address, { timeoutMs: 50 })).rejects.toMatchObject(
      failed('RAFT_DIAL_FAILED', /no connection within 50 ms/),
    )
  })

  it.each([
    ['closes at once', (socket: Socket) => socket.destroy(), /./],
    ['speaks something else', (socket: Socket) => socket.write('SSH-2.0-x\r\n'), /Parse Error/],
    [
      'does not know the subprotocol',
      (socket: Socket) =>
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
        ),
      /Invalid Sec-WebSocket-Accept/,
    ],
    [
      'is a page that never ends',
      (socket: Socket) =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n${'x'.repeat(600)}`),
      /HTTP 200 \(x{512}\)$/,
    ],
    [
      'points elsewhere',
      (socket: Socket) =>
        socket.end('HTTP/1.1 302 Found\r\nLocation: http://evil\r\nContent-Length: 0\r\n\r\n'),
      /HTTP 302$/,
    ],
  ])('rejects when the other side %s', async (_, onSocket, words) => {
    const { dial } = await listening()
    await expect(dial(await tcpServer((socket) => void onSocket(socket)))).rejects.toMatchObject(
      failed('RAFT_DIAL_FAILED', words),
    )
  })

  it('rejects with the reason of its signal, before and during', async () => {
    const { layer } = await listening()
    const reason = new Error('no more')
    const controller = new AbortController()
    const address = await tcpServer(() => controller.abort(reason))
    const options = { timeoutMs: 4000, signal: controller.signal }
    await expect(layer.dial(address, options)).rejects.toBe(reason)
    await expect(layer.dial(address, options)).rejects.toBe(reason)
  })

  it('has no time limit left once it is connected', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const server = await rawServer()
    const { dial } = await listening()
    await Promise.all([dial(server.address, 1000), server.accept()])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('sends the address as the Host header', async () => {
    const heard = new Promise<string>((resolve) => {
      void listening().then(async ({ dial }) => {
        const address = await tcpServer((socket) =>
          socket.once('data', (data: Buffer) => {
            resolve(`${address} ${data.toString()}`)
            socket.destroy()
          }),
        )
        await dial(address).catch(() => {})
      })
    })
    const [address, ...request] = (await heard).split(' ')
    expect(request.join(' ')).toContain(`Host: ${address}\r\n`)
    expect(request.join(' ')).not.toContain('Origin')
  })

  it('masks what it sends, unless told not to', async () => {
    const secret = Buffer.from('0123456789abcdef'.repeat(8))
    const seen: boolean[] = []
    for (const mask of [true, false]) {
      const target = await listening()
      const bytes: Buffer[] = []
      const relay = await tcpServer((socket) => {
        const onward = connect(Number(target.address.split(':')[1]), '127.0.0.1')
        onTestFinished(() => {
          onward.destroy()
        })
        onward.on('error', () => {})
        socket.on('data', (data: Buffer) => bytes.push(data)).pipe(onward)
        onward.pipe(socket)
      })
      const client = await listening({ mask })
      const [near, far] = await Promise.all([client.dial(relay), target.accept()])
      new Watched(near).start()
      const receiver = new Watched(far).start()
      near.write([secret])
      await receiver.has(secret.byteLength)
      expect(receiver.bytes.equals(secret)).toBe(true)
      seen.push(Buffer.concat(bytes).includes(secret))
    }
    expect(seen).toEqual([false, true])
  })
})

describe('close', () => {
  it('ends every connection, both those made and those accepted', async () => {
    const { near, far, server, client } = await connected()
    near.start()
    far.start()
    const back = await Promise.all([server.dial(client.address), client.accept()])
    const [made, accepted] = back.map((connection) => new Watched(connection).start())
    await server.layer.close()
    expect([far.ends.length, made?.ends.length]).toEqual([1, 1])
    await Promise.all([near.ended(), accepted?.ended()])
    await expect(client.dial(server.address)).rejects.toMatchObject(
      failed('RAFT_DIAL_FAILED', /ECONNREFUSED/),
    )
    await expect(server.dial(client.address)).rejects.toMatchObject(
      failed('RAFT_TRANSPORT_CLOSED', /make a new one/),
    )
    await server.layer.close()
  })

  it('ends those that are being made, and those that are not ready', async () => {
    const { layer, address } = await listening()
    const halfWay = rawTcp(address)
    await once(halfWay.socket, 'connect')
    const silent = createServer(() => {})
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => {
      silent.close()
    })
    const dialling = layer.dial(`127.0.0.1:${(silent.address() as AddressInfo).port}`, {
      timeoutMs: 60_000,
    })
    const [[outcome]] = await Promise.all([Promise.allSettled([dialling]), layer.close()])
    expect(outcome).toMatchObject({ status: 'rejected', reason: failed('RAFT_DIAL_FAILED', /./) })
    expect(await halfWay.text).toBe('')
  })
})
