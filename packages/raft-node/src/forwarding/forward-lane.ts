import { type Clock, RaftError, messageOf, type Outcome } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { Deadline } from '../deadline.ts'
import { decodeResults, encodeForward, type ForwardKind } from './forward-message.ts'
import { systemClock } from '../system.ts'
import { withOutcome } from '../with-outcome.ts'

/** Limits of the requests that a node forwards to its leader. */
export interface ForwardLimits {
  /** Requests waiting or under way, per kind of request. Default 4096. */
  readonly maxPendingForwards: number
  /** Their bytes. Default 64 MiB. */
  readonly maxPendingForwardBytes: number
  /** Bytes of one message; a larger request goes alone. Default 1 MiB. */
  readonly maxForwardBytes: number
  /** Messages under way at once. Default 2. */
  readonly maxInflightForwards: number
}

export const DEFAULT_FORWARD_LIMITS: ForwardLimits = {
  maxPendingForwards: 4096,
  maxPendingForwardBytes: 64 * 1024 * 1024,
  maxForwardBytes: 1024 * 1024,
  maxInflightForwards: 2,
}

/** Most bytes that a message adds to each request in it, and for itself. */
export const FORWARD_OVERHEAD_BYTES = 64

/** How a lane treats what it sent and has no answer to. Default: it waits until the caller's time is up. */
export interface UnansweredOptions {
  /** Milliseconds that a message may go unanswered; its requests then end with `RAFT_RPC_TIMEOUT`. */
  readonly attemptMs?: number
  /** Another leader ends what went to the old one, with `RAFT_LEADERSHIP_LOST`: for requests that may be sent twice. */
  readonly endsWithLeader?: boolean
}

/** The server that knows its leader. */
export type ForwardingRaft = Pick<Raft<Uint8Array>, 'forwardToLeader'>

interface Waiting {
  readonly kind: ForwardKind
  readonly body: Uint8Array
  readonly deadline: Deadline
  sent: boolean
  settled: boolean
  readonly settle: (result: Uint8Array | RaftError) => void
}

/**
 * Takes requests to the leader, those of one turn of the event loop in one message. A request goes out at most
 * once; the outcome of a command that went out and whose answer is lost is `unknown`. The transport must not
 * deliver a message twice, as no stream transport does.
 */
export class ForwardLane {
  readonly #raft: ForwardingRaft
  readonly #limits: ForwardLimits
  readonly #unanswered: UnansweredOptions
  readonly #clock: Clock
  readonly #pending = new Set<Waiting>()
  #pendingBytes = 0
  #queue: Waiting[] = []
  #inflight = 0
  // Messages of an earlier generation went to a leader that is none any more: they hold no place in the lane.
  #generation = 0
  #flushScheduled = false
  #closedBy: RaftError | undefined

  constructor(
    raft: ForwardingRaft,
    limits: ForwardLimits = DEFAULT_FORWARD_LIMITS,
    unanswered: UnansweredOptions = {},
    clock: Clock = systemClock,
  ) {
    this.#raft = raft
    this.#limits = limits
    this.#unanswered = unanswered
    this.#clock = clock
  }

