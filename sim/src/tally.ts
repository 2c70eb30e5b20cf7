import { MARKS } from '@raftkit/simulator'
import type { BrokenSeed, SeedFailure, SeedMessage } from './messages.ts'

/** So many plain seeds must reach every mark that is expected of them. */
const SEEDS_FOR_ALL_MARKS = 1000

/** Marks that are named when they were not reached; a few seeds reach few. */
const MOST_NAMED = 10

/** Share of seeds whose history may be left undecided. */
export const MOST_UNDECIDED = 0.005

/** Numbers of a seed that are summed up. */
const SUMMED = ['simulatedMs', 'busyMs', 'events', 'calls', 'committed'] as const

/** Sums of a run over many seeds. */
export class Tally {
  /** All that are counted. */
  readonly #names: readonly string[]
  readonly #expected: readonly string[]
  readonly #startedAt = performance.now()
  readonly #failures: SeedFailure[] = []
  readonly #broken: BrokenSeed[] = []
  readonly #marks = new Map<string, number>()
  readonly #sums: Record<(typeof SUMMED)[number], number> = {
    simulatedMs: 0,
    busyMs: 0,
    events: 0,
    calls: 0,
    committed: 0,
  }
  #seeds = 0
  #undecided = 0

  /** `expected`: marks that plain seeds must reach. */
  constructor(expected: readonly string[]) {
    this.#expected = expected
    this.#names = [...new Set([...MARKS, ...expected])]
  }

  get isClean(): boolean {
    return (
      this.#failures.length === 0 &&
      this.#broken.length === 0 &&
      !this.#isTooUndecided &&
      !this.#lacksMarks
    )
  }

  get #isTooUndecided(): boolean {
    return this.#undecided > Math.max(1, this.#seeds * MOST_UNDECIDED)
  }

  /** Marks that no seed has reached. */
  get #unreached(): readonly string[] {
    return this.#expected.filter((mark) => !this.#marks.has(mark))
  }

  get #lacksMarks(): boolean {
    return this.#seeds >= SEEDS_FOR_ALL_MARKS && this.#unreached.length > 0
  }

  add(message: SeedMessage): void {
    const { failure, historyUndecided, marks } = message
    this.#seeds++
    if (failure !== undefined) this.#failures.push(failure)
    if (historyUndecided) this.#undecided++
    for (const name of SUMMED) this.#sums[name] += message[name]
    for (const mark of this.#names) {
      const count = marks[mark]
      if (count !== undefined) this.#marks.set(mark, (this.#marks.get(mark) ?? 0) + count)
    }
  }

  /** A seed could not be run to its end. */
  addBroken(broken: BrokenSeed): void {
    this.#broken.push(broken)
  }

  /** What sim/README.md describes. */
  report(): Readonly<Record<string, unknown>> {
    const { simulatedMs, busyMs, events, calls, committed } = this.#sums
    const wallMs = performance.now() - this.#startedAt
    return {
      clean: this.isClean,
      seeds: this.#seeds,
      failures: this.#failures.toSorted((a, b) => a.seed - b.seed),
      broken: this.#broken.map(({ job, reason }) => ({ seed: job.seed, reason })),
      undecided: this.#undecided,
      marks: Object.fromEntries(this.#names.map((mark) => [mark, this.#marks.get(mark) ?? 0])),
      events,
      calls,
      committed,
      simulatedSeconds: simulatedMs / 1000,
      wallSeconds: wallMs / 1000,
      simulatedPerWallSecond: simulatedMs / wallMs,
      simulatedPerCoreSecond: busyMs === 0 ? 0 : simulatedMs / busyMs,
      seedsPerCoreMinute: busyMs === 0 ? 0 : this.#seeds / (busyMs / 60_000),
    }
  }

  summary(): string {
    const { simulatedMs, busyMs, events, calls, committed } = this.#sums
    const wallMs = performance.now() - this.#startedAt
    const lines = [
      `${this.#seeds} ${this.#seeds === 1 ? 'seed' : 'seeds'}: ${this.isClean ? 'nothing wrong' : this.#complaint()}`,
      `${Math.round(simulatedMs / 1000)} simulated seconds in ${(wallMs / 1000).toFixed(1)} s: ` +
        `${(simulatedMs / wallMs).toFixed(0)} per second, ` +
        `${(simulatedMs / busyMs).toFixed(0)} per second and core; ` +
        `${(this.#seeds / (busyMs / 60_000)).toFixed(0)} seeds per minute and core`,
      `${events} events, ${calls} calls, ${committed} entries committed, ` +
        `${this.#undecided} histories undecided (at most ${MOST_UNDECIDED * 100} % may be)`,
    ]
    const unreached = this.#unreached
    if (unreached.length > MOST_NAMED) lines.push(`${unreached.length} marks not reached`)
    else if (unreached.length > 0) lines.push(`marks not reached: ${unreached.join('; ')}`)
    for (const { check, replay } of this.#failures.toSorted((a, b) => a.seed - b.seed))
      lines.push(`  ${check}: pnpm sim ${replay} --trace (or --shrink)`)
    for (const { job, reason } of this.#broken)
      lines.push(`  seed ${job.seed} (profile ${job.profile}) was not finished: ${reason}`)
    return lines.join('\n')
  }

  #complaint(): string {
    const parts: string[] = []
    if (this.#failures.length > 0) parts.push(`${this.#failures.length} failed`)
    if (this.#broken.length > 0) parts.push(`${this.#broken.length} more were not finished`)
    if (this.#isTooUndecided) parts.push('too many histories undecided')
    if (this.#lacksMarks) parts.push('marks were not reached')
    return parts.join(', ')
  }
}
