import assert from 'node:assert/strict'
import type { LogStore } from '@raftkit/interface'
import type { LogStoreManifest } from '../manifest.ts'
import { momentsOf, placeOf } from '../kill.ts'
import type { KillMoment } from '../kill.ts'
import { sampleEntries } from '../sample-entries.ts'
import type { Workbench } from '../store-bench.ts'
import { append, assertHolds } from './case.ts'
import type { LogStoreCase } from './case.ts'
import { contentOf } from './content.ts'
import { assertAllCommitted, assertLogSurvived, LOG_SCRIPT } from './script.ts'

/** Cases for stores whose process can be ended by force. */
export function killCases(test: LogStoreCase, supports: LogStoreManifest): void {
  let calls: readonly number[] | undefined
  const callsOf = async (bench: Workbench<LogStore>): Promise<readonly number[]> =>
    (calls ??= await survivesKill(bench, LOG_SCRIPT.length, undefined, supports.commitIndex))

  test('has everything that was acknowledged when its process is killed', async (_store, bench) => {
    await callsOf(bench)
  })

  for (const [i, { what }] of LOG_SCRIPT.entries())
    test(`has the change as a whole or not at all when killed while ${what}`, async (_store, bench) => {
      const diskCalls = (await callsOf(bench))[i] ?? 0
      for (const moment of momentsOf(i, diskCalls, 1))
        await survivesKill(bench, i + 1, moment, supports.commitIndex)
    })
}

/** Has a process killed in its last step, and checks what it left; gives the disk calls of every acknowledged step. */
export async function survivesKill(
  bench: Workbench<LogStore>,
  steps: number,
  moment?: KillMoment,
  keepsCommitIndex = false,
): Promise<readonly number[]> {
  const { store, acknowledged, diskCalls } = await bench.kill('log', steps, moment)
  try {
    await assertLogSurvived(store, steps, acknowledged)
    if (keepsCommitIndex) await assertAllCommitted(store)
    await goesOn(store)
  } catch (error) {
    assert.fail(`killed ${placeOf(moment)} of step ${steps}: ${String(error)}`)
  }
  await store.close()
  return diskCalls
}

/** What was left must be a sound beginning. */
async function goesOn(store: LogStore): Promise<void> {
  const { firstIndex, entries } = await contentOf(store)
  const next = entries.length === 0 ? 1 : firstIndex + entries.length
  const added = sampleEntries(3, 2 ** 34)
  await append(store, next, added)
  await assertHolds(store, entries.length === 0 ? 1 : firstIndex, [...entries, ...added])
}
