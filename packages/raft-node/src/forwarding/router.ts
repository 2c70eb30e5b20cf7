import { type Clock, RaftError, type Outcome, type RaftErrorCode } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { Deadline } from '../deadline.ts'
import { ForwardLane, type ForwardLimits } from './forward-lane.ts'
import type { ForwardKind } from './forward-message.ts'
import type { LeaderService } from './leader-service.ts'
import { systemClock } from '../system.ts'
import { withOutcome } from '../with-outcome.ts'

/** What routing needs to know of the server. */
export type RoutedRaft = Pick<Raft<Uint8Array>, 'state' | 'leader' | 'on' | 'forwardToLeader'>

/** What is known of a command after the attempts so far. */
export interface Delivery {
  /** An attempt ended without it being certain that the command did not take effect. */
  isUncertain: boolean
}

/** Pause before another attempt when nothing is heard of a new leader: doubles from first to last. */
const firstPauseMs = 5
const lastPauseMs = 100

/**
 * Brings a request to the leader, wherever it is: runs it here, forwards it, or waits for an election. Tries
 * again until the deadline, but only what certainly did not take effect, or does so once however often it comes.
 */
export class Router {
  readonly #raft: RoutedRaft
  readonly #service: LeaderService
  readonly #lanes: Readonly<Record<ForwardKind, ForwardLane>>
  readonly #closing = new Set<() => void>()
  #closedBy: RaftError | undefined

