import type { Clock, TimerHandle } from '@raftkit/interface'

/** The least time between two sweeps: many distinct deadlines are served together. */
const MIN_INTERVAL_MS = 5

/**
 * One timer for the deadlines of many callers. `sweep` ends those that are over and tells the earliest deadline
 * that remains (Infinity when none). With equal timeouts it runs about once per timeout, however many callers.
 */
export class DeadlineSweep {
  readonly #clock: Clock
  readonly #sweep: (now: number) => number
  #next = Infinity
  #timer: TimerHandle | undefined

  constructor(clock: Clock, sweep: (now: number) => number) {
    this.#clock = clock
    this.#sweep = sweep
  }

  /** A caller with this deadline waits. */
  note(deadline: number): void {
    if (deadline < this.#next) this.#arm(deadline, 0)
  }

  close(): void {
    this.#timer?.cancel()
    this.#next = -Infinity
  }

  #arm(deadline: number, leastDelayMs: number): void {
    this.#timer?.cancel()
    this.#next = deadline
    const delayMs = Math.max(deadline - this.#clock.now(), leastDelayMs)
    this.#timer = this.#clock.setTimer(delayMs, () => this.#fire())
  }

  // Answers that have already arrived come first.
  #fire(): void {
    this.#clock.afterInput(() => {
      if (this.#next === -Infinity) return
      this.#next = Infinity
      const remaining = this.#sweep(this.#clock.now())
      if (remaining < this.#next) this.#arm(remaining, MIN_INTERVAL_MS)
    })
  }
}
