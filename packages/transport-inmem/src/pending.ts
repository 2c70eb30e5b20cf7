import { RaftError } from '@raftkit/interface'
import type { Clock, TimerHandle } from '@raftkit/interface'

/** Who waits, for what and how long. */
export interface PendingOptions {
  readonly clock: Clock
  /** What is waited for, for messages: `answer of b:1 to request-vote`. */
  readonly what: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Called once, when the promise settles; `gaveUp` says that the waiter left before the answer. */
  readonly onSettled: (gaveUp: boolean) => void
}

/** A promise that settles for certain: by an answer, a failure, its deadline or its signal, whichever is first. */
export class Pending<T> {
  readonly promise: Promise<T>
  #resolve: (value: T) => void = () => {}
  #reject: (error: unknown) => void = () => {}
  readonly #options: PendingOptions
  readonly #timer: TimerHandle
  readonly #onAbort: () => void
  #settled = false

  constructor(options: PendingOptions) {
    this.#options = options
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const { clock, signal, timeoutMs, what } = options
    this.#onAbort = () => this.giveUp(signal?.reason)
    signal?.addEventListener('abort', this.#onAbort)
    this.#timer = clock.setTimer(timeoutMs, () => this.giveUp(timedOut(what, timeoutMs)))
  }

  get settled(): boolean {
    return this.#settled
  }

  /** The answer came. Does nothing when settled. */
  succeed(value: T): void {
    if (this.#settle(false)) this.#resolve(value)
  }

  /** There will be no answer. Does nothing when settled. */
  fail(error: unknown): void {
    if (this.#settle(false)) this.#reject(error)
  }

  /** The waiter leaves: rejects with `reason`. Does nothing when settled. */
  giveUp(reason: unknown): void {
    if (this.#settle(true)) this.#reject(reason)
  }

  #settle(gaveUp: boolean): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#timer.cancel()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#options.onSettled(gaveUp)
    return true
  }
}

/** No answer within the deadline. */
export function timedOut(what: string, timeoutMs: number): RaftError {
  return new RaftError(
    'RAFT_RPC_TIMEOUT',
    `no ${what} within ${timeoutMs} ms; the peer may be down, cut off or slow, and may still act on the request`,
    { retryable: true, details: { timeoutMs } },
  )
}

/** The other end is gone. */
export function connectionLost(peer: string): RaftError {
  return new RaftError(
    'RAFT_CONNECTION_LOST',
    `the connection with ${peer} broke; open a new one to go on`,
    { retryable: true, details: { peer } },
  )
}

/** This transport was closed. */
export function transportClosed(address: string): RaftError {
  return new RaftError(
    'RAFT_TRANSPORT_CLOSED',
    `the transport of ${address} is closed; get a new one from the network`,
    { details: { address } },
  )
}

/** Nobody listens there. */
export function dialFailed(peer: string): RaftError {
  return new RaftError(
    'RAFT_DIAL_FAILED',
    `nobody listens at ${peer}; its server is down or its address is wrong`,
    { retryable: true, details: { peer } },
  )
}

/** The peer's handler failed. */
export function remoteError(peer: string, text: string): RaftError {
  return new RaftError('RAFT_REMOTE_ERROR', `${peer} answered with an error: ${text}`, {
    details: { peer, text },
  })
}

/** This pipeline was closed. */
export function pipelineClosed(peer: string): RaftError {
  return new RaftError(
    'RAFT_PIPELINE_CLOSED',
    `the pipeline to ${peer} is closed; open a new one to go on`,
    { retryable: true, details: { peer } },
  )
}
