import assert from 'node:assert/strict'
import type {
  AppendEntriesResponse,
  AppendPipeline,
  RpcHandler,
  Transport,
} from '@raftkit/interface'
import { occasion, watched } from '../occasion.ts'
import { rejectionOf, rejectsBeforeDeadline, rejectsWith } from '../rejection.ts'
import { voteOf } from './calls.ts'
import { aborted, nobody, peerOf, recordingHandler, silentHandler } from './case.ts'
import type { OpenMore, TransportCase } from './case.ts'
import { answerTo, appendEntries, assertSameMessage } from './messages.ts'

/** Cases about what passes through a pipeline. */
export function pipelineCases(test: TransportCase): void {
  test('hands pipelined requests over before the first is answered, in order', async (a, b) => {
    const received: number[] = []
    const release = occasion()
    b.setHandler(async (request) => {
      if (request.type === 'append-entries') received.push(request.term)
      if (received.length === 5) release.happen()
      await release.promise
      return answerTo(request)
    })
    const pipeline = await a.openPipeline(peerOf(b))
    const terms = [1, 2, 3, 4, 5]
    const answers = await Promise.all(terms.map((term) => pipeline.send(appendEntries(term))))
    assert.deepEqual(received, terms)
    assert.deepEqual(termsOf(answers), terms)
    pipeline.close()
  })

  test('answers in the order of the sends when the handler finishes in reverse', async (a, b) => {
    const releases = new Map<number, () => void>()
    const allThere = occasion()
    b.setHandler(async (request) => {
      const term = request.type === 'append-entries' ? request.term : 0
      const release = occasion()
      releases.set(term, () => release.happen())
      if (releases.size === 4) allThere.happen()
      await release.promise
      return answerTo(request)
    })
    const pipeline = await a.openPipeline(peerOf(b))
    const settled: number[] = []
    const sends = [1, 2, 3, 4].map(async (term) => {
      const answer = await pipeline.send(appendEntries(term))
      assert.equal(answer.term, term, 'an answer belongs to its send')
      settled.push(term)
    })
    await allThere.promise
    for (const term of [4, 3, 2, 1]) releases.get(term)?.()
    await Promise.all(sends)
    assert.deepEqual(settled, [1, 2, 3, 4])
    pipeline.close()
  })

  flowCases(test)
}

function flowCases(test: TransportCase): void {
  test('carries thousands of sends, each whole, in order', async (a, b) => {
    const { handler, received } = recordingHandler()
    b.setHandler(handler)
    const pipeline = await a.openPipeline(peerOf(b))
    const count = 2000
    const outstanding: Promise<AppendEntriesResponse>[] = []
    const answers: AppendEntriesResponse[] = []
    for (let term = 1; term <= count; term++) {
      outstanding.push(watched(pipeline.send(appendEntries(term, term % 300))))
      while (!pipeline.writable && outstanding.length > 0) answers.push(await outstanding.shift()!)
    }
    answers.push(...(await Promise.all(outstanding)))
    assert.deepEqual(
      termsOf(answers),
      Array.from({ length: count }, (_, i) => i + 1),
    )
    assert.equal(received.length, count)
    for (const [i, { request }] of received.entries())
      assertSameMessage(request, appendEntries(i + 1, (i + 1) % 300))
    pipeline.close()
  })

  test('carries heartbeats and appends without entries', async (a, b) => {
    const { handler, received } = recordingHandler()
    b.setHandler(handler)
    const pipeline = await a.openPipeline(peerOf(b))
    const requests = [null, []].map((entries) => ({ ...appendEntries(4), entries }))
    await Promise.all(requests.map((request) => pipeline.send(request)))
    for (const [i, request] of requests.entries()) assertSameMessage(received[i]?.request, request)
    pipeline.close()
  })

  test('is not writable for ever when the peer does not answer, and lets calls pass', async (a, b) => {
    b.setHandler(hangingOnAppends())
    const pipeline = await a.openPipeline(peerOf(b))
    const sends: Promise<unknown>[] = []
    const most = 1000
    while (pipeline.writable && sends.length < most)
      sends.push(watched(pipeline.send(appendEntries(1, 100_000))))
    assert.ok(sends.length < most, `${most} sends of 100 kB and still writable: where are they?`)
    assert.equal(await voteOf(a, b, 6), 6)
    pipeline.close()
    assert.equal(pipeline.writable, false)
    for (const send of sends) await rejectsWith(send, 'RAFT_PIPELINE_CLOSED')
  })
}

