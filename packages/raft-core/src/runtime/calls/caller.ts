import { RaftError, type Outcome } from '@raftkit/interface'

/** Limits of a call that waits. */
export interface WaitOptions {
  /** Stops waiting; the call rejects with `RAFT_ABORTED`. What was already appended is not taken back. */
  readonly signal?: AbortSignal
  /** Milliseconds, above 0, after which the call rejects with `RAFT_TIMEOUT`. Default: no limit. */
  readonly timeoutMs?: number
}

/** What a {@link Caller} is made of. */
export interface CallerParts<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
  /** What the call is for, in its error messages: "the command". */
  readonly subject: string
  readonly deadline: number
  readonly signal?: AbortSignal | undefined
  /** Bytes that it holds of a limited budget. */
  readonly weight: number
  readonly outcome?: Outcome
}

/** Someone who waits for an answer of this server, with their limits. Settles exactly once. */
export class Caller<T> {
  /** Monotonic time after which the caller does not wait any more; Infinity when there is no limit. */
  readonly deadline: number
  readonly weight: number
  /** What is known of the caller's command, should the wait end now; undefined for calls that change nothing. */
  outcome: Outcome | undefined
  settled = false
  readonly #resolve: (value: T) => void
  readonly #reject: (error: unknown) => void
  readonly #subject: string
  readonly #signal: AbortSignal | undefined
  #onAbort: (() => void) | undefined

  constructor(parts: CallerParts<T>) {
    this.deadline = parts.deadline
    this.weight = parts.weight
    this.outcome = parts.outcome
    this.#resolve = parts.resolve
    this.#reject = parts.reject
    this.#subject = parts.subject
    this.#signal = parts.signal
    if (parts.signal !== undefined) this.#listen(parts.signal)
  }

  resolve(value: T): void {
    if (this.#settle()) this.#resolve(value)
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error)
  }

  /** Rejects with `RAFT_TIMEOUT` when the deadline has passed. */
  expire(now: number): void {
    if (now >= this.deadline)
      this.reject(this.#gaveUp('RAFT_TIMEOUT', `${this.#subject} was not finished in time`))
  }

  #listen(signal: AbortSignal): void {
    this.#onAbort = () =>
      this.reject(this.#gaveUp('RAFT_ABORTED', `the wait for ${this.#subject} was aborted`))
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  #gaveUp(code: 'RAFT_TIMEOUT' | 'RAFT_ABORTED', message: string): RaftError {
    const advice =
      this.outcome === 'not-committed'
        ? '; it was not appended and will not take effect'
        : this.outcome === 'unknown'
          ? '; it may still take effect: repeat it only if it is idempotent'
          : ''
    return new RaftError(code, message + advice, {
      retryable: code === 'RAFT_TIMEOUT',
      ...(this.outcome === undefined ? {} : { outcome: this.outcome }),
      ...(code === 'RAFT_ABORTED' ? { cause: this.#signal?.reason } : {}),
    })
  }

  #settle(): boolean {
    if (this.settled) return false
    this.settled = true
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
    return true
  }
}
