/** What a process does when it runs again after a pause, in this order, as an event loop has it. */
const KINDS = ['timer', 'input', 'turn-end', 'output'] as const

/** Why a process runs. */
export type WakeKind = (typeof KINDS)[number]

/**
 * One run of a server, from its start to its crash. It can be paused: then nothing of it runs, and everything that was
 * due comes late. After its crash nothing of it runs any more, and nobody is told.
 */
export class Process {
  #isDead = false
  #held: Record<WakeKind, (() => void)[]> | undefined
  #aheadMs = 0
  /** Messages of a leader that came while the process was paused. */
  heartbeatsWaiting = 0
  #endOfLife: () => void = () => {}
  /** Resolves when the process crashes. */
  readonly died: Promise<void> = new Promise((resolve) => {
    this.#endOfLife = resolve
  })

  get isDead(): boolean {
    return this.#isDead
  }

  get isPaused(): boolean {
    return this.#held !== undefined
  }

  /** How far the clock of the process is ahead of the world's, because it stands still in the middle of a turn. */
  get aheadMs(): number {
    return this.#aheadMs
  }

  /** Runs something of the process: now, after its pause, or never. */
  run(kind: WakeKind, callback: () => void): void {
    if (this.#isDead) return
    if (this.#held === undefined) callback()
    else this.#held[kind].push(callback)
  }

  /** The promise as the process sees it. */
  pass<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      promise.then(
        (value) => this.run('input', () => resolve(value)),
        (error: unknown) => this.run('input', () => reject(error)),
      )
    })
  }

  /** Nothing runs from now on. `aheadMs` when the process pauses inside of what it is doing. */
  pause(aheadMs = 0): void {
    this.#held ??= { timer: [], input: [], 'turn-end': [], output: [] }
    this.#aheadMs = Math.max(this.#aheadMs, aheadMs)
  }

  /** Everything that was due meanwhile runs. */
  resume(): void {
    const held = this.#held
    this.#held = undefined
    this.#aheadMs = 0
    this.heartbeatsWaiting = 0
    if (held === undefined) return
    for (const kind of KINDS) for (const callback of held[kind]) this.run(kind, callback)
  }

  die(): void {
    this.#isDead = true
    this.#held = undefined
    this.#endOfLife()
  }
}