/** Cases about how pipelines fail and end. */
export function pipelineEndCases(test: TransportCase): void {
  test('rejects only the send whose handler failed', async (a, b) => {
    b.setHandler((request) => {
      if (request.type === 'append-entries' && request.term === 2) throw new Error('not two')
      return answerTo(request)
    })
    const pipeline = await a.openPipeline(peerOf(b))
    const [one, two, three] = [1, 2, 3].map((term) => watched(pipeline.send(appendEntries(term))))
    assert.equal((await one!).term, 1)
    assert.match((await rejectsWith(two!, 'RAFT_REMOTE_ERROR')).message, /not two/)
    assert.equal((await three!).term, 3)
    assert.equal((await pipeline.send(appendEntries(4))).term, 4)
    pipeline.close()
  })

  test('rejects what is outstanding when closed, and every send after', async (a, b) => {
    const { pipeline, sends, signal } = await stalled(a, b)
    pipeline.close()
    pipeline.close()
    assert.equal(pipeline.closed, true)
    for (const send of sends) await rejectsWith(send, 'RAFT_PIPELINE_CLOSED')
    await rejectsWith(pipeline.send(appendEntries(9)), 'RAFT_PIPELINE_CLOSED')
    await aborted(signal)
  })

  test('rejects what is outstanding when the peer goes away, and is closed', async (a, b) => {
    const { pipeline, sends } = await stalled(a, b)
    await b.close()
    for (const send of sends) await rejectsBeforeDeadline(send)
    assert.equal(pipeline.closed, true)
    assert.equal(pipeline.writable, false)
    await rejectsWith(pipeline.send(appendEntries(9)), 'RAFT_PIPELINE_CLOSED')
  })

  test('leaves another pipeline to the same peer alone', async (a, b) => {
    const { pipeline, sends } = await stalled(a, b)
    const other = await a.openPipeline(peerOf(b))
    pipeline.close()
    for (const send of sends) await rejectsWith(send, 'RAFT_PIPELINE_CLOSED')
    b.setHandler(answerTo)
    assert.equal((await other.send(appendEntries(3))).term, 3)
    assert.equal(other.closed, false)
    other.close()
  })

  test('rejects with RAFT_DIAL_FAILED where nobody listens', async (a, _b, more) => {
    await rejectsWith(a.openPipeline(await nobody(more)), 'RAFT_DIAL_FAILED')
  })

  test('is left alone when the signal of its opening is aborted later', async (a, b) => {
    b.setHandler(answerTo)
    const controller = new AbortController()
    const pipeline = await a.openPipeline(peerOf(b), { signal: controller.signal })
    const send = pipeline.send(appendEntries(1))
    controller.abort(new Error('too late'))
    assert.equal((await send).term, 1)
    assert.equal((await pipeline.send(appendEntries(2))).term, 2)
    assert.equal(pipeline.closed, false)
    pipeline.close()
  })

  test('does not open when the signal is aborted already', async (a, b) => {
    const reason = new Error('changed my mind')
    const opening = a.openPipeline(peerOf(b), { signal: AbortSignal.abort(reason) })
    assert.equal(await rejectionOf(opening), reason)
  })
}

/** Cases for transports whose connections the suite can break. */
export function breakCases(test: TransportCase): void {
  test('rejects what is outstanding when the connection breaks; a new pipeline works', breaks)
}

/** The proof of `breakConnections`. */
export async function breaks(a: Transport, b: Transport, more: OpenMore): Promise<void> {
  const { pipeline, sends, signal } = await stalled(a, b)
  await more.breakConnections(a, b)
  for (const send of sends) await rejectsBeforeDeadline(send)
  assert.equal(pipeline.closed, true)
  await aborted(signal)
  b.setHandler(answerTo)
  const next = await a.openPipeline(peerOf(b))
  assert.equal((await next.send(appendEntries(2))).term, 2)
  next.close()
}

/** A pipeline with three sends that the peer has got and does not answer. */
async function stalled(
  a: Transport,
  b: Transport,
): Promise<{ pipeline: AppendPipeline; sends: Promise<unknown>[]; signal: AbortSignal }> {
  const silent = silentHandler()
  b.setHandler(silent.handler)
  const pipeline = await a.openPipeline(peerOf(b))
  const sends = [1, 2, 3].map((term) => watched(pipeline.send(appendEntries(term))))
  const { context } = await silent.called
  assert.equal(context.signal.aborted, false)
  return { pipeline, sends, signal: context.signal }
}

function hangingOnAppends(): RpcHandler {
  return (request) =>
    request.type === 'append-entries' ? new Promise(() => {}) : answerTo(request)
}

function termsOf(answers: readonly AppendEntriesResponse[]): number[] {
  return answers.map((answer) => answer.term)
}
