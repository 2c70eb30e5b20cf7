import { type Clock, RaftError, type Outcome, type TimerHandle } from '@raftkit/interface'
import { systemClock } from './system.ts'

/** How long a call may take. Every call that waits takes these. */
export interface WaitOptions {
  /** Stops waiting: the call rejects with `RAFT_ABORTED`. A command that was sent may still take effect. */
  readonly signal?: AbortSignal
  /** Milliseconds until the call rejects with `RAFT_TIMEOUT`. */
  readonly timeoutMs?: number
}

/** The moment at which one call gives up, shared by all its attempts. */
export class Deadline {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
  readonly #clock: Clock
  readonly #at: number

  constructor(
    options: WaitOptions | undefined,
    defaultTimeoutMs: number,
    clock: Clock = systemClock,
  ) {
    const timeoutMs = options?.timeoutMs ?? defaultTimeoutMs
    if (!Number.isFinite(timeoutMs) || timeoutMs <= 0)
      throw new RaftError(
        'RAFT_INVALID_ARGUMENT',
        `timeoutMs must be a positive number of milliseconds, not ${timeoutMs}.`,
        { outcome: 'not-committed' },
      )
    this.signal = options?.signal
    this.timeoutMs = timeoutMs
    this.#clock = clock
    this.#at = clock.now() + timeoutMs
  }

  get remainingMs(): number {
    return Math.max(0, this.#at - this.#clock.now())
  }

  get passed(): boolean {
    return this.remainingMs === 0
  }

  /** What to pass on to a call that this one makes. */
  get rest(): WaitOptions {
    const timeoutMs = Math.max(1, this.remainingMs)
    return this.signal === undefined ? { timeoutMs } : { timeoutMs, signal: this.signal }
  }

  /** Throws when the caller gave up. */
  check(outcome: Outcome): void {
    if (this.signal?.aborted === true) throw this.abortion(outcome)
  }

  abortion(outcome: Outcome): RaftError {
    return new RaftError('RAFT_ABORTED', 'The call was aborted by its signal.', {
      outcome,
      cause: this.signal?.reason,
    })
  }

  expiry(outcome: Outcome, doing: string): RaftError {
    return new RaftError('RAFT_TIMEOUT', `${doing} took longer than ${this.timeoutMs} ms.`, {
      outcome,
      retryable: outcome === 'not-committed',
      details: { timeoutMs: this.timeoutMs },
    })
  }

  /** Calls `callback` once when the time is up. */
  onPassed(callback: () => void): TimerHandle {
    return this.#clock.setTimer(this.remainingMs, callback)
  }

  /**
   * Resolves after `maxMs`, when `subscribe` reports, when the deadline passes or the caller gives up: whichever
   * is first.
   */
  pause(maxMs: number, subscribe: (wake: () => void) => () => void): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        unsubscribe()
        this.signal?.removeEventListener('abort', wake)
        resolve()
      }
      const timer = this.#clock.setTimer(Math.min(maxMs, this.remainingMs), wake)
      const unsubscribe = subscribe(wake)
      this.signal?.addEventListener('abort', wake, { once: true })
    })
  }
}
