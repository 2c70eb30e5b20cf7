import { directoryProblems } from '../start/check-options.ts'
import { defaultLogger } from '../start/default-logger.ts'
import { openOnDisk } from '../start/disk-parts.ts'
import type { LeaderElectionOptions } from './election-options.ts'
import type { LeaderElection } from './leader-election.ts'
import { startElection } from './start-election.ts'

/**
 * Starts one member of a cluster that elects a leader, for work that only one of several processes may do; there is no
 * state machine to write. Call it with the same `peers`, and the same timeouts in `config`, on every member.
 *
 * Rejects as `createRaftNode` does, and with `RAFT_INVALID_ARGUMENT` when `config.leaderLeaseTimeoutMs` is above
 * {@link MAX_LEASE_PART} of `config.heartbeatTimeoutMs` or `config.leaderPriorities` names anybody.
 */
export async function createLeaderElection(
  options: LeaderElectionOptions,
): Promise<LeaderElection> {
  const { election } = await startElection(
    { ...options, logger: options.logger ?? defaultLogger(options) },
    openOnDisk(options.tls, options.metrics),
    directoryProblems,
  )
  return election
}
