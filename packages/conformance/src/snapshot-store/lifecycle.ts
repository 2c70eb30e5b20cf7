import assert from 'node:assert/strict'
import type { SnapshotMeta, SnapshotStore } from '@raftkit/interface'
import { rejectsWith } from '../rejection.ts'
import { collect, sampleBytes } from '../sample-bytes.ts'
import type { Workbench } from '../store-bench.ts'
import { TORN_ENDS } from '../torn-end.ts'
import type { TornEnd } from '../torn-end.ts'
import {
  assertDescribes,
  assertLists,
  assertOpens,
  describeJoint,
  describeSnapshot,
  save,
} from './case.ts'
import type { SnapshotStoreCase } from './case.ts'

/** Cases for stores whose data outlives them. */
export function reopenCases(test: SnapshotStoreCase, retain: number): void {
  test('finds finished snapshots when reopened, and no others', findsFinished)

  test('keeps as many as before when reopened', async (store, bench) => {
    const kept: SnapshotMeta[] = []
    let last = store
    for (let i = 1; i <= retain + 3; i++) {
      kept.unshift(await save(last, describeSnapshot(i * 10, 5), sampleBytes(i * 100, i)))
      kept.length = Math.min(kept.length, retain)
      last = await bench.reopen(last)
      await assertLists(last, ...kept)
    }
    for (const meta of kept) await assertOpens(last, meta, sampleBytes(meta.size, meta.size / 100))
  })

  test('finds both halves of a joint configuration when reopened', async (store, bench) => {
    const description = describeJoint(9, 2)
    await save(store, description, sampleBytes(3))
    const [found] = await (await bench.reopen(store)).list()
    assert.ok(found)
    assertDescribes(found, description, 3)
  })

  test('finds a snapshot without bytes and the largest indexes when reopened', async (store, bench) => {
    const description = describeSnapshot(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    const meta = await save(store, description)
    const again = await bench.reopen(store)
    await assertLists(again, meta)
    assertDescribes((await again.list())[0]!, description, 0)
    await assertOpens(again, meta, new Uint8Array(0))
  })
}

/** The proof of `reopen`. */
export async function findsFinished(
  store: SnapshotStore,
  bench: Workbench<SnapshotStore>,
): Promise<void> {
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
}

/** Cases for stores whose snapshots survive a crash once closed. */
export function durableCases(test: SnapshotStoreCase): void {
  test('has every finished snapshot after a crash, and no unfinished one', survivesCrash)
}

/** The proof of `durable`. */
export async function survivesCrash(
  store: SnapshotStore,
  bench: Workbench<SnapshotStore>,
): Promise<void> {
  const meta = await save(store, describeSnapshot(7, 3), sampleBytes(70_000))
  const unfinished = await store.create(describeSnapshot(9, 3))
  await unfinished.write(sampleBytes(100_000))
  const after = await bench.crash(store)
  await assertLists(after, meta)
  await assertOpens(after, meta, sampleBytes(70_000))
  await unfinished.cancel()
}

/** What of a snapshot is damaged. */
export type SnapshotPart = 'state' | 'description'

/** Ways to damage a snapshot, of a suite's options. */
export interface SnapshotDamage {
  corrupt?(store: SnapshotStore, id: string, part: SnapshotPart): Promise<void>
  tear?(store: SnapshotStore, id: string, end: TornEnd): Promise<void>
}

/** A damaged snapshot must be found out before its state is used. */
export function corruptionCases(test: SnapshotStoreCase, hooks: SnapshotDamage): void {
  for (const part of ['state', 'description'] as const)
    test(`refuses to open a snapshot whose ${part} is damaged, and still opens others`, (store) =>
      findsDamageOut(store, hooks, part))
}

/** The proof of `checksums`. */
export function findsDamageOut(
  store: SnapshotStore,
  hooks: SnapshotDamage,
  part: SnapshotPart,
): Promise<void> {
  return bearsDamage(store, async (id) => hooks.corrupt?.(store, id, part))
}

/** Cases for stores that notice a snapshot of which only a part reached the disk. */
export function tornCases(test: SnapshotStoreCase, hooks: SnapshotDamage): void {
  for (const end of TORN_ENDS)
    test(`refuses to open a snapshot whose last ${end.bytes} bytes are ${WORDS[end.how]}, and still opens others`, (store) =>
      bearsTornEnd(store, hooks, end))
}

const WORDS = { cut: 'cut off', zeros: 'zeros' } as const

/** The proof of `tornWrites`, one of them. */
export function bearsTornEnd(
  store: SnapshotStore,
  hooks: SnapshotDamage,
  end: TornEnd,
): Promise<void> {
  return bearsDamage(store, async (id) => hooks.tear?.(store, id, end))
}

/** Damages the newest of two snapshots. It is refused, and gone from the list unless only its state is unsound. */
async function bearsDamage(
  store: SnapshotStore,
  damage: (id: string) => Promise<void>,
): Promise<void> {
  const sound = await save(store, describeSnapshot(7, 3), sampleBytes(70_000))
  const damaged = await save(store, describeSnapshot(9, 3), sampleBytes(70_000, 2))
  await damage(damaged.id)
  const opening = (async () => {
    const opened = await store.open(damaged.id)
    try {
      await collect(opened.state)
    } finally {
      await opened.close()
    }
  })()
  await rejectsWith(opening, 'RAFT_SNAPSHOT_CORRUPT')
  const listed = await store.list()
  assert.equal(listed.at(-1)?.id, sound.id)
  assert.ok(listed.length <= 2)
  await assertOpens(store, sound, sampleBytes(70_000))
  const newer = await save(store, describeSnapshot(11, 3), sampleBytes(10))
  assert.equal((await store.list())[0]?.id, newer.id)
}
