import { writeSync } from 'node:fs'
import type { LogStore, SnapshotStore, StableStore } from '@raftkit/interface'
import type { KillMoment, KillOrder } from '../kill.ts'
import { LOG_SCRIPT } from '../log-store/script.ts'
import { nextTurn } from '../occasion.ts'
import { runSnapshotStep } from '../snapshot-store/killed.ts'
import { runStableStep } from '../stable-store/killed.ts'
import { DiskCalls } from './disk-calls.ts'

/** Where the process writes what is acknowledged: a pipe that takes it at once. */
export const ACKNOWLEDGEMENTS = 3

/** How to open the stores in a directory, those that there are. */
export interface DoomedStores {
  log?(directory: string): Promise<LogStore>
  stable?(directory: string): Promise<StableStore>
  snapshot?(directory: string): Promise<SnapshotStore>
}

/**
 * What a program does that `killing` runs: changes a store in the directory that it is told, and kills itself
 * (SIGKILL) at the moment that it is told. Never resolves.
 */
export async function runUntilKilled(stores: DoomedStores): Promise<never> {
  const [directory, given] = process.argv.slice(2)
  if (directory === undefined || given === undefined)
    throw new Error('this program is run by killing() of @raftkit/conformance/node')
  const { script, steps, moment } = JSON.parse(given) as KillOrder
  const run = await openFor(script, stores, directory)
  const calls = await DiskCalls.watch(kill)
  for (let step = 0; step < steps; step++) {
    await doStep(() => run(step), calls, step === steps - 1 ? moment : undefined)
    writeSync(ACKNOWLEDGEMENTS, `${calls.count}\n`)
  }
  return kill()
}

async function doStep(
  run: () => Promise<void>,
  calls: DiskCalls,
  moment: KillMoment | undefined,
): Promise<void> {
  calls.begin(moment && 'diskCall' in moment ? moment.diskCall : undefined)
  const step = run()
  if (!moment || 'diskCall' in moment) return step
  const countdown = async (): Promise<void> => {
    for (let turn = 0; turn < moment.turns; turn++) await nextTurn()
    kill()
  }
  // At zero turns the process ends here, with nothing done but the call itself.
  await Promise.race([step, countdown()])
}

async function openFor(
  script: KillOrder['script'],
  stores: DoomedStores,
  directory: string,
): Promise<(step: number) => Promise<void>> {
  if (script === 'log') {
    const log = await opened(stores.log?.(directory), script)
    return (step) => LOG_SCRIPT[step]!.run(log)
  }
  if (script === 'stable') {
    const stable = await opened(stores.stable?.(directory), script)
    return (step) => runStableStep(stable, step)
  }
  const snapshots = await opened(stores.snapshot?.(directory), script)
  return (step) => runSnapshotStep(snapshots, step)
}

async function opened<S>(opening: Promise<S> | undefined, script: string): Promise<S> {
  if (!opening) throw new Error(`runUntilKilled was not told how to open a '${script}' store`)
  return opening
}

function kill(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal may take a moment to arrive; nothing more is done meanwhile.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
}
