import type { Clock, Index, Term, TimerHandle } from '@raftkit/interface'
import { leadershipOver, type Leadership } from '../leadership/leadership.ts'

/**
 * One period in which this server holds the lease: it ends by itself when the lease runs out.
 *
 * Timers run only when the event loop does. So the signal looks at the clock whenever it is asked: after a stall of
 * the event loop `signal.aborted` is true, and `signal.throwIfAborted()` throws, before anything else has run. Whoever
 * only listens to the abort event hears of it in the next turn of timers, or with the first look of anybody else.
 */
export class HeldLeadership {
  readonly leadership: Leadership
  readonly #end = new AbortController()
  readonly #clock: Clock
  readonly #onEnd: (reason: string) => void
  #isOver = false
  #until: number
  #timer: TimerHandle | undefined

  /** Held until `until`, unless {@link extend} moves that. `onEnd` is called once. */
  constructor(
    { term, fencingToken }: { readonly term: Term; readonly fencingToken: Index },
    until: number,
    clock: Clock,
    onEnd: (reason: string) => void,
  ) {
    this.#until = until
    this.#clock = clock
    this.#onEnd = onEnd
    this.leadership = { term, fencingToken, signal: this.#lookingSignal() }
    this.#arm()
  }

  /** Whether it is held at this moment. */
  get isHeld(): boolean {
    if (!this.#isOver && this.#clock.now() >= this.#until)
      this.end('no quorum confirmed it within the lease, or the event loop stood still')
    return !this.#isOver
  }

  get remainingMs(): number {
    return this.isHeld ? this.#until - this.#clock.now() : 0
  }

  /** A quorum has confirmed it. One that has run out stays so. */
  extend(until: number): void {
    if (this.isHeld) this.#until = Math.max(this.#until, until)
  }

  end(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.cancel()
    this.#end.abort(leadershipOver(this.leadership.term, reason))
    this.#onEnd(reason)
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(Math.max(1, this.#until - this.#clock.now()), () => {
      if (this.isHeld) this.#arm()
    })
  }

  /** The signal itself, whose `aborted` and `throwIfAborted` look at the clock first. */
  #lookingSignal(): AbortSignal {
    const { signal } = this.#end
    return Object.defineProperties(signal, {
      aborted: { get: (): boolean => !this.isHeld },
      throwIfAborted: {
        value: (): void => {
          if (!this.isHeld) throw signal.reason
        },
      },
    })
  }
}
