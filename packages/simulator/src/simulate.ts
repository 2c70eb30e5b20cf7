import type { Random, StateMachine } from '@raftkit/interface'
import { Stream } from './random/streams.ts'
import type { Layer } from './server/layer.ts'
import { type Reduction, reducedWorld } from './shrinking/reduction.ts'
import { SimulationError } from './simulation-error.ts'
import type { StoryLine } from './story/trace.ts'
import { stopwatch } from './time/stopwatch.ts'
import { KvMachine } from './workload/kv-machine.ts'
import { kvWorkload } from './workload/kv-workload.ts'
import type { Workload } from './workload/workload.ts'
import { profileOf } from './world/profiles.ts'
import type { RunParts, SeedResult } from './world/seed-result.ts'
import { runWorld } from './world/run-world.ts'
import { drawWorld, type Profile } from './world/swarm.ts'

/** What to simulate. */
export interface SimulationOptions<
  M extends StateMachine<Output> = StateMachine<never>,
  Input = unknown,
  Output = never,
> {
  /** One seed; replaces `seeds`. */
  readonly seed?: number
  /** The first and the last seed. Default 1 to 20. */
  readonly seeds?: readonly [first: number, last: number]
  /** What kind of trouble: one of {@link PROFILE_NAMES}, or one of your own. Default `default`, a mix of all. */
  readonly profile?: string | Profile
  /** Number of servers, 1 to 7. Default: drawn, 1, 3, 5 or 7. */
  readonly servers?: number
  /** What is left out of the seed, as {@link shrink} finds it. */
  readonly reduction?: Reduction
  /** Gives a new state machine of yours in its initial state. Comes with `workload`. Default: a key-value store. */
  readonly stateMachine?: () => M
  /** Gives the calls of the clients of one run. */
  readonly workload?: () => Workload<M, Input, Output>
  /** A check of the state of your machine after each command: says what is wrong, or nothing. */
  readonly check?: (machine: M) => string | undefined
  /**
   * Gives code of yours that starts Raft on every server and runs around it; made anew for each seed, with chance to
   * draw what is the same on all servers. All calls of clients go through it. It comes with `stateMachine` and `workload`, and the `command` of a call must be what the state
   * machine is given in the end. Default: nothing but Raft, which clients call.
   */
  readonly layer?: (random: Random) => Layer<M, Input, Output>
  /** Events after which a run is given up and counts as failed. Default 5,000,000. */
  readonly maxEvents?: number
  /**
   * Fails a seed in which anything asks the platform for time, chance, a timer or the network: then the seed does not
   * decide everything. It watches the whole process, so it is for processes that do nothing else. Default false.
   */
  readonly guardRealTime?: boolean
  /** Told of everything that happens, as it happens. */
  readonly onLine?: (line: StoryLine) => void
}

/** What came of seeds that found nothing wrong. */
export interface SimulationReport {
  readonly seeds: number
  readonly simulatedMs: number
  readonly wallMs: number
  readonly events: number
  readonly calls: number
  readonly committed: number
  /** Seeds whose history the judge could not decide within its limits. */
  readonly undecided: number
}

/**
 * Runs clusters of whole Raft servers under faults, one for each seed, and checks everything that Raft promises: after
 * each event and at the end. Rejects with a {@link SimulationError} at the first seed that fails.
 */
export async function simulate<
  M extends StateMachine<Output> = StateMachine<never>,
  Input = unknown,
  Output = never,
>(options: SimulationOptions<M, Input, Output> = {}): Promise<SimulationReport> {
  const [first, last] =
    options.seed === undefined ? (options.seeds ?? [1, 20]) : [options.seed, options.seed]
  const elapsed = stopwatch()
  const report = { seeds: 0, simulatedMs: 0, events: 0, calls: 0, committed: 0, undecided: 0 }
  for (let seed = first; seed <= last; seed++) {
    const result = await runSeed(seed, options)
    if (result.violation !== undefined) throw new SimulationError(result, result.violation.check)
    report.seeds++
    report.simulatedMs += result.simulatedMs
    report.events += result.events
    report.calls += result.calls
    report.committed += result.committed
    if (result.historyUndecided) report.undecided++
  }
  return { ...report, wallMs: elapsed() }
}

/** Runs one seed. Does not reject: what was found wrong is in the result. */
export function runSeed<M extends StateMachine<Output>, Input, Output>(
  seed: number,
  options: Omit<SimulationOptions<M, Input, Output>, 'seed' | 'seeds'> = {},
): Promise<SeedResult> {
  const {
    profile = 'default',
    stateMachine,
    workload,
    check,
    layer,
    maxEvents,
    guardRealTime,
    onLine,
  } = options
  const { servers } = options
  const reduction: Reduction = {
    ...(servers === undefined ? {} : { servers }),
    ...options.reduction,
  }
  const drawn = drawWorld(
    seed,
    typeof profile === 'string' ? profileOf(profile) : profile,
    reduction.servers,
  )
  const world = reducedWorld(drawn, reduction)
  if (stateMachine === undefined || workload === undefined) {
    if (stateMachine !== undefined || workload !== undefined || layer !== undefined)
      throw new TypeError(
        'stateMachine and workload come together, and layer comes with both of them',
      )
    return runWorld(world, {
      newMachine: () => new KvMachine(),
      workload: kvWorkload(),
      reduction,
      maxEvents,
      guardRealTime,
      onLine,
    })
  }
  const parts: RunParts<M, Input, Output> = {
    newMachine: stateMachine,
    workload: workload(),
    check,
    layer: layer?.(new Stream(seed, 'layer')),
    reduction,
    maxEvents,
    guardRealTime,
    onLine,
  }
  return runWorld(world, parts)
}
