import { RaftError } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { Deadline } from './deadline.ts'
import { ForwardLane, type ForwardLimits } from './forward-lane.ts'
import type { ForwardKind } from './forward-message.ts'
import type { LeaderService } from './leader-service.ts'

/** What routing needs to know of the server. */
export type RoutedRaft = Pick<Raft<Uint8Array>, 'state' | 'leader' | 'on' | 'forwardToLeader'>

/** Pause before another attempt when nothing is heard of a new leader: doubles from first to last. */
const firstPauseMs = 5
const lastPauseMs = 100

/**
 * Brings a request to the leader, wherever it is: runs it here, forwards it, or waits for an election. Tries
 * again until the deadline, but only what certainly did not take effect.
 */
export class Router {
  readonly #raft: RoutedRaft
  readonly #service: LeaderService
  readonly #lanes: Readonly<Record<ForwardKind, ForwardLane>>
  #closedBy: RaftError | undefined

  constructor(raft: RoutedRaft, service: LeaderService, limits?: ForwardLimits) {
    this.#raft = raft
    this.#service = service
    // Lanes of their own, so that neither a slow query nor a server that catches up holds up a command.
    const commands = new ForwardLane(raft, limits)
    const reads = new ForwardLane(raft, limits)
    const membership = new ForwardLane(raft, limits)
    this.#lanes = { command: commands, query: reads, 'read-index': reads, membership }
    raft.on('leader-changed', () => {
      for (const lane of [commands, reads, membership]) lane.leaderChanged()
    })
  }

  /** Rejects what waits for the leader, and every request to come. */
  close(error: RaftError): void {
    this.#closedBy ??= error
    for (const lane of Object.values(this.#lanes)) lane.close(error)
  }

  async route(kind: ForwardKind, body: Uint8Array, deadline: Deadline): Promise<Uint8Array> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, lastPauseMs)) {
      if (this.#closedBy !== undefined) throw this.#closedBy
      deadline.check('not-committed')
      try {
        return await this.#attempt(kind, body, deadline)
      } catch (error) {
        if (!mayTryAgain(kind, error)) throw error
        if (deadline.remainingMs > 0)
          await deadline.pause(pauseMs, (wake) => this.#raft.on('leader-changed', wake))
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

  #atDeadline(lastError: unknown, deadline: Deadline): unknown {
    if (this.#raft.leader !== undefined && !RaftError.is(lastError, 'RAFT_NO_LEADER'))
      return lastError
    return new RaftError(
      'RAFT_NO_LEADER',
      `No leader was found within ${deadline.timeoutMs} ms. Are a majority of the nodes up and connected?`,
      { retryable: true, outcome: 'not-committed', cause: lastError },
    )
  }
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