  /** Resolves with the leader's answer; rejects with the leader's error, or with why there is no answer. */
  submit(kind: ForwardKind, body: Uint8Array, deadline: Deadline): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#closedBy !== undefined) throw this.#closedBy
      this.#admit(body)
      deadline.check('not-committed')
      const waiting: Waiting = {
        kind,
        body,
        deadline,
        sent: false,
        settled: false,
        settle: (result) => {
          if (waiting.settled) return
          waiting.settled = true
          timer.cancel()
          deadline.signal?.removeEventListener('abort', onAbort)
          this.#pending.delete(waiting)
          this.#pendingBytes -= body.byteLength
          if (result instanceof Uint8Array) resolve(result)
          else reject(result)
        },
      }
      const outcome = (): Outcome => (waiting.sent ? 'unknown' : 'not-committed')
      const onAbort = (): void => waiting.settle(deadline.abortion(outcome()))
      const onTimeout = (): void =>
        waiting.settle(deadline.expiry(outcome(), `The ${kind} on its way to the leader`))
      const timer = deadline.onPassed(onTimeout)
      deadline.signal?.addEventListener('abort', onAbort, { once: true })
      this.#pending.add(waiting)
      this.#pendingBytes += body.byteLength
      this.#queue.push(waiting)
      this.#scheduleFlush()
    })
  }

  /** The leader is another one: do not let what went to the old one hold up what goes to the new one. */
  leaderChanged(): void {
    this.#generation += 1
    this.#inflight = 0
    if (this.#unanswered.endsWithLeader === true)
      for (const waiting of this.#pending) if (waiting.sent) waiting.settle(leaderIsGone())
    if (this.#queue.length > 0) this.#scheduleFlush()
  }

  /** Rejects everything that waits, and everything to come. */
  close(error: RaftError): void {
    this.#closedBy ??= error
    for (const waiting of this.#pending)
      waiting.settle(withOutcome(error, waiting.sent ? 'unknown' : 'not-committed'))
    this.#queue = []
  }

  #admit(body: Uint8Array): void {
    const { maxPendingForwards, maxPendingForwardBytes } = this.#limits
    if (
      this.#pending.size < maxPendingForwards &&
      (this.#pending.size === 0 || this.#pendingBytes + body.byteLength <= maxPendingForwardBytes)
    )
      return
    throw new RaftError(
      'RAFT_OVERLOADED',
      `${this.#pending.size} requests (${this.#pendingBytes} bytes) already wait for the leader. Send less at once, or raise the limits.`,
      { retryable: true, outcome: 'not-committed', details: { ...this.#limits } },
    )
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    this.#clock.afterInput(() => {
      this.#flushScheduled = false
      while (this.#inflight < this.#limits.maxInflightForwards) {
        const batch = this.#takeBatch()
        if (batch.length === 0) return
        void this.#carry(batch, this.#generation)
      }
    })
  }

  #takeBatch(): Waiting[] {
    const batch: Waiting[] = []
    let bytes = 0
    let taken = 0
    for (const waiting of this.#queue) {
      const size = waiting.body.byteLength + FORWARD_OVERHEAD_BYTES
      if (!waiting.settled && batch.length > 0 && bytes + size > this.#limits.maxForwardBytes) break
      taken += 1
      if (waiting.settled) continue
      batch.push(waiting)
      bytes += size
    }
    this.#queue = this.#queue.slice(taken)
    return batch
  }

  async #carry(batch: readonly Waiting[], generation: number): Promise<void> {
    this.#inflight += 1
    for (const waiting of batch) waiting.sent = true
    try {
      const results = decodeResults(await this.#sendBatch(batch))
      if (results.length !== batch.length)
        throw new RaftError('RAFT_DECODE_FAILED', 'The leader answered another number of requests.')
      batch.forEach((waiting, i) => {
        const result = results[i]!
        waiting.settle(result.ok ? result.body : result.error)
      })
    } catch (error) {
      const failure = whyUnanswered(error)
      for (const waiting of batch) waiting.settle(failure)
    } finally {
      if (generation === this.#generation) this.#inflight -= 1
      if (this.#queue.length > 0) this.#scheduleFlush()
    }
  }

  #sendBatch(batch: readonly Waiting[]): Promise<Uint8Array> {
    const requests = batch.map(({ kind, body, deadline }) => ({
      kind,
      body,
      remainingMs: Math.max(1, deadline.remainingMs),
    }))
    const { attemptMs = Infinity } = this.#unanswered
    const callersWaitMs = Math.max(...requests.map((request) => request.remainingMs))
    const timeoutMs = Math.min(attemptMs, callersWaitMs)
    return this.#raft.forwardToLeader(encodeForward(requests), { timeoutMs })
  }
}

function leaderIsGone(): RaftError {
  return new RaftError(
    'RAFT_LEADERSHIP_LOST',
    'There is another leader than the one that the command went to: the command may or may not take effect.',
    { outcome: 'unknown', retryable: true },
  )
}

/** What a failed message says about the requests in it: whether the leader may have seen them. */
function whyUnanswered(error: unknown): RaftError {
  if (!RaftError.is(error))
    return new RaftError('RAFT_CONNECTION_LOST', `The leader did not answer: ${messageOf(error)}`, {
      outcome: 'unknown',
      cause: error,
    })
  switch (error.code) {
    case 'RAFT_DIAL_FAILED':
    case 'RAFT_NO_LEADER':
    case 'RAFT_NOT_LEADER':
      return withOutcome(error, 'not-committed', true)
    case 'RAFT_RPC_UNSUPPORTED':
      // Inferred from a connection that closed without an answer, it may be wrong: the error says so itself.
      return withOutcome(error, error.outcome ?? 'not-committed')
    case 'RAFT_INVALID_ADDRESS':
      return withOutcome(error, 'not-committed')
    default:
      return error.outcome === undefined ? withOutcome(error, 'unknown') : error
  }
}
