import type { Clock, TimerHandle } from '@raftkit/interface'
import type { RaftConfig } from '../config.ts'

/** A pause of the event loop, in milliseconds, that voids leases. */
export function stallThresholdOf(
  config: Pick<RaftConfig, 'eventLoopStallMs' | 'leaderLeaseTimeoutMs'>,
): number {
  return Math.min(config.eventLoopStallMs, config.leaderLeaseTimeoutMs / 2)
}

/**
 * Notices that the event loop stood still: a timer that should have fired long ago has not. A stall is reported at
 * the start of the turn that follows it, before the input that waited meanwhile is looked at.
 */
export class StallWatch {
  readonly #clock: Clock
  readonly #onStall: (forMs: number) => void
  #thresholdMs: number
  #due = Infinity
  #stalledFor = 0
  #timer: TimerHandle | undefined

  /** `onStall` is called once for each pause of the event loop above `thresholdMs`. */
  constructor(clock: Clock, thresholdMs: number, onStall: (forMs: number) => void) {
    this.#clock = clock
    this.#thresholdMs = thresholdMs
    this.#onStall = onStall
  }

  /** A pause above which a stall is reported from now on. */
  set thresholdMs(thresholdMs: number) {
    this.#thresholdMs = thresholdMs
  }

  // A pause that begins just after a beat is seen only by what exceeds the interval: keep that part small.
  get #intervalMs(): number {
    return this.#thresholdMs / 4
  }

  start(): void {
    const intervalMs = this.#intervalMs
    this.#due = this.#clock.now() + intervalMs
    this.#timer = this.#clock.setTimer(intervalMs, this.#beat)
  }

  readonly #beat = (): void => {
    this.#look(this.#clock.now())
    this.start()
  }

  /** How long the event loop has stood still since the last call; undefined when it did not. */
  take(now: number): number | undefined {
    this.#look(now)
    const stalledFor = this.#stalledFor
    this.#stalledFor = 0
    return stalledFor === 0 ? undefined : stalledFor
  }

  close(): void {
    this.#timer?.cancel()
  }

  #look(now: number): void {
    const late = now - this.#due
    if (late <= this.#thresholdMs) return
    this.#due = now + this.#intervalMs
    this.#stalledFor += late
    this.#onStall(late)
  }
}
