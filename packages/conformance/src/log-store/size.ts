import assert from 'node:assert/strict'
import { LogType } from '@raftkit/interface'
import { rejectsWith } from '../rejection.ts'
import { sampleBytes } from '../sample-bytes.ts'
import { batchOf, sampleEntries } from '../sample-entries.ts'
import type { SampleEntry } from '../sample-entries.ts'
import { append, assertHolds, assertReads } from './case.ts'
import type { LogStoreCase } from './case.ts'

const MiB = 1024 * 1024

/** The largest entry that a decoder takes when it is told nothing else. */
const USUAL_LIMIT_BYTES = 32 * MiB

/** Cases about empty and huge entries, and about sizes at which storage is usually divided. */
export function sizeCases(test: LogStoreCase, maxEntryBytes: number | undefined): void {
  test('keeps an entry without bytes', async (store) => {
    const empty = entryOf(0)
    const entries = [empty, ...sampleEntries(1, 1), empty, empty]
    await append(store, 1, entries)
    await assertHolds(store, 1, entries)
    await assertReads(store, 3, 4, [empty, empty], { maxBytes: 0 })
  })

  test('keeps a log of nothing but entries without bytes', async (store) => {
    const entries = Array.from({ length: 50 }, () => entryOf(0))
    await append(store, 1, entries.slice(0, 20))
    await append(store, 21, entries.slice(20))
    await assertHolds(store, 1, entries)
    await store.truncateSuffix(30)
    await store.truncatePrefix(3)
    await assertHolds(store, 4, entries.slice(0, 26))
  })

  const largest = maxEntryBytes ?? USUAL_LIMIT_BYTES
  test(`keeps an entry of ${largest} bytes beside small ones`, async (store) => {
    const huge = entryOf(largest)
    const [before, after] = sampleEntries(2, 1)
    await append(store, 1, [before!, huge, after!])
    await assertHolds(store, 1, [before!, huge, after!])
    await assertReads(store, 2, 3, [huge], { maxBytes: largest })
    await assertReads(store, 2, 3, [huge, after!], { maxBytes: largest + after!.bytes.length })
  })

  if (maxEntryBytes !== undefined)
    test(`refuses an entry of ${maxEntryBytes + 1} bytes, and changes nothing`, async (store) => {
      const held = sampleEntries(2, 1)
      await append(store, 1, held)
      const huge = [...held, entryOf(maxEntryBytes + 1)]
      await rejectsWith(store.append([batchOf(3, huge)]), 'RAFT_LIMIT_EXCEEDED')
      await assertHolds(store, 1, held)
      await append(store, 3, held)
      await assertHolds(store, 1, [...held, ...held])
    })

  edgeCases(test, largest)
}

function edgeCases(test: LogStoreCase, largest: number): void {
  test('keeps entries whose sizes are around powers of two', async (store) => {
    const sizes = [8, 12, 15, 16, 18, 20].flatMap((power) =>
      [-1, 0, 1].map((more) => Math.min(largest, 2 ** power + more)),
    )
    const entries = sizes.map(entryOf)
    for (const [i, entry] of entries.entries()) await append(store, 1 + i, [entry])
    await append(store, 1 + entries.length, entries)
    await assertHolds(store, 1, [...entries, ...entries])
  })

  test('gives 16 MiB back in pages', async (store) => {
    const entries = Array.from({ length: 64 }, (_, i) => entryOf(Math.min(largest, MiB / 4), i))
    const size = entries[0]!.bytes.length
    await append(store, 1, entries)
    for (let from = 1; from <= 64; from += 5)
      await assertReads(store, from, 64, entries.slice(from - 1, from + 4), {
        maxBytes: 5 * size + 1,
      })
  })

  test('refuses an index above 2^53 - 1, and changes nothing', async (store) => {
    const entries = sampleEntries(3, 1)
    const last = Number.MAX_SAFE_INTEGER
    const refused = (async () => store.append([batchOf(last - 1, entries)]))()
    await rejectsWith(refused)
    await assertHolds(store, 1, [])
    await append(store, last - 1, entries.slice(0, 2))
    await assertHolds(store, last - 1, entries.slice(0, 2))
    assert.equal((await store.bounds()).lastIndex, last)
  })
}

function entryOf(size: number, seed = size): SampleEntry {
  return { term: 1, type: LogType.command, bytes: sampleBytes(size, seed) }
}
