import { MARKS, type CheckName, type Mark } from '@raftkit/simulator'

/** What a worker says of one seed. */
export interface SeedMessage {
  readonly seed: number
  readonly check: CheckName | undefined
  /** The failure in words. */
  readonly failure: string | undefined
  readonly simulatedMs: number
  /** Time that the seed took on its core. */
  readonly busyMs: number
  readonly events: number
  readonly calls: number
  readonly committed: number
  readonly marks: Readonly<Partial<Record<Mark, number>>>
}

/** Sums of a run over many seeds. */
export class Tally {
  seeds = 0
  /** Seeds that no worker finished. */
  broken = 0
  readonly #profile: string
  readonly #startedAt = performance.now()
  readonly #failures: { readonly seed: number; readonly check: CheckName }[] = []
  readonly #marks = new Map<Mark, number>()
  #first = Infinity
  #last = -Infinity
  #simulatedMs = 0
  #busyMs = 0
  #events = 0
  #calls = 0
  #committed = 0

  constructor(profile: string) {
    this.#profile = profile
  }

  get isClean(): boolean {
    return this.#failures.length === 0 && this.broken === 0 && !this.#lacksMarks
  }

  /** Marks that no seed has reached. */
  get #unreached(): readonly Mark[] {
    return MARKS.filter((mark) => !this.#marks.has(mark))
  }

  /** So many seeds of the default profile must reach every mark. */
  get #lacksMarks(): boolean {
    return this.#profile === 'default' && this.seeds >= 1000 && this.#unreached.length > 0
  }

  add(message: SeedMessage): void {
    this.seeds++
    this.#first = Math.min(this.#first, message.seed)
    this.#last = Math.max(this.#last, message.seed)
    this.#simulatedMs += message.simulatedMs
    this.#busyMs += message.busyMs
    this.#events += message.events
    this.#calls += message.calls
    this.#committed += message.committed
    for (const mark of MARKS) {
      const count = message.marks[mark]
      if (count !== undefined) this.#marks.set(mark, (this.#marks.get(mark) ?? 0) + count)
    }
    if (message.check !== undefined)
      this.#failures.push({ seed: message.seed, check: message.check })
  }

  report(): object {
    const wallMs = performance.now() - this.#startedAt
    return {
      profile: this.#profile,
      seeds: this.seeds,
      first: this.#first,
      last: this.#last,
      broken: this.broken,
      failures: this.#failures.toSorted((a, b) => a.seed - b.seed),
      marks: Object.fromEntries(MARKS.map((mark) => [mark, this.#marks.get(mark) ?? 0])),
      events: this.#events,
      calls: this.#calls,
      committed: this.#committed,
      simulatedSeconds: this.#simulatedMs / 1000,
      wallSeconds: wallMs / 1000,
      simulatedPerWallSecond: this.#simulatedMs / wallMs,
      simulatedPerCoreSecond: this.#simulatedMs / this.#busyMs,
      seedsPerCoreMinute: this.seeds / (this.#busyMs / 60_000),
    }
  }

  summary(): string {
    const wallMs = performance.now() - this.#startedAt
    const lines = [
      `${this.seeds} seeds (${this.#first}..${this.#last}), profile ${this.#profile}: ` +
        (this.isClean ? 'nothing wrong' : `${this.#failures.length} failed`),
      `${Math.round(this.#simulatedMs / 1000)} simulated seconds in ${(wallMs / 1000).toFixed(1)} s: ` +
        `${(this.#simulatedMs / wallMs).toFixed(0)} per second, ` +
        `${(this.#simulatedMs / this.#busyMs).toFixed(0)} per second and core; ` +
        `${(this.seeds / (this.#busyMs / 60_000)).toFixed(0)} seeds per minute and core`,
      `${this.#events} events, ${this.#calls} calls, ${this.#committed} entries committed`,
    ]
    if (this.#unreached.length > 0) lines.push(`marks not reached: ${this.#unreached.join('; ')}`)
    if (this.broken > 0) lines.push(`${this.broken} seeds were not finished: a worker process died`)
    for (const { seed, check } of this.#failures.toSorted((a, b) => a.seed - b.seed))
      lines.push(`  seed ${seed}: ${check}`)
    return lines.join('\n')
  }
}
