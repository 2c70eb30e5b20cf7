import type { RpcHandler } from '@raftkit/interface'
import { NetworkTransport } from '@raftkit/transport-network'
import { encodeErrorResponse, encodeRequest, encodeResponse } from '@raftkit/wire'
import { describe, expect, it } from 'vitest'
import {
  appended,
  deferred,
  forward,
  header,
  heartbeat,
  obliging,
  openPair,
  peerB,
  preVote,
  RawEnd,
  settle,
} from './fixtures.ts'
import { MemoryNetwork, type MemoryConnection } from './memory-streams.ts'

/** A transport at a:1 and, at b:1, plain bytes: `onConnection` gets each accepted end. */
async function openAgainstBytes(onConnection: (end: RawEnd, index: number) => void) {
  const pair = await openPair()
  await pair.b.close()
  const stream = pair.network.layer('b:1')
  const ends: RawEnd[] = []
  await stream.listen((connection) => {
    const end = new RawEnd(connection)
    ends.push(end)
    onConnection(end, ends.length - 1)
  })
  return { ...pair, streamB: stream, ends }
}

describe('call', () => {
  it('carries every kind of request and answer', async () => {
    const { a } = await openPair()
    const { type: _type, ...fields } = preVote
    expect(await a.call(peerB, heartbeat(7))).toEqual(appended(7))
    expect(await a.call(peerB, preVote)).toMatchObject({ granted: true, term: 2 })
    expect(
      await a.call(peerB, { ...fields, type: 'request-vote', leadershipTransfer: false }),
    ).toMatchObject({ granted: true })
    expect(await a.call(peerB, { type: 'timeout-now', header })).toMatchObject({ header })
    const answer = await a.call(peerB, forward(1, 2, 3))
    expect([...answer.payload]).toEqual([1, 2, 3])
  })

  it('sends a request in one write', async () => {
    const { a, streamA } = await openPair()
    await a.call(peerB, forward(1, 2, 3))
    expect(streamA.dialled[0]?.writes).toHaveLength(1)
  })

  it('rejects with the text of the error that the handler throws, and keeps the connection', async () => {
    const { a, b, streamA } = await openPair()
    const handlers: RpcHandler[] = [
      () => {
        throw new Error('no such luck')
      },
      async () => Promise.reject(new Error('not now')),
      () => ({ type: 'timeout-now', header }),
    ]
    const texts = ['no such luck', 'not now', 'answered append-entries with timeout-now']
    for (const [index, handler] of handlers.entries()) {
      b.setHandler(handler)
      await expect(a.call(peerB, heartbeat())).rejects.toMatchObject({
        code: 'RAFT_REMOTE_ERROR',
        details: { remoteMessage: expect.stringContaining(texts[index]!) as string },
      })
    }
    expect(streamA.dials).toBe(1)
  })

  it('takes a stream layer that throws for one that cannot connect, and counts no connection', async () => {
    const stream = new MemoryNetwork().layer('a:1')
    const dial = (): never => {
      throw new Error('bad address')
    }
    Object.assign(stream, { dial })
    await using a = await NetworkTransport.open({ stream, maxConnectionsPerAddress: 1 })
    for (let call = 0; call < 2; call++)
      await expect(a.call(peerB, heartbeat())).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED' })
  })

  it('is answered with an error before there is a handler', async () => {
    const network = new MemoryNetwork()
    const stream = network.layer('c:1')
    await using c = await NetworkTransport.open({ stream })
    const end = await RawEnd.dial(network.layer('raw:1'), 'c:1')
    end.send(...encodeRequest(heartbeat()))
    const expected = encodeErrorResponse('this server is starting and takes no requests yet')
    expect(await end.receive(expected.length)).toEqual(expected)
    expect(c.stats().inboundConnections).toBe(1)
  })

  it('rejects when the time is up, whatever comes later, and ends the connection', async () => {
    const { a, b, clock, streamA } = await openPair()
    const answer = deferred<ReturnType<typeof appended>>()
    b.setHandler(() => answer.promise)
    const late = a.call(peerB, heartbeat(1), { timeoutMs: 100 })
    await settle()
    clock.advance(99)
    await settle()
    clock.advance(1)
    await expect(late).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT', retryable: true })
    expect(streamA.dialled[0]?.destroyed).toBe(true)
    b.setHandler(async () => appended(2))
    answer.resolve(appended(1))
    expect(await a.call(peerB, heartbeat(2))).toMatchObject({ term: 2 })
    expect(a.stats().idleConnections).toBe(1)
  })

  it('counts the dial in its time', async () => {
    const { a, clock, streamA } = await openPair()
    streamA.onDial = () => new Promise(() => {})
    const late = a.call(peerB, heartbeat(), { timeoutMs: 100 })
    clock.advance(100)
    await expect(late).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
  })

  it('ends a connection that comes after its time was up', async () => {
    const { a, clock, streamA } = await openPair()
    const gate = deferred<void>()
    streamA.heedsSignals = false
    streamA.onDial = () => gate.promise
    const late = a.call(peerB, heartbeat(), { timeoutMs: 100 })
    clock.advance(100)
    await expect(late).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
    gate.resolve()
    await settle()
    expect(streamA.dialled[0]?.destroyed).toBe(true)
    expect(a.stats().outboundConnections).toBe(0)
  })

  it('tells the stream layer to give up a dial', async () => {
    const { a, streamA } = await openPair()
    let seen: AbortSignal | undefined
    streamA.onDial = (_address, signal) => {
      seen = signal
      return new Promise(() => {})
    }
    const controller = new AbortController()
    const call = a.call(peerB, heartbeat(), { signal: controller.signal })
    const reason = new Error('changed my mind')
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
    expect(seen?.reason).toBe(reason)
  })

  it('rejects with the reason of its signal, before, while and after it is sent', async () => {
    const { a, b, streamA } = await openPair()
    const reason = new Error('enough')
    await expect(a.call(peerB, heartbeat(), { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    expect(streamA.dials).toBe(0)
    b.setHandler(() => new Promise(() => {}))
    const controller = new AbortController()
    const call = a.call(peerB, heartbeat(), { signal: controller.signal })
    await settle()
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
    expect(streamA.dialled[0]?.destroyed).toBe(true)
  })

  it('leaves nothing on the signal of a call that succeeded', async () => {
    const { a } = await openPair()
    const controller = new AbortController()
    await a.call(peerB, heartbeat(), { signal: controller.signal })
    controller.abort(new Error('too late'))
    expect(a.stats().idleConnections).toBe(1)
    await a.call(peerB, heartbeat())
  })

  it.each([2 ** 31, Infinity])(
    'has a time limit of %d, as long as timers can do',
    async (timeoutMs) => {
      const { a } = await openPair()
      expect(await a.call(peerB, heartbeat(), { timeoutMs })).toMatchObject({ success: true })
    },
  )

  it.each([0, -1, Number.NaN])('refuses a time limit of %d', async (timeoutMs) => {
    const { a } = await openPair()
    await expect(a.call(peerB, heartbeat(), { timeoutMs })).rejects.toMatchObject({
      code: 'RAFT_INVALID_ARGUMENT',
    })
  })

  it('rejects when the connection ends before the answer', async () => {
    const { a, ends } = await openAgainstBytes(() => {})
    const call = a.call(peerB, heartbeat())
    await settle()
    ends[0]?.close()
    await expect(call).rejects.toMatchObject({
      code: 'RAFT_CONNECTION_LOST',
      retryable: true,
      details: { address: 'b:1', reused: false },
    })
  })

  it.each([
    ['bytes that are no answer', Uint8Array.of(0xff, 0xff)],
    ['an answer and more', Uint8Array.from([...encodeResponse(appended()), 0xa0])],
  ])('ends a connection on which come %s', async (_what, bytes) => {
    const { a, streamA } = await openAgainstBytes((end) => end.send(bytes))
    const call = a.call(peerB, heartbeat())
    await call.catch(() => {})
    await settle()
    expect(streamA.dialled[0]?.destroyed).toBe(true)
    expect(a.stats()).toMatchObject({ outboundConnections: 0, idleConnections: 0 })
  })

  it('takes an answer that comes byte by byte', async () => {
    const { a } = await openAgainstBytes((end) => {
      for (const byte of encodeResponse(appended(9))) end.send(Uint8Array.of(byte))
    })
    expect(await a.call(peerB, heartbeat())).toMatchObject({ term: 9 })
  })

  it('refuses a message that cannot be encoded and keeps the connection', async () => {
    const { a, streamA } = await openPair()
    await a.call(peerB, heartbeat())
    await expect(a.call(peerB, heartbeat(-1))).rejects.toMatchObject({
      code: 'RAFT_INVALID_ARGUMENT',
    })
    await a.call(peerB, heartbeat())
    expect(streamA.dials).toBe(1)
  })
})

describe('a request that the other server does not know', () => {
  it.each([preVote, forward(1)])(
    'is unsupported when a connection of its own is closed without an answer: $type',
    async (request) => {
      const { a } = await openAgainstBytes((end) => setImmediate(() => end.close()))
      await expect(a.call(peerB, request)).rejects.toMatchObject({
        code: 'RAFT_RPC_UNSUPPORTED',
        details: { address: 'b:1', type: request.type },
      })
    },
  )

  it('is unsupported when the close comes as a reset', async () => {
    const { a, streamA } = await openAgainstBytes(() => {})
    const call = a.call(peerB, preVote)
    await settle()
    streamA.dialled[0]?.break(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
    await expect(call).rejects.toMatchObject({ code: 'RAFT_RPC_UNSUPPORTED' })
  })

  it('is not unsupported when the network broke, when bytes of an answer came, or for other requests', async () => {
    const { a, streamA, ends } = await openAgainstBytes(() => {})
    const broken = a.call(peerB, preVote)
    await settle()
    streamA.dialled[0]?.break(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }))
    await expect(broken).rejects.toMatchObject(lost)
    const half = a.call(peerB, preVote)
    await settle()
    ends[1]?.send(Uint8Array.of(0xa0))
    ends[1]?.close()
    await expect(half).rejects.toMatchObject(lost)
    const vote = a.call(peerB, heartbeat())
    await settle()
    ends[2]?.close()
    await expect(vote).rejects.toMatchObject(lost)
  })

  it.each([preVote, forward(1)])(
    'is sent on a connection of its own until it was answered once: $type',
    async (request) => {
      const { a, streamA } = await openPair()
      await a.call(peerB, heartbeat())
      await a.call(peerB, request)
      expect(streamA.dials).toBe(2)
      await a.call(peerB, request)
      await a.call(peerB, heartbeat())
      expect(streamA.dials).toBe(2)
    },
  )

  /** Puts a server in place of b that closes every connection at once. */
  async function replaceB({ b, network }: Awaited<ReturnType<typeof openPair>>): Promise<void> {
    await b.close()
    await network
      .layer('b:1')
      .listen((connection) => setImmediate(() => new RawEnd(connection).close()))
  }

  const lost = { code: 'RAFT_CONNECTION_LOST' }
  const unsupported = { code: 'RAFT_RPC_UNSUPPORTED', outcome: 'unknown' }

  it('is a lost connection where pre-vote was answered before, unless that lasts', async () => {
    const pair = await openPair({ maxPool: 0 })
    await pair.a.call(peerB, preVote)
    await replaceB(pair)
    await expect(pair.a.call(peerB, preVote)).rejects.toMatchObject(lost)
    await expect(pair.a.call(peerB, preVote)).rejects.toMatchObject(lost)
    pair.clock.advance(1001)
    await expect(pair.a.call(peerB, preVote)).rejects.toMatchObject(unsupported)
    await expect(pair.a.call(peerB, forward(1))).rejects.toMatchObject(unsupported)
  })

  it('is always a lost connection where a forwarded request was answered before', async () => {
    const pair = await openPair({ maxPool: 0 })
    pair.b.setHandler(() => {
      throw new Error('not now')
    })
    await expect(pair.a.call(peerB, forward(1))).rejects.toMatchObject({
      code: 'RAFT_REMOTE_ERROR',
    })
    await replaceB(pair)
    for (let call = 0; call < 3; call += 1) {
      await expect(pair.a.call(peerB, forward(1))).rejects.toMatchObject(lost)
      pair.clock.advance(10_000)
    }
  })

  const extended = { ...header, address: 'b:1', extensionLevel: 1 }

  it('is a lost connection where an answer said that it is raftkit', async () => {
    const pair = await openPair({ maxPool: 0 })
    pair.b.setHandler(() => ({ ...appended(), header: extended }))
    await pair.a.call(peerB, heartbeat())
    await replaceB(pair)
    await expect(pair.a.call(peerB, forward(1))).rejects.toMatchObject(lost)
    await expect(pair.a.call(peerB, preVote)).rejects.toMatchObject(lost)
  })

  it('is a lost connection where a request said that it is raftkit, until one says that it is not', async () => {
    const pair = await openPair({ maxPool: 0 })
    pair.a.setHandler(obliging)
    const peerA = { id: 'a', address: 'a:1' }
    await pair.b.call(peerA, { ...heartbeat(), header: extended })
    await pair.b.call(peerA, { ...heartbeat(), header: { ...extended, address: 'c:1' } })
    await replaceB(pair)
    await expect(pair.a.call(peerB, forward(1))).rejects.toMatchObject(lost)
    const end = await RawEnd.dial(pair.network.layer('raw:1'), 'a:1')
    end.send(...encodeRequest({ ...heartbeat(), header: { ...header, address: 'b:1' } }))
    await end.receive(1)
    await expect(pair.a.call(peerB, forward(1))).rejects.toMatchObject(unsupported)
  })

  it('remembers only so many addresses', async () => {
    const pair = await openPair({ maxPool: 0 })
    pair.a.setHandler(obliging)
    const peerA = { id: 'a', address: 'a:1' }
    const pipeline = await pair.b.openPipeline(peerA)
    await pipeline.send({ ...heartbeat(), header: extended })
    for (let sender = 0; sender < 1024; sender += 1)
      await pipeline.send({ ...heartbeat(), header: { ...extended, address: `c${sender}:1` } })
    await replaceB(pair)
    await expect(pair.a.call(peerB, forward(1))).rejects.toMatchObject(unsupported)
    await expect(pair.a.call(peerB, preVote)).rejects.toMatchObject(unsupported)
  })

  it('is unsupported when the answer says so', async () => {
    const { a, b } = await openPair()
    b.setHandler(() => {
      throw new Error('unexpected command')
    })
    await expect(a.call(peerB, preVote)).rejects.toMatchObject({
      code: 'RAFT_RPC_UNSUPPORTED',
      outcome: 'not-committed',
      details: { remoteMessage: 'unexpected command' },
    })
  })
})

describe('the pool', () => {
  async function inParallel(count: number, pair: Awaited<ReturnType<typeof openPair>>) {
    const gate = deferred<void>()
    pair.b.setHandler(async (request, context) => {
      await gate.promise
      return obliging(request, context)
    })
    const calls = Array.from({ length: count }, (_, term) => pair.a.call(peerB, heartbeat(term)))
    await settle()
    gate.resolve()
    await Promise.all(calls)
    pair.b.setHandler(obliging)
  }

  it('uses a connection again', async () => {
    const { a, streamA } = await openPair()
    for (let call = 0; call < 5; call += 1) await a.call(peerB, heartbeat())
    expect(streamA.dials).toBe(1)
    expect(a.stats()).toEqual({ inboundConnections: 0, outboundConnections: 1, idleConnections: 1 })
  })

  it('keeps at most maxPool idle ones and ends the others', async () => {
    const pair = await openPair({ maxPool: 2 })
    await inParallel(5, pair)
    expect(pair.streamA.dials).toBe(5)
    expect(pair.a.stats()).toMatchObject({ outboundConnections: 2, idleConnections: 2 })
  })

  it('keeps none when maxPool is 0', async () => {
    const { a, streamA } = await openPair({ maxPool: 0 })
    await a.call(peerB, heartbeat())
    await a.call(peerB, heartbeat())
    expect(streamA.dials).toBe(2)
    expect(a.stats().outboundConnections).toBe(0)
  })

  it('takes the one that was used last, so that the others expire', async () => {
    const pair = await openPair({ idleTimeoutMs: 1000 })
    await inParallel(3, pair)
    for (let call = 0; call < 3; call += 1) {
      pair.clock.advance(400)
      await pair.a.call(peerB, heartbeat())
    }
    expect(pair.a.stats().idleConnections).toBe(1)
    const used = pair.streamA.dialled.map(
      (connection: MemoryConnection) => connection.writes.length,
    )
    expect(used.toSorted((x, y) => x - y)).toEqual([1, 1, 4])
    pair.clock.advance(999)
    expect(pair.a.stats().idleConnections).toBe(1)
    pair.clock.advance(1)
    expect(pair.a.stats()).toMatchObject({ outboundConnections: 0, idleConnections: 0 })
    await settle()
    expect(pair.clock.timers).toBe(0)
  })

  it('drops a connection at once that the other side closes', async () => {
    const { a, streamA, streamB } = await openPair()
    await a.call(peerB, heartbeat())
    streamB.accepted[0]?.destroy()
    await settle()
    expect(a.stats()).toMatchObject({ outboundConnections: 0, idleConnections: 0 })
    await a.call(peerB, heartbeat())
    expect(streamA.dials).toBe(2)
  })

  it('drops a connection on which bytes come that nobody asked for', async () => {
    const { a, streamB } = await openPair()
    await a.call(peerB, heartbeat())
    streamB.accepted[0]?.write([encodeResponse(appended(99))])
    await settle()
    expect(a.stats().idleConnections).toBe(0)
    expect(await a.call(peerB, heartbeat(1))).toMatchObject({ term: 1 })
  })

  it('drops every idle connection to an address that let a call run out of time', async () => {
    const pair = await openPair()
    await inParallel(3, pair)
    expect(pair.a.stats().idleConnections).toBe(3)
    pair.b.setHandler(() => new Promise(() => {}))
    const late = pair.a.call(peerB, heartbeat(), { timeoutMs: 100 })
    await settle()
    pair.clock.advance(100)
    await expect(late).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
    expect(pair.a.stats()).toMatchObject({ outboundConnections: 0, idleConnections: 0 })
  })

  it('does not try again when a used connection turns out to be dead', async () => {
    const { a, b, streamA, streamB } = await openPair()
    await a.call(peerB, heartbeat())
    const received: number[] = []
    b.setHandler(() => {
      received.push(1)
      return new Promise(() => {})
    })
    const call = a.call(peerB, heartbeat())
    await settle()
    streamB.accepted[0]?.destroy()
    await expect(call).rejects.toMatchObject({
      code: 'RAFT_CONNECTION_LOST',
      details: { reused: true },
    })
    expect(received).toHaveLength(1)
    expect(streamA.dials).toBe(1)
  })

  it('keeps the addresses apart', async () => {
    const { a, network } = await openPair()
    await using c = await NetworkTransport.open({ stream: network.layer('c:1') })
    c.setHandler(async () => appended(3))
    await a.call(peerB, heartbeat())
    expect(await a.call({ id: 'c', address: 'c:1' }, heartbeat(1))).toMatchObject({ term: 3 })
    expect(await a.call(peerB, heartbeat(1))).toMatchObject({ term: 1 })
  })
})
