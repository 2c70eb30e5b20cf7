import { RaftError } from '@raftkit/interface'
import { defaultConfig } from '@raftkit/raft-core'
import type { RaftNodeOptions } from '../node-options.ts'

/** What `createLeaderElection` is given: the options of `createRaftNode` that have to do with leading. */
export type LeaderElectionOptions = Omit<
  RaftNodeOptions<never, never, never, never>,
  'stateMachine' | 'forward' | 'sessions'
>

/** Largest part of the heartbeat timeout that the lease may last. */
export const MAX_LEASE_PART = 0.8

/**
 * How long a confirmation of leadership holds: milliseconds. It must be over well before any server may vote for
 * another one, by every server's own clock: what is left of the heartbeat timeout is for clocks that run at another pace.
 * Nor may the server below hand leadership over by itself: voters take part in a hand-over at once, and the work of the
 * old leader has to end before it. Throws `RAFT_INVALID_ARGUMENT` when either is not so.
 */
export function electionLeaseMs(options: LeaderElectionOptions): number {
  const { leaderLeaseTimeoutMs, heartbeatTimeoutMs, leaderPriorities } = {
    ...defaultConfig(),
    ...options.config,
  }
  const problems: string[] = []
  if (leaderLeaseTimeoutMs > heartbeatTimeoutMs * MAX_LEASE_PART)
    problems.push(
      `config: leaderLeaseTimeoutMs (${leaderLeaseTimeoutMs}) is more than ${MAX_LEASE_PART} × heartbeatTimeoutMs ` +
        `(${heartbeatTimeoutMs}): an old leader could believe in its lease while others elect a new one`,
    )
  if (Object.keys(leaderPriorities ?? {}).length > 0)
    problems.push(
      'config: leaderPriorities are not for elections: the server would hand leadership over while its work goes on',
    )
  if (problems.length === 0) return leaderLeaseTimeoutMs
  throw new RaftError(
    'RAFT_INVALID_ARGUMENT',
    `The election was not started, nothing was created. ${problems.join('; ')}.`,
    { details: { problems } },
  )
}
