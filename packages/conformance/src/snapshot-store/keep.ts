import assert from 'node:assert/strict'
import type { SnapshotMeta, SnapshotStore } from '@raftkit/interface'
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

/** Cases for stores that keep nothing. */
export function discardCases(test: SnapshotStoreCase): void {
  test('forgets a snapshot that was finished', async (store) => {
    const meta = await save(store, describeSnapshot(20, 3), sampleBytes(1000))
    assert.equal(meta.size, 1000)
    await assertLists(store)
    await rejectsWith(store.open(meta.id), 'RAFT_SNAPSHOT_NOT_FOUND')
  })
}

/** Cases for stores whose data outlives them. */
export function reopenCases(test: SnapshotStoreCase): void {
  test('finds finished snapshots when reopened, and no others', async (store, bench) => {
    const bytes = sampleBytes(100_000)
    const meta = await save(store, describeSnapshot(2 ** 32 + 7, 3), bytes)
    const unfinished = await store.create(describeSnapshot(2 ** 33, 4))
    await unfinished.write(sampleBytes(10))
    const again = await bench.reopen(store)
    await assertLists(again, meta)
    await assertOpens(again, meta, bytes)
    await rejectsWith(again.open(unfinished.id), 'RAFT_SNAPSHOT_NOT_FOUND')
    const newer = await save(again, describeSnapshot(2 ** 34, 5), sampleBytes(3))
    assert.equal((await again.list())[0]?.id, newer.id)
    await unfinished.cancel()
  })
}

/** Cases for stores whose snapshots survive a crash once closed. */
export function durableCases(test: SnapshotStoreCase): void {
  test('has every finished snapshot after a crash, and no unfinished one', async (store, bench) => {
    const meta = await save(store, describeSnapshot(7, 3), sampleBytes(70_000))
    const unfinished = await store.create(describeSnapshot(9, 3))
    await unfinished.write(sampleBytes(100_000))
    const after = await bench.crash(store)
    await assertLists(after, meta)
    await assertOpens(after, meta, sampleBytes(70_000))
    await unfinished.cancel()
  })
}

/** A damaged snapshot must be found out before its state is used. */
export function corruptionCases(
  test: SnapshotStoreCase,
  hooks: { corrupt?(store: SnapshotStore, id: string): Promise<void> },
): void {
  test('refuses to open a damaged snapshot, and still opens an undamaged one', async (store) => {
    const sound = await save(store, describeSnapshot(7, 3), sampleBytes(70_000))
    const damaged = await save(store, describeSnapshot(9, 3), sampleBytes(70_000, 2))
    await hooks.corrupt?.(store, damaged.id)
    const opening = (async () => {
      const opened = await store.open(damaged.id)
      try {
        await collect(opened.state)
      } finally {
        await opened.close()
      }
    })()
    await rejectsWith(opening, 'RAFT_SNAPSHOT_CORRUPT')
    await assertOpens(store, sound, sampleBytes(70_000))
  })
}
