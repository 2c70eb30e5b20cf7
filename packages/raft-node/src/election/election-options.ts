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
 * Throws `RAFT_INVALID_ARGUMENT` when it is not.
 */
export function electionLeaseMs(options: LeaderElectionOptions): number {
  const { leaderLeaseTimeoutMs, heartbeatTimeoutMs } = { ...defaultConfig(), ...options.config }
  const longest = heartbeatTimeoutMs * MAX_LEASE_PART
  if (leaderLeaseTimeoutMs <= longest) return leaderLeaseTimeoutMs
  const problem =
    `config: leaderLeaseTimeoutMs (${leaderLeaseTimeoutMs}) is more than ${MAX_LEASE_PART} × heartbeatTimeoutMs ` +
    `(${heartbeatTimeoutMs}): an old leader could believe in its lease while others elect a new one`
  throw new RaftError(
    'RAFT_INVALID_ARGUMENT',
    `The election was not started, nothing was created. ${problem}.`,
    { details: { problems: [problem] } },
  )
}
