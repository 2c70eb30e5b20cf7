import assert from 'node:assert/strict'
import { LogType } from '@raftkit/interface'
import type { EntryBatch } from '@raftkit/interface'
import { nextTurn } from '../occasion.ts'
import { rejectsWith } from '../rejection.ts'
import { assertSameBytes, sampleBytes } from '../sample-bytes.ts'
import { sampleEntries } from '../sample-entries.ts'
import type { SampleEntry } from '../sample-entries.ts'
import { append, assertHolds, assertReads, NO_LIMIT } from './case.ts'
import type { LogStoreCase } from './case.ts'

/** Cases about reading. */
export function readCases(test: LogStoreCase): void {
  test('reads every range', async (store) => {
    const entries = sampleEntries(8, 1)
    await append(store, 11, entries.slice(0, 3))
    await append(store, 14, entries.slice(3))
    for (let from = 11; from <= 18; from++)
      for (let to = from; to <= 18; to++)
        await assertReads(store, from, to, entries.slice(from - 11, to - 10))
  })

  test('rejects with RAFT_LOG_NOT_FOUND when the first entry asked for is not held', async (store) => {
    await append(store, 5, sampleEntries(4, 1))
    for (const from of [0, 1, 4, 9, 10, 2 ** 32 + 5])
      await rejectsWith(store.read(from, from + 1, NO_LIMIT), 'RAFT_LOG_NOT_FOUND')
    await store.truncatePrefix(6)
    await rejectsWith(store.read(6, 8, NO_LIMIT), 'RAFT_LOG_NOT_FOUND')
    await store.truncateSuffix(8)
    await rejectsWith(store.read(8, 8, NO_LIMIT), 'RAFT_LOG_NOT_FOUND')
  })

  test('stops at the last entry when asked for more', async (store) => {
    const entries = sampleEntries(4, 1)
    await append(store, 5, entries)
    await assertReads(store, 7, 100, entries.slice(2))
  })

  test('stops before the entry that would pass maxBytes', async (store) => {
    const entries = [10, 20, 30, 40].map((size) => entryOf(size))
    await append(store, 1, entries)
    for (const [maxBytes, count] of [
      [29, 1],
      [30, 2],
      [31, 2],
      [59, 2],
      [60, 3],
      [99, 3],
      [100, 4],
      [101, 4],
    ] as const)
      await assertReads(store, 1, 4, entries.slice(0, count), { maxBytes })
    await assertReads(store, 2, 3, entries.slice(1, 3), { maxBytes: 50 })
    await assertReads(store, 2, 3, entries.slice(1, 2), { maxBytes: 49 })
  })

  test('gives the first entry however small maxBytes is', async (store) => {
    const entries = [entryOf(2 * 1024 * 1024), entryOf(1)]
    await append(store, 1, entries)
    for (const maxBytes of [0, 1, 1024])
      await assertReads(store, 1, 2, entries.slice(0, 1), { maxBytes })
  })

  concurrentCases(test)
}

function concurrentCases(test: LogStoreCase): void {
  test('reads while it appends, and never gives half of a batch', async (store) => {
    const rounds = 60
    const entries = sampleEntries(rounds * 5, 1)
    await append(store, 1, entries.slice(0, 5))
    let done = false
    const appending = async (): Promise<void> => {
      try {
        for (let i = 1; i < rounds; i++)
          await append(store, 1 + i * 5, entries.slice(i * 5, i * 5 + 5))
      } finally {
        done = true
      }
    }
    const reading = async (): Promise<void> => {
      while (!done) {
        await nextTurn()
        const { lastIndex } = await store.bounds()
        assert.equal(lastIndex % 5, 0, 'a batch is there as a whole or not at all')
        await Promise.all([
          assertReads(store, 1, lastIndex, entries.slice(0, lastIndex)),
          assertReads(store, lastIndex, lastIndex, entries.slice(lastIndex - 1, lastIndex)),
        ])
      }
    }
    await Promise.all([appending(), reading()])
    await assertReads(store, 1, rounds * 5, entries)
  })

  test('reads what stays while both ends are truncated', async (store) => {
    const entries = sampleEntries(200, 1)
    await append(store, 1, entries)
    let done = false
    const truncating = async (): Promise<void> => {
      try {
        for (let i = 1; i <= 45; i++) {
          await store.truncatePrefix(2 * i)
          await store.truncateSuffix(201 - 2 * i)
        }
      } finally {
        done = true
      }
    }
    const reading = async (): Promise<void> => {
      while (!done) {
        await nextTurn()
        await assertReads(store, 91, 110, entries.slice(90, 110))
        // What is being removed is there, as it was, or is not there.
        await assertReads(store, 45, 45, entries.slice(44, 45)).catch((error: unknown) =>
          rejectsWith(Promise.reject(error), 'RAFT_LOG_NOT_FOUND'),
        )
      }
    }
    await Promise.all([truncating(), reading()])
    await assertHolds(store, 91, entries.slice(90, 110))
  })

  test('leaves a batch that was read as it was, whatever happens to the log', async (store) => {
    const entries = sampleEntries(6, 1)
    await append(store, 1, entries)
    const read = await store.read(1, 6, NO_LIMIT)
    await store.truncateSuffix(3)
    await append(store, 3, sampleEntries(6, 2, 9))
    await store.truncatePrefix(8)
    await append(store, 1, sampleEntries(6, 3, 17))
    assertUnchanged(read, entries)
  })
}

function assertUnchanged(batch: EntryBatch, entries: readonly SampleEntry[]): void {
  for (const [i, entry] of entries.entries()) {
    assertSameBytes(batch.bytesAt(1 + i), entry.bytes, `entry ${1 + i}`)
    assert.equal(batch.termAt(1 + i), entry.term)
  }
}

function entryOf(size: number): SampleEntry {
  return { term: 1, type: LogType.command, bytes: sampleBytes(size, size) }
}
