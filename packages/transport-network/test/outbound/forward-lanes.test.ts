import type { ForwardResponse, RpcHandler } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import {
  deferred,
  forward,
  header,
  heartbeat,
  openPair,
  peerB,
  RawEnd,
  settle,
} from '../fixtures.ts'

function patient() {
  const waiting: (() => void)[] = []
  const handler: RpcHandler = (request) => {
    if (request.type !== 'forward') throw new Error('not a forward')
    const answer = deferred<ForwardResponse>()
    waiting.push(() => answer.resolve({ type: 'forward', header, payload: request.payload }))
    return answer.promise
  }
  return { waiting, handler }
}

describe('forwarded requests', () => {
  it('share a connection and each get their own answer', async () => {
    const { a, b, streamA } = await openPair()
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const calls = Array.from({ length: 50 }, (_, at) => a.call(peerB, forward(at)))
    await settle()
    expect(waiting).toHaveLength(50)
    for (const answer of waiting.toReversed()) answer()
    const answers = await Promise.all(calls)
    expect(answers.map(({ payload }) => payload[0])).toEqual([...Array(50).keys()])
    expect(streamA.dials).toBe(1)
    expect(streamA.dialled[0]?.writes).toHaveLength(1)
    expect(a.stats().idleConnections).toBe(1)
  })

  it('one after the other use one connection, and one that is idle', async () => {
    const { a, streamA } = await openPair()
    await a.call(peerB, forward(1))
    for (let call = 0; call < 5; call += 1) await a.call(peerB, forward(1))
    await a.call(peerB, heartbeat())
    expect(streamA.dials).toBe(1)
  })

  it('use more connections when they are many, all within what a server takes at once', async () => {
    const { a, b, streamA } = await openPair()
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const calls = Array.from({ length: 300 }, () => a.call(peerB, forward(1)))
    await settle()
    expect(waiting).toHaveLength(300)
    expect(streamA.dials).toBe(5)
    for (const answer of waiting) answer()
    await Promise.all(calls)
    expect(a.stats()).toMatchObject({ outboundConnections: 3, idleConnections: 3 })
  })

  it('are refused beyond maxForwardInflight with nothing sent', async () => {
    const { a, b } = await openPair({ maxForwardInflight: 2 })
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const calls = [a.call(peerB, forward(1)), a.call(peerB, forward(2))]
    await expect(a.call(peerB, forward(3))).rejects.toMatchObject({
      code: 'RAFT_OVERLOADED',
      retryable: true,
      outcome: 'not-committed',
    })
    await settle()
    expect(waiting).toHaveLength(2)
    for (const answer of waiting) answer()
    await Promise.all(calls)
  })

  it('do not make other calls wait', async () => {
    const { a, b } = await openPair()
    b.setHandler((request) =>
      request.type === 'forward' ? new Promise(() => {}) : { type: 'timeout-now', header },
    )
    const stuck = a.call(peerB, forward(1), { timeoutMs: 50 })
    await a.call(peerB, { type: 'timeout-now', header })
    await a.close()
    await expect(stuck).rejects.toMatchObject({ code: 'RAFT_TRANSPORT_CLOSED' })
  })

  it('can be given up one by one without harm to the others', async () => {
    const { a, b, streamA } = await openPair()
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const controller = new AbortController()
    const abandoned = a.call(peerB, forward(1), { signal: controller.signal })
    const kept = a.call(peerB, forward(2))
    await settle()
    controller.abort(new Error('enough'))
    await expect(abandoned).rejects.toThrow('enough')
    for (const answer of waiting) answer()
    expect([...(await kept).payload]).toEqual([2])
    expect(streamA.dials).toBe(1)
    expect(a.stats().idleConnections).toBe(1)
  })

  it('that run out of time send the next ones elsewhere, and the others may still be answered', async () => {
    const { a, b, clock, streamA } = await openPair()
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const late = a.call(peerB, forward(1), { timeoutMs: 50 })
    const kept = a.call(peerB, forward(2), { timeoutMs: 500 })
    await settle()
    clock.advance(50)
    await expect(late).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
    const next = a.call(peerB, forward(3))
    await settle()
    expect(streamA.dials).toBe(2)
    for (const answer of waiting) answer()
    expect([...(await kept).payload]).toEqual([2])
    expect([...(await next).payload]).toEqual([3])
  })

  it('end the connection when nobody waits and an answer is still to come', async () => {
    const { a, b, clock, streamA } = await openPair()
    b.setHandler(() => new Promise(() => {}))
    const calls = [
      a.call(peerB, forward(1), { timeoutMs: 50 }),
      a.call(peerB, forward(2), { timeoutMs: 60 }),
    ]
    await settle()
    clock.advance(50)
    expect(streamA.dialled[0]?.destroyed).toBe(false)
    clock.advance(10)
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
    expect(streamA.dialled[0]?.destroyed).toBe(true)
    expect(a.stats()).toMatchObject({ outboundConnections: 0, idleConnections: 0 })
  })

  it('that are given up while the connection is made are not sent, and the connection is kept', async () => {
    const { a, streamA } = await openPair()
    const gate = deferred<void>()
    streamA.onDial = () => gate.promise
    const controller = new AbortController()
    const call = a.call(peerB, forward(1), { signal: controller.signal })
    await settle()
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    gate.resolve()
    await settle()
    expect(streamA.dialled[0]?.writes).toEqual([])
    expect(a.stats()).toMatchObject({ outboundConnections: 1, idleConnections: 1 })
  })

  it('all fail when the dial fails', async () => {
    const { a, streamA } = await openPair()
    streamA.onDial = async () => Promise.reject(new Error('refused'))
    const calls = [a.call(peerB, forward(1)), a.call(peerB, forward(2))]
    for (const call of calls)
      await expect(call).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED', retryable: true })
    expect(streamA.dials).toBe(1)
  })

  it('all fail when the dial takes too long', async () => {
    const { a, clock, streamA } = await openPair({ dialTimeoutMs: 100 })
    streamA.onDial = () => new Promise(() => {})
    const calls = [a.call(peerB, forward(1)), a.call(peerB, forward(2))]
    const settled = Promise.allSettled(calls)
    clock.advance(100)
    for (const outcome of await settled)
      expect(outcome).toMatchObject({ reason: { code: 'RAFT_DIAL_FAILED', retryable: true } })
    expect(streamA.dials).toBe(1)
  })

  it('are all unsupported where one is', async () => {
    const { a, b, network } = await openPair()
    await b.close()
    await network.layer('b:1').listen((connection) => {
      const end = new RawEnd(connection)
      setImmediate(() => end.close())
    })
    const calls = [a.call(peerB, forward(1)), a.call(peerB, forward(2))]
    for (const call of calls)
      await expect(call).rejects.toMatchObject({ code: 'RAFT_RPC_UNSUPPORTED' })
  })
})