  /** `attemptMs`: how long the leader may owe the answer to a command of a session before it is sent again. */
  constructor(
    raft: RoutedRaft,
    service: LeaderService,
    limits?: ForwardLimits,
    attemptMs: number = Infinity,
    clock: Clock = systemClock,
  ) {
    this.#raft = raft
    this.#service = service
    // Lanes of their own, so that neither a slow query nor a server that catches up holds up a command.
    const commands = new ForwardLane(raft, limits, {}, clock)
    const reads = new ForwardLane(raft, limits, {}, clock)
    const membership = new ForwardLane(raft, limits, {}, clock)
    const sessions = new ForwardLane(raft, limits, { attemptMs, endsWithLeader: true }, clock)
    this.#lanes = {
      command: commands,
      query: reads,
      'read-index': reads,
      membership,
      'session-command': sessions,
    }
    raft.on('leader-changed', () => {
      for (const lane of new Set(Object.values(this.#lanes))) lane.leaderChanged()
    })
  }

  /** Rejects what waits for the leader, and every request to come. */
  close(error: RaftError): void {
    this.#closedBy ??= error
    for (const lane of Object.values(this.#lanes)) lane.close(error)
    for (const wake of this.#closing) wake()
  }

  /** Throws when it is closed. */
  check(): void {
    if (this.#closedBy !== undefined) throw this.#closedBy
  }

  /** Calls `wake` when it is closed. Returns the function that takes that back. */
  onClose(wake: () => void): () => void {
    this.#closing.add(wake)
    return () => void this.#closing.delete(wake)
  }

  /**
   * Resolves with the leader's answer. `delivery` tells, for a command of a session, whether an earlier attempt may
   * have taken effect; the outcome of a failure is then `unknown`, whatever the last attempt says.
   */
  async route(
    kind: ForwardKind,
    body: Uint8Array,
    deadline: Deadline,
    delivery: Delivery = { isUncertain: false },
  ): Promise<Uint8Array> {
    try {
      return await this.#untilAnswered(kind, body, deadline, delivery)
    } catch (error) {
      const isOpen = delivery.isUncertain && RaftError.is(error) && error.outcome !== 'committed'
      throw isOpen ? withOutcome(error, 'unknown') : error
    }
  }

  /** Why a call that waited until its deadline could not be made. */
  unreached(deadline: Deadline): RaftError {
    return this.#raft.leader === undefined
      ? noLeaderWithin(deadline)
      : deadline.expiry('not-committed', 'Reaching the leader')
  }

  async #untilAnswered(
    kind: ForwardKind,
    body: Uint8Array,
    deadline: Deadline,
    delivery: Delivery,
  ): Promise<Uint8Array> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, lastPauseMs)) {
      this.check()
      deadline.check('not-committed')
      try {
        return await this.#attempt(kind, body, deadline)
      } catch (error) {
        if (!this.#mayTryAgain(kind, error)) throw error
        if (kind === 'session-command' && outcomeOf(error) !== 'not-committed')
          delivery.isUncertain = true
        this.check()
        if (deadline.remainingMs > 0) await deadline.pause(pauseMs, (wake) => this.#onNews(wake))
        deadline.check('not-committed')
        if (deadline.passed) throw this.#atDeadline(error, deadline)
      }
    }
  }

  async #attempt(kind: ForwardKind, body: Uint8Array, deadline: Deadline): Promise<Uint8Array> {
    const { state } = this.#raft
    // A stopped server says why it stopped, instead of letting its callers wait for a leader.
    if (state === 'leader' || state === 'stopped')
      return this.#service.run(kind, body, deadline.rest)
    if (this.#raft.leader !== undefined) return this.#lanes[kind].submit(kind, body, deadline)
    throw new RaftError('RAFT_NO_LEADER', 'No leader is known.', {
      retryable: true,
      outcome: 'not-committed',
    })
  }

  /** Another leader, or the end. */
  #onNews(wake: () => void): () => void {
    const unsubscribe = this.#raft.on('leader-changed', wake)
    const forget = this.onClose(wake)
    return () => {
      unsubscribe()
      forget()
    }
  }

  #atDeadline(lastError: unknown, deadline: Deadline): unknown {
    if (this.#raft.leader !== undefined && !RaftError.is(lastError, 'RAFT_NO_LEADER'))
      return lastError
    return noLeaderWithin(deadline, lastError)
  }

  #mayTryAgain(kind: ForwardKind, error: unknown): boolean {
    if (kind !== 'session-command' || !RaftError.is(error)) return mayTryAgain(kind, error)
    if (mayTryAgain('command', error)) return true
    // Applied once, however often it comes: so a leader that is lost is no reason to give up, as long as it is not
    // this server itself that ends.
    return leaderIsLost.has(error.code) && this.#raft.state !== 'stopped'
  }
}

/** How a request ends whose leader, or the way to it, is lost. */
const leaderIsLost: ReadonlySet<RaftErrorCode> = new Set<RaftErrorCode>([
  'RAFT_CONNECTION_LOST',
  'RAFT_RPC_TIMEOUT',
  'RAFT_LEADERSHIP_LOST',
  'RAFT_SHUTDOWN',
  'RAFT_STOPPED',
  'RAFT_STORE_FAILED',
  'RAFT_PIPELINE_CLOSED',
])

function outcomeOf(error: unknown): Outcome | undefined {
  return RaftError.is(error) ? error.outcome : undefined
}

function noLeaderWithin(deadline: Deadline, cause?: unknown): RaftError {
  return new RaftError(
    'RAFT_NO_LEADER',
    `No leader was found within ${deadline.timeoutMs} ms. Are a majority of the nodes up and connected?`,
    { retryable: true, outcome: 'not-committed', cause },
  )
}

/** A read has no effect, so a lost answer is no reason to give up; a command must be known not to take effect. */
function mayTryAgain(kind: ForwardKind, error: unknown): boolean {
  if (!RaftError.is(error)) return false
  if (error.retryable && error.outcome === 'not-committed') return true
  if (kind === 'command' || kind === 'membership') return false
  return (
    error.retryable ||
    error.code === 'RAFT_CONNECTION_LOST' ||
    error.code === 'RAFT_RPC_TIMEOUT' ||
    error.code === 'RAFT_LEADERSHIP_LOST'
  )
}
