import { encodeRequest, encodeResponse } from '@raftkit/wire'
import { describe, expect, it } from 'vitest'
import {
  appended,
  deferred,
  header,
  heartbeat,
  installed,
  ListLogger,
  openServer,
  openTransport,
  peerOf,
  RawSocket,
  snapshotOf,
} from './fixtures.ts'

const request = Buffer.concat(encodeRequest(heartbeat(7)))
const answer = Buffer.from(encodeResponse(appended(7)))

describe('a listener', () => {
  it('takes requests that are split at any byte', async () => {
    const { localAddress } = await openTransport()
    for (let at = 1; at < request.length; at += 1) {
      const raw = new RawSocket(localAddress)
      await raw.send(request.subarray(0, at))
      await raw.send(request.subarray(at))
      expect(await raw.receive(answer.length)).toEqual(answer)
      raw.socket.destroy()
    }
  })

  it('takes requests byte by byte, and many at once', async () => {
    const { localAddress } = await openTransport()
    const raw = new RawSocket(localAddress)
    for (const byte of request) await raw.send(Buffer.of(byte))
    expect(await raw.receive(answer.length)).toEqual(answer)
    await raw.send(Buffer.concat(Array.from({ length: 1000 }, () => request)))
    expect(await raw.receive(answer.length * 1001)).toEqual(
      Buffer.concat(Array.from({ length: 1001 }, () => answer)),
    )
  })

  it('answers in the order of the requests, whoever is ready first', async () => {
    const transport = await openTransport()
    const gates = Array.from({ length: 10 }, () => deferred<void>())
    const all = deferred<void>()
    let handled = 0
    transport.setHandler(async (message) => {
      const { term } = message as { term: number }
      handled += 1
      if (handled === 10) all.resolve()
      await gates[term - 1]?.promise
      return appended(term)
    })
    const raw = new RawSocket(transport.localAddress)
    const terms = Array.from({ length: 10 }, (_, at) => at + 1)
    await raw.send(Buffer.concat(terms.flatMap((term) => encodeRequest(heartbeat(term)))))
    await all.promise
    for (const gate of gates.toReversed()) gate.resolve()
    const expected = Buffer.concat(terms.map((term) => encodeResponse(appended(term))))
    expect(await raw.receive(expected.length)).toEqual(expected)
  })

  it.each([
    ['HTTP', Buffer.from('GET /metrics HTTP/1.1\r\nHost: n1\r\n\r\n'), 'HTTP'],
    ['an unknown type', Buffer.of(0x42, 0x80), '0x42'],
    ['TLS to a port without', Buffer.of(0x16, 0x03, 0x01, 0x00, 0x05), 'TLS'],
    ['bytes of a broken message', Buffer.of(0x01, 0xc1, 0xc1), 'closed'],
  ])('closes a connection that sends %s, with one log line', async (_what, bytes, text) => {
    const logger = new ListLogger()
    const transport = await openTransport({ logger })
    const raw = new RawSocket(transport.localAddress)
    await raw.send(bytes)
    await raw.closed
    expect(raw.received).toHaveLength(0)
    expect(logger.lines).toEqual([
      { level: 'warn', message: expect.stringContaining(text) as string },
    ])
    const other = await openTransport()
    expect(await other.call(peerOf(transport), heartbeat())).toMatchObject({ success: true })
  })

  it('closes a connection that stops in the middle of a request', async () => {
    const logger = new ListLogger()
    const { localAddress } = await openTransport({ logger, limits: { messageTimeoutMs: 30 } })
    const raw = new RawSocket(localAddress)
    await raw.send(request.subarray(0, 20))
    await raw.closed
    expect((await logger.first()).message).toContain('messageTimeoutMs 30')
  })

  it('serves its peers while many others stop in the middle of a request', async () => {
    const transport = await openTransport({ limits: { maxConnections: 50 } })
    const a = await openTransport()
    await a.call(peerOf(transport), heartbeat())
    for (let round = 0; round < 4; round += 1) {
      const raws = Array.from({ length: 50 }, () => new RawSocket(transport.localAddress))
      await Promise.all(raws.map((raw) => raw.send(request.subarray(0, 20))))
      expect(await a.call(peerOf(transport), heartbeat())).toMatchObject({ success: true })
      expect(transport.stats().inboundConnections).toBeLessThanOrEqual(50)
    }
    expect(a.stats().outboundConnections).toBe(1)
  })

  it('goes on with other requests after a snapshot on the same connection', async () => {
    const transport = await openTransport()
    const sizes: number[] = []
    transport.setHandler(async (message, { snapshot }) => {
      if (message.type !== 'install-snapshot') return appended(7)
      let size = 0
      for await (const chunk of snapshot!) size += chunk.length
      sizes.push(size)
      return installed
    })
    const raw = new RawSocket(transport.localAddress)
    const snapshot = Buffer.concat([
      ...encodeRequest(snapshotOf(100_000)),
      Buffer.alloc(100_000, 1),
    ])
    await raw.send(Buffer.concat([snapshot, request, snapshot, request]))
    const expected = Buffer.concat(
      [installed, appended(7), installed, appended(7)].map((each) => encodeResponse(each)),
    )
    expect(await raw.receive(expected.length)).toEqual(expected)
    expect(sizes).toEqual([100_000, 100_000])
  })
})

describe('a caller', () => {
  it('takes answers that are split at any byte', async () => {
    let cut = 0
    const address = await openServer((socket) => {
      socket.setNoDelay(true)
      socket.on('data', () => {
        cut = (cut % (answer.length - 1)) + 1
        socket.write(answer.subarray(0, cut), () => socket.write(answer.subarray(cut)))
      })
    })
    const a = await openTransport()
    for (let call = 0; call < answer.length; call += 1)
      expect(await a.call({ id: 'b', address }, heartbeat(7))).toEqual(appended(7))
  })

  it('sends a request in one piece', async () => {
    const sizes: number[] = []
    const address = await openServer((socket) =>
      socket.on('data', (chunk) => {
        sizes.push(chunk.length)
        socket.write(answer)
      }),
    )
    const a = await openTransport()
    for (let call = 0; call < 10; call += 1) await a.call({ id: 'b', address }, heartbeat(7))
    expect(sizes).toEqual(Array.from({ length: 10 }, () => request.length))
  })

  it('learns that a server does not know pre-vote when it hangs up', async () => {
    const address = await openServer((socket) => socket.on('data', () => socket.end()))
    const a = await openTransport()
    const preVote = { header, term: 2, lastLogIndex: 1, lastLogTerm: 1 }
    await expect(
      a.call({ id: 'b', address }, { type: 'request-pre-vote', ...preVote }),
    ).rejects.toMatchObject({ code: 'RAFT_RPC_UNSUPPORTED' })
    await expect(
      a.call({ id: 'b', address }, { type: 'request-vote', ...preVote, leadershipTransfer: false }),
    ).rejects.toMatchObject({ code: 'RAFT_CONNECTION_LOST' })
  })

  it('rejects every outstanding call of a connection that is lost', async () => {
    const address = await openServer((socket) => {
      let bytes = 0
      socket.on('data', (chunk) => {
        bytes += chunk.length
        if (bytes === request.length * 5) socket.resetAndDestroy()
      })
    })
    const a = await openTransport()
    const pipeline = await a.openPipeline({ id: 'b', address })
    const sent = Array.from({ length: 5 }, () => pipeline.send(heartbeat(7)))
    for (const each of sent)
      await expect(each).rejects.toMatchObject({ code: 'RAFT_CONNECTION_LOST' })
    expect(pipeline.closed).toBe(true)
  })
})
