import type { Clock, TimerHandle } from '@raftkit/interface'

/**
 * The one timer of consensus. When it fires, waiting input is delivered first; what is due is then decided by the
 * time that has really passed.
 */
export class WakeTimer {
  readonly #clock: Clock
  readonly #onWake: () => void
  #time = Infinity
  #armedFor = Infinity
  #timer: TimerHandle | undefined

  constructor(clock: Clock, onWake: () => void) {
    this.#clock = clock
    this.#onWake = onWake
  }

  /** Wakes at `time`; replaces the earlier wish. */
  wakeAt(time: number): void {
    this.#time = time
    // A timer that fires too early is armed again then; that is cheaper than arming it anew for every wish.
    if (time < this.#armedFor) this.#arm()
  }

  close(): void {
    this.#time = Infinity
    this.#timer?.cancel()
  }

  #arm(): void {
    this.#timer?.cancel()
    this.#armedFor = this.#time
    this.#timer = this.#clock.setTimer(Math.max(0, this.#time - this.#clock.now()), () =>
      this.#fire(),
    )
  }

  #fire(): void {
    this.#armedFor = Infinity
    if (this.#time === Infinity) return
    if (this.#clock.now() < this.#time) this.#arm()
    else {
      this.#time = Infinity
      this.#onWake()
    }
  }
}
