import assert from 'node:assert/strict'
import type { SnapshotMeta } from '@raftkit/interface'
import { nextTurn } from '../occasion.ts'
import { rejectsWith } from '../rejection.ts'
import { collect, sampleBytes } from '../sample-bytes.ts'
import { assertLists, assertOpens, describeSnapshot, save } from './case.ts'
import type { SnapshotStoreCase } from './case.ts'

/** Cases about order and retention. */
export function retentionCases(test: SnapshotStoreCase, retain: number): void {
  test(`lists the newest first and keeps ${retain}`, async (store) => {
    const kept: SnapshotMeta[] = []
    for (let i = 1; i <= retain + 3; i++) {
      kept.unshift(await save(store, describeSnapshot(i * 10, i), sampleBytes(i * 100, i)))
      for (const gone of kept.splice(retain))
        await rejectsWith(store.open(gone.id), 'RAFT_SNAPSHOT_NOT_FOUND')
      await assertLists(store, ...kept)
    }
    for (const meta of kept) await assertOpens(store, meta, sampleBytes(meta.size, meta.term))
  })

  test('orders by term and index as numbers', async (store) => {
    const metas: SnapshotMeta[] = []
    for (const [index, term] of [
      [9, 9],
      [10, 9],
      [10, 10],
      [2 ** 32 + 1, 10],
    ] as const) {
      metas.unshift(await save(store, describeSnapshot(index, term)))
      await assertLists(store, ...metas.slice(0, retain))
    }
  })

  test('puts the later one of the same index first', async (store) => {
    const metas: SnapshotMeta[] = []
    for (let i = 0; i < 3; i++)
      metas.unshift(await save(store, describeSnapshot(9, 2), sampleBytes(i)))
    await assertLists(store, ...metas.slice(0, retain))
  })

  listCases(test)

  test('removes nothing when a snapshot is begun, written or cancelled', async (store) => {
    const metas: SnapshotMeta[] = []
    for (let i = 1; i <= retain; i++) metas.unshift(await save(store, describeSnapshot(i, 1)))
    for (let i = 0; i < 3; i++) {
      const sink = await store.create(describeSnapshot(100, 1))
      await sink.write(sampleBytes(10_000))
      await assertLists(store, ...metas)
      await sink.cancel()
    }
    await assertLists(store, ...metas)
  })
}

function listCases(test: SnapshotStoreCase): void {
  test('has whole snapshots in its list while others are written', async (store) => {
    let done = false
    const saving = async (): Promise<void> => {
      try {
        for (let i = 1; i <= 12; i++)
          await save(store, describeSnapshot(i, 1), sampleBytes(i * 1000, i), sampleBytes(i))
      } finally {
        done = true
      }
    }
    const listing = async (): Promise<void> => {
      while (!done) {
        await nextTurn()
        const [newest] = await store.list()
        if (!newest) continue
        const { index, size } = newest
        assert.equal(size, index * 1001)
        const opened = await store.open(newest.id).catch(async (error: unknown) => {
          // It may have been pushed out since.
          await rejectsWith(Promise.reject(error), 'RAFT_SNAPSHOT_NOT_FOUND')
        })
        if (!opened) continue
        assert.equal((await collect(opened.state)).length, size)
        await opened.close()
      }
    }
    await Promise.all([saving(), listing()])
  })
}

/** Cases for stores that keep nothing. */
export function discardCases(test: SnapshotStoreCase): void {
  test('forgets a snapshot that was finished', async (store) => {
    const meta = await save(store, describeSnapshot(20, 3), sampleBytes(1000))
    assert.equal(meta.size, 1000)
    await assertLists(store)
    await rejectsWith(store.open(meta.id), 'RAFT_SNAPSHOT_NOT_FOUND')
  })
}
