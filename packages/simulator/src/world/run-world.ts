import type { StateMachine } from '@raftkit/interface'
import { wordsOf } from '../story/trace.ts'
import { guardRealTime } from '../time/real-time-guard.ts'
import { Services } from '../workload/services.ts'
import type { RunParts, SeedResult } from './seed-result.ts'
import { SeedRun } from './seed-run.ts'
import type { WorldOptions } from './world-options.ts'
import { World } from './world.ts'

/** Runs one world from beginning to end. Never throws: what is wrong stands in the result. */
export async function runWorld<M extends StateMachine<Output>, Input, Output>(
  options: WorldOptions,
  parts: RunParts<M, Input, Output>,
): Promise<SeedResult> {
  const services = parts.layer === undefined ? undefined : new Services(parts.layer)
  const world = new World<M, Output>(options, parts, services)
  const run = new SeedRun(world, parts, services)
  const release = parts.guardRealTime === true ? guardRealTime(world.strayed) : undefined
  try {
    await run.run()
  } finally {
    release?.()
  }
  const { violation, trace, time, committed } = world
  return {
    seed: options.seed,
    profile: options.profile,
    traceHash: trace.hash,
    violation,
    story: violation === undefined ? [] : trace.lines.map(wordsOf),
    reduction: parts.reduction ?? {},
    options,
    simulatedMs: time.now(),
    events: time.events,
    calls: run.ledger.count,
    committed: committed.lastIndex,
    historyUndecided: run.historyUndecided,
    marks: world.marks.reached,
    ownMarks: world.marks.reachedOwn,
  }
}
