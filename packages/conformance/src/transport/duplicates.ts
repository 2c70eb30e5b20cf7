import assert from 'node:assert/strict'
import type { Transport } from '@raftkit/interface'
import { watched } from '../occasion.ts'
import { rejectsBeforeDeadline } from '../rejection.ts'
import { voteOf } from './calls.ts'
import { peerOf, recordingHandler, silentHandler } from './case.ts'
import type { OpenMore, Received, TransportCase } from './case.ts'
import { answerTo, appendEntries } from './messages.ts'

/** Cases for transports whose connections the suite can break: a transport never sends anything again. */
export function onceCases(test: TransportCase): void {
  test('hands every request over once, also when the connection breaks before the answer', async (a, b, more) => {
    const received: number[] = []
    const silent = silentHandler()
    b.setHandler((request, context) => {
      if (request.type !== 'append-entries') return answerTo(request)
      received.push(request.term)
      return silent.handler(request, context)
    })
    const pipeline = await a.openPipeline(peerOf(b))
    const sends = [1, 2, 3].map((term) => watched(pipeline.send(appendEntries(term))))
    await silent.called
    while (received.length < 3) await voteOf(a, b, 1)
    await more.breakConnections(a, b)
    for (const send of sends) await rejectsBeforeDeadline(send)
    const next = await a.openPipeline(peerOf(b))
    b.setHandler((request) => {
      if (request.type === 'append-entries') received.push(request.term)
      return answerTo(request)
    })
    await next.send(appendEntries(4))
    await a.call(peerOf(b), appendEntries(5))
    assert.deepEqual(received, [1, 2, 3, 4, 5])
    next.close()
  })
}

/** Cases for transports on which everything can be made to come twice. */
export function duplicateCases(test: TransportCase): void {
  test('hands a request over twice when it comes twice, and settles the call once', comesTwice)

  test('gives each of many calls its own answer when everything comes twice', async (a, b, more) => {
    await more.duplicate(a, b)
    for (const transport of [a, b]) transport.setHandler(answerTo)
    const terms = Array.from({ length: 25 }, (_, i) => i + 1)
    const calls = terms.flatMap((term) => [voteOf(a, b, term), voteOf(b, a, term + 1000)])
    assert.deepEqual(
      await Promise.all(calls),
      terms.flatMap((term) => [term, term + 1000]),
    )
  })

  test('gives each send of a pipeline its own answer when everything comes twice', async (a, b, more) => {
    await more.duplicate(a, b)
    const { handler, received } = recordingHandler()
    b.setHandler(handler)
    const pipeline = await a.openPipeline(peerOf(b))
    const terms = Array.from({ length: 25 }, (_, i) => i + 1)
    const answers = await Promise.all(terms.map((term) => pipeline.send(appendEntries(term))))
    assert.deepEqual(
      answers.map((answer) => answer.term),
      terms,
    )
    for (const term of terms) {
      const times = received.filter(({ request }) => 'term' in request && request.term === term)
      assert.ok(
        times.length === 1 || times.length === 2,
        `request ${term} came ${times.length} times`,
      )
    }
    pipeline.close()
  })
}

/** The proof of `duplication`. */
export async function comesTwice(a: Transport, b: Transport, more: OpenMore): Promise<void> {
  await more.duplicate(a, b)
  const received: Received[] = []
  b.setHandler((request, context) => {
    received.push({ request, context })
    return answerTo(request)
  })
  for (let term = 1; term <= 10; term++) assert.equal(await voteOf(a, b, term), term)
  // The last duplicate may still be under way; those before it are not.
  assert.ok(
    received.length >= 19 && received.length <= 20,
    `${received.length} requests of 10 calls`,
  )
}
