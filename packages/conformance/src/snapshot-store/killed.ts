// The snapshots that a process makes until it is ended, and what must be there then.

import assert from 'node:assert/strict'
import type { SnapshotMeta, SnapshotStore } from '@raftkit/interface'
import { momentsOf, placeOf } from '../kill.ts'
import type { KillMoment } from '../kill.ts'
import { sampleBytes } from '../sample-bytes.ts'
import type { Workbench } from '../store-bench.ts'
import { assertDescribes, assertOpens, describeSnapshot, save } from './case.ts'
import type { SnapshotStoreCase } from './case.ts'

/** A snapshot of so many bytes that is finished, or is cancelled, or is left as it is. */
interface SnapshotStep {
  readonly index: number
  readonly size: number
  readonly end: 'finished' | 'cancelled' | 'abandoned'
}

/** Enough to push the first ones out of a store that keeps two or three. */
const SNAPSHOT_SCRIPT: readonly SnapshotStep[] = [
  { index: 10, size: 70_000, end: 'finished' },
  { index: 20, size: 5_000, end: 'cancelled' },
  { index: 30, size: 600_000, end: 'finished' },
  { index: 40, size: 90_000, end: 'abandoned' },
  { index: 2 ** 32 + 50, size: 0, end: 'finished' },
  { index: 2 ** 32 + 60, size: 3_000, end: 'finished' },
]

/** Carries out one step. */
export async function runSnapshotStep(store: SnapshotStore, step: number): Promise<void> {
  const { index, size, end } = SNAPSHOT_SCRIPT[step]!
  const sink = await store.create(describeSnapshot(index, 3))
  const bytes = sampleBytes(size, step + 1)
  await sink.write(bytes.subarray(0, 1000))
  await sink.write(bytes.subarray(1000))
  if (end === 'finished') await sink.close()
  else if (end === 'cancelled') await sink.cancel()
}

/** Cases for stores whose process can be ended by force. */
export function killCases(test: SnapshotStoreCase, retain: number): void {
  let calls: readonly number[] | undefined
  const callsOf = async (bench: Workbench<SnapshotStore>): Promise<readonly number[]> =>
    (calls ??= await survivesKill(bench, retain, SNAPSHOT_SCRIPT.length))

  test('has every finished snapshot when its process is killed', async (_store, bench) => {
    await callsOf(bench)
  })

  for (const [i, { size, end }] of SNAPSHOT_SCRIPT.entries())
    test(`has a snapshot as a whole or not at all when killed while one of ${size} bytes is ${end}`, async (_store, bench) => {
      const diskCalls = (await callsOf(bench))[i] ?? 0
      for (const moment of momentsOf(i, diskCalls, 2))
        await survivesKill(bench, retain, i + 1, moment)
    })
}

/** Has a process killed in its last step, and checks what it left; gives the disk calls of every acknowledged step. */
export async function survivesKill(
  bench: Workbench<SnapshotStore>,
  retain: number,
  steps: number,
  moment?: KillMoment,
): Promise<readonly number[]> {
  const { store, acknowledged, diskCalls } = await bench.kill('snapshot', steps, moment)
  try {
    const listed = await store.list()
    await assertWhole(store, listed, steps)
    assertAcknowledged(listed, retain, acknowledged)
    const meta = await save(store, describeSnapshot(2 ** 40, 4), sampleBytes(10))
    assert.equal((await store.list())[0]?.id, meta.id)
  } catch (error) {
    const place = `killed ${placeOf(moment)} of step ${steps}, ${acknowledged} acknowledged`
    assert.fail(`${place}: ${String(error)}`)
  }
  return diskCalls
}

/** Asserts that everything listed is one that was to be finished, newest first, and whole. */
async function assertWhole(
  store: SnapshotStore,
  listed: readonly SnapshotMeta[],
  steps: number,
): Promise<void> {
  const indexes = listed.map((meta) => meta.index)
  assert.deepEqual(
    indexes,
    indexes.toSorted((a, b) => b - a),
    'newest first',
  )
  for (const meta of listed) {
    const step = SNAPSHOT_SCRIPT.findIndex(({ index }) => index === meta.index)
    const made = SNAPSHOT_SCRIPT[step]
    assert.ok(made?.end === 'finished' && step < steps, `a snapshot of ${meta.index} is listed`)
    assertDescribes(meta, describeSnapshot(meta.index, 3), made.size)
    await assertOpens(store, meta, sampleBytes(made.size, step + 1))
  }
}

/** Asserts that what is kept is what was kept after the acknowledged steps, or after one more. */
function assertAcknowledged(
  listed: readonly SnapshotMeta[],
  retain: number,
  acknowledged: number,
): void {
  const keptAfter = (steps: number): string => {
    const finished = SNAPSHOT_SCRIPT.slice(0, steps).filter(({ end }) => end === 'finished')
    return finished
      .slice(-retain)
      .map(({ index }) => index)
      .toReversed()
      .join(', ')
  }
  // Older ones may be there a while longer.
  const newest = listed.slice(0, retain).map((meta) => meta.index)
  const allowed = [keptAfter(acknowledged), keptAfter(acknowledged + 1)]
  assert.ok(
    allowed.includes(newest.join(', ')),
    `listed is (${newest.join(', ')}) instead of (${allowed.join(') or (')})`,
  )
}
