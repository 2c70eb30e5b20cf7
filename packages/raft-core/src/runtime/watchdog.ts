import type { Clock, TimerHandle } from '@raftkit/interface'

/**
 * Notices that something under way makes no progress for `limitMs`. The timer is armed again only when it fires,
 * so starting and stopping thousands of times a second costs a clock reading each.
 */
export class Watchdog {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #onStall: (forMs: number) => void
  #since: number | undefined
  #timer: TimerHandle | undefined
  #isClosed = false

  constructor(clock: Clock, limitMs: number, onStall: (forMs: number) => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#onStall = onStall
  }

  /** Something is under way from now on, or has just made progress. */
  start(): void {
    if (this.#isClosed) return
    this.#since = this.#clock.now()
    if (this.#timer === undefined) this.#arm(this.#limitMs)
  }

  /** Nothing is under way. */
  stop(): void {
    this.#since = undefined
  }

  /** Watches no more, whatever is begun after it. */
  close(): void {
    this.#isClosed = true
    this.#since = undefined
    this.#timer?.cancel()
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => this.#fire())
  }

  // After a pause of the whole event loop the news of progress may be waiting: it is delivered first.
  #fire(): void {
    this.#clock.afterInput(() => {
      this.#timer = undefined
      if (this.#since === undefined) return
      const elapsed = this.#clock.now() - this.#since
      if (elapsed < this.#limitMs) this.#arm(this.#limitMs - elapsed)
      else this.#onStall(elapsed)
    })
  }
}
