import type { Clock, TimerHandle } from '@raftkit/interface'

/**
 * One time limit that is started over and over. Starting it again costs a look at the clock, not a timer: the
 * timer that is already set looks, when it fires, how much time is left.
 */
export class Countdown {
  readonly #clock: Clock
  readonly #onExpire: () => void
  #expiresAt: number | undefined
  #firesAt = Infinity
  #timer: TimerHandle | undefined

  constructor(clock: Clock, onExpire: () => void) {
    this.#clock = clock
    this.#onExpire = onExpire
  }

  /** Runs out `ms` milliseconds from now, whatever was before. */
  start(ms: number): void {
    const expiresAt = this.#clock.now() + ms
    this.#expiresAt = expiresAt
    if (expiresAt >= this.#firesAt) return
    this.#timer?.cancel()
    this.#setTimer(ms, expiresAt)
  }

  /** Called off until the next start; the timer may stay to be used again. */
  pause(): void {
    this.#expiresAt = undefined
  }

  /** Called off for good; nothing is left that keeps the process alive. */
  end(): void {
    this.#expiresAt = undefined
    this.#timer?.cancel()
    this.#timer = undefined
    this.#firesAt = Infinity
  }

  #setTimer(ms: number, firesAt: number): void {
    this.#firesAt = firesAt
    this.#timer = this.#clock.setTimer(ms, () => this.#fired())
  }

  #fired(): void {
    this.#timer = undefined
    this.#firesAt = Infinity
    if (this.#expiresAt === undefined) return
    const left = this.#expiresAt - this.#clock.now()
    if (left > 0) {
      this.#setTimer(left, this.#expiresAt)
      return
    }
    this.#expiresAt = undefined
    this.#onExpire()
  }
}
