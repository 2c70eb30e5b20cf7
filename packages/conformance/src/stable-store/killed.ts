// The changes that a process makes to a stable store until it is ended, and what must be there then.

import assert from 'node:assert/strict'
import type { HardState, StableStore } from '@raftkit/interface'
import { momentsOf, placeOf } from '../kill.ts'
import type { KillMoment } from '../kill.ts'
import { sampleBytes } from '../sample-bytes.ts'
import type { Workbench } from '../store-bench.ts'
import { assertHardState, assertValue } from './case.ts'
import type { StableStoreCase } from './case.ts'

/** Either a new term and vote, or a new value of the one key. */
type StableStep =
  | { readonly what: string; readonly state: HardState }
  | { readonly what: string; readonly value: Uint8Array }

const KEY = 'the key'

/** Terms, votes, values small and large, and one in place of another. */
const STABLE_SCRIPT: readonly StableStep[] = [
  { what: 'saving the first term', state: { term: 1 } },
  { what: 'voting', state: { term: 1, votedFor: { id: 'server-1', address: '10.0.0.1:7000' } } },
  { what: 'setting a value of 64 KiB', value: sampleBytes(64 * 1024, 2) },
  {
    what: 'voting for one with a long name',
    state: { term: 2 ** 33, votedFor: { id: 'x'.repeat(3000), address: 'y'.repeat(3000) } },
  },
]

/** Carries out one step. */
export async function runStableStep(store: StableStore, step: number): Promise<void> {
  const change = STABLE_SCRIPT[step]!
  if ('state' in change) await store.saveHardState(change.state)
  else await store.set(KEY, change.value)
}

/** Cases for stores whose process can be ended by force. */
export function killCases(test: StableStoreCase): void {
  let calls: readonly number[] | undefined
  const callsOf = async (bench: Workbench<StableStore>): Promise<readonly number[]> =>
    (calls ??= await survivesKill(bench, STABLE_SCRIPT.length))

  test('has everything that was acknowledged when its process is killed', async (_store, bench) => {
    await callsOf(bench)
  })

  for (const [i, { what }] of STABLE_SCRIPT.entries())
    test(`has the old or the new when killed while ${what}`, async (_store, bench) => {
      const diskCalls = (await callsOf(bench))[i] ?? 0
      for (const moment of momentsOf(i, diskCalls, 1)) await survivesKill(bench, i + 1, moment)
    })
}

/** Has a process killed in its last step, and checks what it left; gives the disk calls of every acknowledged step. */
export async function survivesKill(
  bench: Workbench<StableStore>,
  steps: number,
  moment?: KillMoment,
): Promise<readonly number[]> {
  const { store, acknowledged, diskCalls } = await bench.kill('stable', steps, moment)
  try {
    await assertIsAfter(store, acknowledged).catch(async (error: unknown) => {
      if (acknowledged === steps) throw error
      await assertIsAfter(store, acknowledged + 1)
    })
    await store.saveHardState({ term: 2 ** 34 })
    await assertHardState(store, { term: 2 ** 34 })
  } catch (error) {
    const place = `killed ${placeOf(moment)} of step ${steps}, ${acknowledged} acknowledged`
    assert.fail(`${place}: ${String(error)}`)
  }
  await store.close()
  return diskCalls
}

/** Asserts that the store is as after so many steps. */
async function assertIsAfter(store: StableStore, steps: number): Promise<void> {
  const done = STABLE_SCRIPT.slice(0, steps)
  const state = done.findLast((step) => 'state' in step)
  const value = done.findLast((step) => 'value' in step)
  if (state) await assertHardState(store, state.state)
  else assert.equal(await store.loadHardState(), undefined)
  if (value) await assertValue(store, KEY, value.value)
  else assert.equal(await store.get(KEY), undefined)
}
