import assert from 'node:assert/strict'
import type { Transport } from '@raftkit/interface'
import { rejectsBeforeDeadline } from '../rejection.ts'
import { collect, inChunks, sampleBytes } from '../sample-bytes.ts'
import { voteOf } from './calls.ts'
import { peerOf, recordingHandler } from './case.ts'
import type { OpenMore, TransportCase } from './case.ts'
import {
  answerTo,
  appendEntries,
  assertSameMessage,
  installed,
  installSnapshot,
} from './messages.ts'

/** Bytes of the largest request that the limited transport takes. */
const LIMIT_BYTES = 64 * 1024

/** Cases for transports that can be told how large a request may be. */
export function sizeLimitCases(test: TransportCase): void {
  test('refuses a call above its size limit, and takes the next one', refusesLargeCall)

  test('refuses a send above its size limit; a new pipeline works', async (a, _b, more) => {
    const limited = await more.openLimited(LIMIT_BYTES)
    const { handler, received } = recordingHandler()
    limited.setHandler(handler)
    const pipeline = await a.openPipeline(peerOf(limited))
    assert.equal((await pipeline.send(appendEntries(1, 1000))).term, 1)
    await rejectsBeforeDeadline(pipeline.send(appendEntries(2, LIMIT_BYTES)))
    pipeline.close()
    const next = await a.openPipeline(peerOf(limited))
    assert.equal((await next.send(appendEntries(3, 1000))).term, 3)
    next.close()
    const terms = received.map(({ request }) => ('term' in request ? request.term : 0))
    assert.deepEqual(terms, [1, 3])
  })

  test('takes a snapshot that is larger than its limit for requests', async (a, _b, more) => {
    const limited = await more.openLimited(LIMIT_BYTES)
    const bytes = sampleBytes(10 * LIMIT_BYTES)
    let size = 0
    limited.setHandler(async (_request, context) => {
      size = (await collect(context.snapshot!)).length
      return installed
    })
    const source = inChunks(bytes, 50_000)
    await a.installSnapshot(peerOf(limited), installSnapshot(bytes.length), source)
    assert.equal(size, bytes.length)
  })
}

/** The proof of `sizeLimit`. */
export async function refusesLargeCall(a: Transport, _b: Transport, more: OpenMore): Promise<void> {
  const limited = await more.openLimited(LIMIT_BYTES)
  const { handler, received } = recordingHandler()
  limited.setHandler(handler)
  const large = appendEntries(1, LIMIT_BYTES - 1000)
  assertSameMessage(await a.call(peerOf(limited), large), answerTo(large))
  await rejectsBeforeDeadline(a.call(peerOf(limited), appendEntries(2, LIMIT_BYTES)))
  assert.equal(await voteOf(a, limited, 3), 3)
  const terms = received.map(({ request }) => ('term' in request ? request.term : 0))
  assert.deepEqual(terms, [1, 3])
}
