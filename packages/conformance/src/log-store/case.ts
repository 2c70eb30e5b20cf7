// What the parts of the log store suite share: how a case is written, and how a log is checked.

import assert from 'node:assert/strict'
import type { Index, LogReadLimits, LogStore } from '@raftkit/interface'
import { assertSameBytes } from '../sample-bytes.ts'
import { batchOf } from '../sample-entries.ts'
import type { SampleEntry } from '../sample-entries.ts'
import type { Workbench } from '../store-bench.ts'

/** Registers one case; `store` is new and empty. */
export type LogStoreCase = (
  title: string,
  body: (store: LogStore, bench: Workbench<LogStore>) => Promise<void>,
) => void

/** More bytes than any sample has. */
export const NO_LIMIT: LogReadLimits = { maxBytes: Number.MAX_SAFE_INTEGER }

/** Appends the entries from `firstIndex` on as one batch. */
export async function append(
  store: LogStore,
  firstIndex: Index,
  entries: readonly SampleEntry[],
): Promise<void> {
  await store.append([batchOf(firstIndex, entries)])
}

/** Asserts that the store holds exactly these entries from `firstIndex` on. */
export async function assertHolds(
  store: LogStore,
  firstIndex: Index,
  entries: readonly SampleEntry[],
): Promise<void> {
  if (entries.length === 0) {
    assert.deepEqual({ ...(await store.bounds()) }, { firstIndex: 0, lastIndex: 0 })
    return
  }
  const lastIndex = firstIndex + entries.length - 1
  assert.deepEqual({ ...(await store.bounds()) }, { firstIndex, lastIndex })
  await assertReads(store, firstIndex, lastIndex, entries)
}

/** Asserts that reading `from .. to` gives exactly these entries. */
export async function assertReads(
  store: LogStore,
  from: Index,
  to: Index,
  entries: readonly SampleEntry[],
  limits: LogReadLimits = NO_LIMIT,
): Promise<void> {
  const batch = await store.read(from, to, limits)
  assert.equal(batch.firstIndex, from, `read ${from}..${to}: first index`)
  assert.equal(batch.count, entries.length, `read ${from}..${to}: number of entries`)
  for (const [i, entry] of entries.entries()) {
    const index = from + i
    assert.equal(batch.termAt(index), entry.term, `term of entry ${index}`)
    assert.equal(batch.typeAt(index), entry.type, `type of entry ${index}`)
    assertSameBytes(batch.bytesAt(index), entry.bytes, `entry ${index}`)
  }
}
