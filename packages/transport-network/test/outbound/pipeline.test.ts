import type { AppendEntriesResponse, RpcHandler } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { appended, deferred, heartbeat, openPair, peerB, settle } from '../fixtures.ts'

/** A handler that keeps every request until the test answers it. */
function patient() {
  const waiting: ReturnType<typeof deferred<AppendEntriesResponse>>[] = []
  const terms: number[] = []
  const handler: RpcHandler = (request) => {
    if (request.type === 'append-entries') terms.push(request.term)
    const answer = deferred<AppendEntriesResponse>()
    waiting.push(answer)
    return answer.promise
  }
  return { waiting, terms, handler }
}

describe('a pipeline', () => {
  it('sends ahead, on a connection of its own, and answers each', async () => {
    const { a, b, streamA } = await openPair()
    const { waiting, terms, handler } = patient()
    b.setHandler(handler)
    const pipeline = await a.openPipeline(peerB)
    const sent = [1, 2, 3].map((term) => pipeline.send(heartbeat(term)))
    await settle()
    expect(terms).toEqual([1, 2, 3])
    waiting.toReversed().forEach((answer, at) => answer.resolve(appended(30 - at * 10)))
    expect((await Promise.all(sent)).map(({ term }) => term)).toEqual([10, 20, 30])
    expect(streamA.dials).toBe(1)
    expect(a.stats()).toMatchObject({ outboundConnections: 1, idleConnections: 0 })
  })

  it('sends what is given in one turn in one write', async () => {
    const { a, streamA, streamB } = await openPair()
    const pipeline = await a.openPipeline(peerB)
    await Promise.all([1, 2, 3, 4].map((term) => pipeline.send(heartbeat(term))))
    expect(streamA.dialled[0]?.writes).toHaveLength(1)
    expect(streamB.accepted[0]?.writes).toHaveLength(1)
    await pipeline.send(heartbeat(5))
    expect(streamA.dialled[0]?.writes).toHaveLength(2)
  })

  it('does not make calls wait', async () => {
    const { a, b, streamA } = await openPair()
    b.setHandler((request) =>
      request.type === 'append-entries' && request.term > 1 ? new Promise(() => {}) : appended(),
    )
    const pipeline = await a.openPipeline(peerB)
    const stuck = pipeline.send(heartbeat(2))
    expect(await a.call(peerB, heartbeat(1))).toMatchObject({ success: true })
    expect(streamA.dials).toBe(2)
    pipeline.close()
    await expect(stuck).rejects.toMatchObject({ code: 'RAFT_PIPELINE_CLOSED' })
  })

  it('is bounded by its count and then not writable', async () => {
    const { a, b } = await openPair({ maxPipelineInflight: 2 })
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const pipeline = await a.openPipeline(peerB)
    expect(pipeline.writable).toBe(true)
    const first = pipeline.send(heartbeat(1))
    void pipeline.send(heartbeat(2))
    expect(pipeline.writable).toBe(false)
    await expect(pipeline.send(heartbeat(3))).rejects.toMatchObject({
      code: 'RAFT_OVERLOADED',
      retryable: true,
    })
    expect(pipeline.closed).toBe(false)
    await settle()
    waiting[0]?.resolve(appended())
    await first
    expect(pipeline.writable).toBe(true)
    waiting[1]?.resolve(appended())
    await settle()
  })

  it('is not writable while the connection’s buffer is full', async () => {
    const { a, streamA } = await openPair()
    const pipeline = await a.openPipeline(peerB)
    const connection = streamA.dialled[0]!
    connection.bufferBytes = 10
    connection.other.held = true
    const sent = pipeline.send(heartbeat())
    await settle()
    expect(pipeline.writable).toBe(false)
    connection.other.release()
    await sent
    expect(pipeline.writable).toBe(true)
  })

  it('goes on after a request that failed at the other side', async () => {
    const { a, b } = await openPair()
    b.setHandler((request) => {
      if (request.type === 'append-entries' && request.term === 1) throw new Error('disk full')
      return appended(2)
    })
    const pipeline = await a.openPipeline(peerB)
    const [first, second] = [pipeline.send(heartbeat(1)), pipeline.send(heartbeat(2))]
    await expect(first).rejects.toMatchObject({ code: 'RAFT_REMOTE_ERROR' })
    expect(await second).toMatchObject({ term: 2 })
    expect(pipeline.closed).toBe(false)
  })

  it('goes on after a request that cannot be encoded', async () => {
    const { a } = await openPair()
    const pipeline = await a.openPipeline(peerB)
    await expect(pipeline.send(heartbeat(0.5))).rejects.toMatchObject({
      code: 'RAFT_INVALID_ARGUMENT',
    })
    expect(await pipeline.send(heartbeat(2))).toMatchObject({ term: 2 })
  })

  it('rejects everything outstanding when the connection breaks, and is closed for good', async () => {
    const { a, b, streamB } = await openPair()
    b.setHandler(() => new Promise(() => {}))
    const pipeline = await a.openPipeline(peerB)
    const sent = [1, 2, 3].map((term) => pipeline.send(heartbeat(term)))
    await settle()
    streamB.accepted[0]?.destroy()
    for (const each of sent)
      await expect(each).rejects.toMatchObject({ code: 'RAFT_CONNECTION_LOST' })
    expect(pipeline.closed).toBe(true)
    expect(pipeline.writable).toBe(false)
    await expect(pipeline.send(heartbeat())).rejects.toMatchObject({ code: 'RAFT_PIPELINE_CLOSED' })
    pipeline.close()
  })

  it('gives each answer the whole timeout, counted from the answer before', async () => {
    const { a, b, clock } = await openPair({ timeoutMs: 100 })
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const pipeline = await a.openPipeline(peerB)
    const sent = [1, 2, 3].map((term) => pipeline.send(heartbeat(term)))
    await settle()
    for (const answer of [0, 1]) {
      clock.advance(90)
      waiting[answer]?.resolve(appended())
      await sent[answer]
    }
    clock.advance(99)
    await settle()
    expect(pipeline.closed).toBe(false)
    clock.advance(1)
    await expect(sent[2]).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
    expect(pipeline.closed).toBe(true)
  })

  it('may be idle for as long as it likes, and sends again', async () => {
    const { a, b, clock } = await openPair({ timeoutMs: 100 })
    const pipeline = await a.openPipeline(peerB)
    clock.advance(50)
    await pipeline.send(heartbeat())
    clock.advance(1_000_000)
    await settle()
    expect(pipeline.closed).toBe(false)
    b.setHandler(() => new Promise(() => {}))
    const late = pipeline.send(heartbeat())
    clock.advance(99)
    await settle()
    expect(pipeline.closed).toBe(false)
    clock.advance(1)
    await expect(late).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
  })

  it('outlives the signal and the time limit that it was opened with', async () => {
    const { a, clock } = await openPair()
    const controller = new AbortController()
    const pipeline = await a.openPipeline(peerB, { signal: controller.signal, timeoutMs: 10 })
    controller.abort()
    clock.advance(100)
    expect(await pipeline.send(heartbeat())).toMatchObject({ success: true })
  })

  it('closes twice without harm and leaves no timer', async () => {
    const { a, b, clock } = await openPair()
    b.setHandler(() => new Promise(() => {}))
    const pipeline = await a.openPipeline(peerB)
    const sent = pipeline.send(heartbeat())
    pipeline.close()
    pipeline.close()
    await expect(sent).rejects.toMatchObject({ code: 'RAFT_PIPELINE_CLOSED' })
    await settle()
    expect(clock.timers).toBe(0)
  })
})
