import assert from 'node:assert/strict'
import type { RequestVoteRequest, Transport } from '@raftkit/interface'
import { watched } from '../occasion.ts'
import { rejectionOf, rejectsWith } from '../rejection.ts'
import { aborted, nobody, peerOf, recordingHandler, silentHandler } from './case.ts'
import type { TransportCase } from './case.ts'
import { answerTo, appendEntries, assertSameMessage, header } from './messages.ts'
import type { SampleExchange } from './messages.ts'

/** Cases about the messages: every field must arrive, both ways. */
export function messageCases(test: TransportCase, samples: readonly SampleExchange[]): void {
  for (const { title, request, response } of samples)
    test(`carries ${title}`, async (a, b) => {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const received = recordingHandler()
        to.setHandler((got, context) => {
          void received.handler(got, context)
          return response
        })
        assertSameMessage(await from.call(peerOf(to), request), response)
        assert.equal(received.received.length, 1, 'a request is handed over once')
        assertSameMessage(received.received[0]?.request, request)
      }
    })

  test('carries an append-entries of several MiB', async (a, b) => {
    const { handler, received } = recordingHandler()
    b.setHandler(handler)
    const request = appendEntries(3, 3 * 1024 * 1024)
    assertSameMessage(await a.call(peerOf(b), request), answerTo(request))
    assertSameMessage(received[0]?.request, request)
  })
}

/** A request type that the manifest denies must be refused, not lost. */
export function unsupportedCases(test: TransportCase, samples: readonly SampleExchange[]): void {
  for (const { title, request } of samples)
    test(`refuses ${title}, which its manifest denies`, async (a, b) => {
      const { handler } = recordingHandler()
      b.setHandler(handler)
      await rejectsWith(a.call(peerOf(b), request), 'RAFT_RPC_UNSUPPORTED')
    })
}

/** Cases about many calls at once. */
export function concurrencyCases(test: TransportCase): void {
  test('gives each of many calls at once its own answer', async (a, b) => {
    for (const transport of [a, b]) transport.setHandler(answerTo)
    const terms = Array.from({ length: 25 }, (_, i) => i + 1)
    const calls = terms.flatMap((term) => [voteOf(a, b, term), voteOf(b, a, term + 1000)])
    const answered = await Promise.all(calls)
    assert.deepEqual(
      answered,
      terms.flatMap((term) => [term, term + 1000]),
    )
  })

  test('does not keep a call waiting for a slower one before it', async (a, b) => {
    const silent = silentHandler()
    b.setHandler((request, context) =>
      request.type === 'timeout-now' ? silent.handler(request, context) : answerTo(request),
    )
    const slow = watched(a.call(peerOf(b), { type: 'timeout-now', header }))
    await silent.called
    assert.equal(await voteOf(a, b, 5), 5)
    await a.close()
    await rejectsWith(slow)
  })
}

/** Cases about calls that fail. */
export function failureCases(test: TransportCase): void {
  test('brings the error of a handler back as RAFT_REMOTE_ERROR', async (a, b) => {
    b.setHandler((request) => {
      if (request.type === 'timeout-now') throw new Error('thrown at once: größer')
      if (request.type === 'append-entries') return Promise.reject(new Error('rejected later'))
      return answerTo(request)
    })
    const thrown = a.call(peerOf(b), { type: 'timeout-now', header })
    assert.match((await rejectsWith(thrown, 'RAFT_REMOTE_ERROR')).message, /thrown at once: größer/)
    const rejected = a.call(peerOf(b), appendEntries(1))
    assert.match((await rejectsWith(rejected, 'RAFT_REMOTE_ERROR')).message, /rejected later/)
    assert.equal(await voteOf(a, b, 5), 5)
  })

  test('answers with an error as long as there is no handler', async (a, b) => {
    await rejectsWith(a.call(peerOf(b), vote(1)), 'RAFT_REMOTE_ERROR')
    b.setHandler(answerTo)
    assert.equal(await voteOf(a, b, 2), 2)
  })

  test('rejects with RAFT_DIAL_FAILED where nobody listens', async (a, _b, more) => {
    await rejectsWith(a.call(await nobody(more), vote(1)), 'RAFT_DIAL_FAILED')
  })

  test('rejects with RAFT_RPC_TIMEOUT at the deadline, and goes on', async (a, b) => {
    const silent = silentHandler()
    b.setHandler(silent.handler)
    await rejectsWith(a.call(peerOf(b), vote(1), { timeoutMs: 50 }), 'RAFT_RPC_TIMEOUT')
    b.setHandler(answerTo)
    assert.equal(await voteOf(a, b, 2), 2)
  })

  test('sends nothing when the signal is aborted already', async (a, b) => {
    const { handler, received } = recordingHandler()
    b.setHandler(handler)
    const reason = new Error('changed my mind')
    const call = a.call(peerOf(b), vote(1), { signal: AbortSignal.abort(reason) })
    assert.equal(await rejectionOf(call), reason)
    assert.equal(await voteOf(a, b, 2), 2)
    assert.equal(received.length, 1)
  })

  test('stops waiting when the signal is aborted, and goes on', async (a, b) => {
    const silent = silentHandler()
    b.setHandler(silent.handler)
    const controller = new AbortController()
    const call = watched(a.call(peerOf(b), vote(1), { signal: controller.signal }))
    await silent.called
    const reason = new Error('waited long enough')
    controller.abort(reason)
    assert.equal(await rejectionOf(call), reason)
    b.setHandler(answerTo)
    assert.equal(await voteOf(a, b, 2), 2)
  })

  contextCases(test)
}

function contextCases(test: TransportCase): void {
  test('tells the handler where a request comes from', async (a, b) => {
    const { handler, received } = recordingHandler()
    b.setHandler(handler)
    await a.call(peerOf(b), vote(1))
    assert.ok((received[0]?.context.remote.length ?? 0) > 0)
  })

  test('aborts the signal of the handler when nobody waits for the answer', async (a, b) => {
    const silent = silentHandler()
    b.setHandler(silent.handler)
    const call = watched(a.call(peerOf(b), vote(1)))
    const { context } = await silent.called
    assert.equal(context.signal.aborted, false)
    await a.close()
    await aborted(context.signal)
    await rejectsWith(call, 'RAFT_TRANSPORT_CLOSED')
  })
}

/** Calls with a vote and gives the term of the answer. */
export async function voteOf(from: Transport, to: Transport, term: number): Promise<number> {
  const { term: answered } = await from.call<'request-vote'>(peerOf(to), vote(term))
  return answered
}

/** A small request. */
export function vote(term: number): RequestVoteRequest {
  const last = { lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: false }
  return { type: 'request-vote', header, term, ...last }
}
