import assert from 'node:assert/strict'
import type { Index, LogStore } from '@raftkit/interface'
import type { LogStoreManifest } from '../manifest.ts'
import { rejectsWith } from '../rejection.ts'
import { batchOf, sampleEntries } from '../sample-entries.ts'
import type { Workbench } from '../store-bench.ts'
import type { LogStoreCase } from './case.ts'

/** Cases for stores that keep the commit index that comes with an append. */
export function commitIndexCases(test: LogStoreCase, supports: LogStoreManifest): void {
  test('keeps the commit index that comes with an append', keepsCommitIndex)

  test('never lets the commit index go back while entries are added', async (store) => {
    await appendWith(store, 1, 6, 4)
    await appendWith(store, 7, 1, 2)
    await assertCommitted(store, 4)
    await appendWith(store, 8, 1, 0)
    await appendWith(store, 9, 1, undefined)
    await assertCommitted(store, 4)
  })

  test('clamps the commit index to the last entry, and does not remember what it was given', async (store) => {
    await appendWith(store, 5, 3, 1000)
    await assertCommitted(store, 7)
    await appendWith(store, 8, 3, undefined)
    await assertCommitted(store, 7)
  })

  test('keeps no commit index that comes without entries, or with refused ones', async (store) => {
    await appendWith(store, 1, 6, 2)
    await store.append([], { commitIndex: 5 })
    await assertCommitted(store, 2)
    const gap = store.append([batchOf(20, sampleEntries(1, 1))], { commitIndex: 6 })
    await rejectsWith(gap, 'RAFT_LOG_GAP')
    await assertCommitted(store, 2)
  })

  for (const commitIndex of [-1, 1.5, Number.NaN, 2 ** 53])
    test(`refuses the commit index ${commitIndex}, and stores nothing`, async (store) => {
      await appendWith(store, 1, 3, 2)
      const refused = store.append([batchOf(4, sampleEntries(1, 1))], { commitIndex })
      await rejectsWith(refused, 'RAFT_INVALID_ARGUMENT')
      assert.equal((await store.bounds()).lastIndex, 3)
      await assertCommitted(store, 2)
    })

  truncationCases(test)
  if (supports.reopen)
    test('finds the commit index when reopened, as truncated', async (store, bench) => {
      await appendWith(store, 1, 10, 8)
      const again = await bench.reopen(store)
      await assertCommitted(again, 8)
      await again.truncateSuffix(5)
      const third = await bench.reopen(again)
      await assertCommitted(third, 4)
      await appendWith(third, 5, 10, undefined)
      await assertCommitted(await bench.reopen(third), 4)
    })
  if (supports.durable)
    test('has the commit index of every acknowledged append after a crash', async (store, bench) => {
      await appendWith(store, 1, 10, 8)
      await assertCommitted(await bench.crash(store), 8)
      await store.truncateSuffix(7)
      await assertCommitted(await bench.crash(store), 6)
      await appendWith(store, 7, 2, undefined)
      await assertCommitted(await bench.crash(store), 6)
      await appendWith(store, 9, 2, 7)
      await assertCommitted(await bench.crash(store), 7)
    })
}

function truncationCases(test: LogStoreCase): void {
  test('takes the commit index down with what is truncated; it stays down when entries follow', async (store) => {
    await appendWith(store, 1, 10, 8)
    await store.truncateSuffix(9)
    await assertCommitted(store, 8)
    await store.truncateSuffix(5)
    await assertCommitted(store, 4)
    await appendWith(store, 5, 10, undefined)
    await assertCommitted(store, 4)
    await appendWith(store, 15, 1, 6)
    await assertCommitted(store, 6)
  })

  test('keeps the commit index when the start of the log is removed', async (store) => {
    await appendWith(store, 1, 10, 8)
    await store.truncatePrefix(5)
    await assertCommitted(store, 8)
    await store.truncatePrefix(9)
    await assertCommitted(store, 8)
  })

  for (const [title, empty] of [
    ['the suffix', (store: LogStore) => store.truncateSuffix(5)],
    ['the prefix', (store: LogStore) => store.truncatePrefix(14)],
  ] as const)
    test(`forgets the commit index when ${title} is all of the log`, async (store) => {
      await appendWith(store, 5, 10, 12)
      await empty(store)
      await assertCommitted(store, 0)
      await appendWith(store, 2, 20, undefined)
      await assertCommitted(store, 0)
    })
}

/** The proof of `commitIndex`. */
export async function keepsCommitIndex(
  store: LogStore,
  _bench?: Workbench<LogStore>,
): Promise<void> {
  await assertCommitted(store, 0)
  await appendWith(store, 3, 4, undefined)
  await assertCommitted(store, 0)
  await appendWith(store, 7, 2, 5)
  await assertCommitted(store, 5)
  await appendWith(store, 9, 1, 9)
  await assertCommitted(store, 9)
}

async function assertCommitted(store: LogStore, index: Index): Promise<void> {
  assert.equal(await store.commitIndex?.(), index, 'commit index')
}

/** Appends `count` entries from `firstIndex` on; undefined: without a word on what is committed. */
async function appendWith(
  store: LogStore,
  firstIndex: Index,
  count: number,
  commitIndex: Index | undefined,
): Promise<void> {
  const batches = [batchOf(firstIndex, sampleEntries(count, 1))]
  await (commitIndex === undefined ? store.append(batches) : store.append(batches, { commitIndex }))
}
