// One server's view of a clock: its event loop can be made to stand still while the others' go on.
import type { Clock, TimerHandle } from '@raftkit/interface'

export class StallableClock implements Clock {
  readonly #clock: Clock
  #held: (() => void)[] | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  wallTime(): number {
    return this.#clock.wallTime()
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    let isCancelled = false
    const timer = this.#clock.setTimer(delayMs, () =>
      this.#run(() => {
        if (!isCancelled) callback()
      }),
    )
    return {
      cancel() {
        isCancelled = true
        timer.cancel()
      },
    }
  }

  afterInput(callback: () => void): void {
    this.#clock.afterInput(() => this.#run(callback))
  }

  /** Nothing of this server runs until {@link resume}. */
  stall(): void {
    this.#held ??= []
  }

  /** Everything that was due meanwhile runs, timers first, as a platform does it. */
  resume(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const callback of held) callback()
  }

  #run(callback: () => void): void {
    if (this.#held === undefined) callback()
    else this.#held.push(callback)
  }
}
