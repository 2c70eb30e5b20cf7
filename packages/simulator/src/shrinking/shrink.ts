import type { StateMachine } from '@raftkit/interface'
import type { CheckName } from '../checks/violation.ts'
import { plannedActs } from '../nemesis/schedule.ts'
import { runSeed, type SimulationOptions } from '../simulate.ts'
import { wordsOf } from '../story/trace.ts'
import type { SeedResult } from '../world/seed-result.ts'
import { smallestFailing } from './delta-debugging.ts'
import { FAULT_CLASSES, type FaultClass, presentClasses } from './fault-classes.ts'
import type { Reduction } from './reduction.ts'

/** How a failing seed is made smaller. */
export interface ShrinkOptions<
  M extends StateMachine<Output> = StateMachine<never>,
  Input = unknown,
  Output = never,
> extends Omit<SimulationOptions<M, Input, Output>, 'seed' | 'seeds' | 'onLine'> {
  /** Runs that may be made, the first one included. Default 1000. */
  readonly maxRuns?: number
  /** Told of every smaller run that still fails. */
  readonly onSmaller?: (result: SeedResult, runs: number) => void
}

/** A failing seed made smaller. */
export interface ShrunkSeed {
  /** The seed as it failed first. */
  readonly original: SeedResult
  /** The smallest run found that fails the same check. `result.reduction` reproduces it. */
  readonly result: SeedResult
  /** Everything that happens in that run, in words. */
  readonly story: readonly string[]
  /** Runs that it took. */
  readonly runs: number
}

const DEFAULT_MAX_RUNS = 1000

/** Other courses of events that are tried for each candidate. */
const VARIANTS = 4

/**
 * Looks for the smallest part of a failing seed that fails the same check: without classes of faults, with few acts of
 * nemeses, few servers, clients and calls, and ending early. Every candidate is a whole run of its own; when nothing
 * smaller fails as the seed has it, what is left is given other chances. Undefined when the seed does not fail.
 */
export async function shrink<M extends StateMachine<Output>, Input, Output>(
  seed: number,
  options: ShrinkOptions<M, Input, Output> = {},
): Promise<ShrunkSeed | undefined> {
  const { reduction = {}, maxRuns = DEFAULT_MAX_RUNS, onSmaller = () => {} } = options
  const original = await runSeed(seed, options)
  if (original.violation === undefined) return undefined
  const attempt: Attempt = (candidate, maxEvents) =>
    runSeed(seed, { ...options, reduction: candidate, maxEvents })
  const { servers } = options
  const first = servers === undefined ? reduction : { servers, ...reduction }
  const shrinker = new Shrinker(original, first, attempt, maxRuns, onSmaller)
  await shrinker.run()
  const story: string[] = []
  const result = await runSeed(seed, {
    ...options,
    reduction: shrinker.reduction,
    onLine: (line) => story.push(wordsOf(line)),
  })
  return { original, result, story, runs: shrinker.runs }
}

/** A candidate may take so many times the events of the smallest run: one that goes on without failing costs most. */
const LONGER = 3

type Attempt = (reduction: Reduction, maxEvents: number) => Promise<SeedResult>

/** Parts of a number that are tried in its place, smallest first. */
const PARTS = [0, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8, 15 / 16]

class Shrinker {
  /** The smallest that failed so far. */
  reduction: Reduction
  runs = 1
  #result: SeedResult
  readonly #check: CheckName | undefined
  readonly #attempt: Attempt
  readonly #maxRuns: number
  readonly #onSmaller: (result: SeedResult, runs: number) => void
  /** Candidates that do not fail. */
  readonly #passed = new Set<string>()
  #variants = 0

  constructor(
    original: SeedResult,
    reduction: Reduction,
    attempt: Attempt,
    maxRuns: number,
    onSmaller: (result: SeedResult, runs: number) => void,
  ) {
    this.#result = original
    this.reduction = reduction
    this.#check = original.violation?.check
    this.#attempt = attempt
    this.#maxRuns = maxRuns
    this.#onSmaller = onSmaller
  }

  async run(): Promise<void> {
    await this.#untilNothingIsSmaller()
    this.#variants = VARIANTS
    await this.#untilNothingIsSmaller()
  }

  async #untilNothingIsSmaller(): Promise<void> {
    for (;;) {
      const before = JSON.stringify(this.reduction)
      await this.#endEarly()
      await this.#switchOff()
      await this.#leaveActsOut()
      await this.#takeServersAway()
      await this.#quieten()
      if (JSON.stringify(this.reduction) === before || this.runs >= this.#maxRuns) return
    }
  }

  /** True when a run without this too fails the same check; then it is the smallest so far. */
  async #accepts(change: Reduction): Promise<boolean> {
    const candidate = { ...this.reduction, ...change }
    if (await this.#tries(candidate)) return true
    // With less going on, the failure may need more time.
    const { untilMs: _, ...longer } = candidate
    const base = change.untilMs === undefined ? longer : candidate
    for (let variant = 0; variant < this.#variants; variant++)
      if (await this.#tries({ ...base, variant })) return true
    return false
  }

  async #tries(candidate: Reduction): Promise<boolean> {
    const key = JSON.stringify(candidate)
    if (this.#passed.has(key) || this.runs >= this.#maxRuns) return false
    this.runs++
    const result = await this.#attempt(candidate, LONGER * this.#result.events + 1000)
    if (result.violation?.check !== this.#check) {
      this.#passed.add(key)
      return false
    }
    this.reduction = candidate
    this.#result = result
    this.#onSmaller(result, this.runs)
    return true
  }

  async #endEarly(): Promise<void> {
    const { simulatedMs, options } = this.#result
    // Nothing that was to happen after the failure can matter to it.
    if (simulatedMs < options.durationMs)
      await this.#tries({ ...this.reduction, untilMs: Math.ceil(simulatedMs) })
    await this.#lower('untilMs', Math.ceil(this.#result.options.durationMs))
  }

  async #switchOff(): Promise<void> {
    const off = this.reduction.without ?? []
    const present = presentClasses(this.#result.options)
    await smallestFailing(present, (on) => {
      const isOff = (name: FaultClass): boolean =>
        off.includes(name) || (present.includes(name) && !on.includes(name))
      return this.#accepts({ without: FAULT_CLASSES.filter(isOff) })
    })
  }

  async #leaveActsOut(): Promise<void> {
    const planned = plannedActs(this.#result.options).map(({ number }) => number)
    const kept = this.reduction.acts
    const present = kept === undefined ? planned : planned.filter((act) => kept.includes(act))
    if (present.length !== kept?.length) await this.#accepts({ acts: present })
    await smallestFailing(present, (acts) => this.#accepts({ acts }))
  }

  async #takeServersAway(): Promise<void> {
    for (const servers of [1, 2, 3, 4, 5, 6])
      if (servers < this.#result.options.servers && (await this.#accepts({ servers }))) return
  }

  async #quieten(): Promise<void> {
    await this.#lower('clients', this.#result.options.workload.clients)
    await this.#lower('calls', this.#result.calls)
  }

  /** Lowers a number as far as the run goes on to fail. */
  async #lower(name: 'untilMs' | 'clients' | 'calls', from: number): Promise<void> {
    let value = from
    for (;;) {
      let lower: number | undefined
      for (const part of PARTS) {
        const candidate = Math.floor(value * part)
        if (candidate < value && (await this.#accepts({ [name]: candidate }))) {
          lower = candidate
          break
        }
      }
      if (lower === undefined) return
      value = lower
    }
  }
}
