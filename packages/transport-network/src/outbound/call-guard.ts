import type { Clock } from '@raftkit/interface'
import { Countdown } from '../timing/countdown.ts'

/**
 * The time limit and the abort signal of one call. Whichever strikes first is told once to whoever does the
 * call's work at that moment: the dial first, then the connection.
 */
export class CallGuard {
  readonly #countdown: Countdown
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.#trip(this.#signal?.reason)
  #listener: ((reason: unknown) => void) | undefined
  #tripped: { readonly reason: unknown } | undefined

  /** `timedOut` makes the error for a call that ran out of time. The signal must not be aborted yet. */
  constructor(
    clock: Clock,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    timedOut: () => Error,
  ) {
    this.#countdown = new Countdown(clock, () => this.#trip(timedOut()))
    this.#countdown.start(timeoutMs)
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Replaces who is told; told at once when it has already struck. */
  watch(listener: (reason: unknown) => void): void {
    this.#listener = listener
    if (this.#tripped !== undefined) listener(this.#tripped.reason)
  }

  /** There was progress: the time limit counts anew. */
  restart(timeoutMs: number): void {
    if (this.#tripped === undefined) this.#countdown.start(timeoutMs)
  }

  /** The call is over. */
  end(): void {
    this.#listener = undefined
    this.#countdown.end()
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  #trip(reason: unknown): void {
    if (this.#tripped !== undefined) return
    this.#tripped = { reason }
    this.#listener?.(reason)
  }
}
