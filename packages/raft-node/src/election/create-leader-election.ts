import { pino } from 'pino'
import { startNode } from '../create-raft-node.ts'
import { openOnDisk, type OpenParts } from '../node-parts.ts'
import { electionLeaseMs, type LeaderElectionOptions } from './election-options.ts'
import { electionMachine } from './election-machine.ts'
import { LeaderElection } from './leader-election.ts'
import { LeaseWatch } from './lease-watch.ts'

/**
 * Starts one member of a cluster that elects a leader, for work that only one of several processes may do; there is no
 * state machine to write. Call it with the same `peers`, and the same timeouts in `config`, on every member.
 *
 * Rejects as `createRaftNode` does, and with `RAFT_INVALID_ARGUMENT` when `config.leaderLeaseTimeoutMs` is above
 * {@link MAX_LEASE_PART} of `config.heartbeatTimeoutMs`.
 */
export function createLeaderElection(options: LeaderElectionOptions): Promise<LeaderElection> {
  return startElection(options, openOnDisk(options.tls, options.metrics))
}

/** {@link createLeaderElection} on other parts, for tests. */
export async function startElection(
  options: LeaderElectionOptions,
  openParts: OpenParts,
): Promise<LeaderElection> {
  const leaseMs = electionLeaseMs(options)
  const logger =
    options.logger ?? pino({ name: 'raftkit' }).child({ node: options.id ?? options.address })
  const node = await startNode(
    { ...options, logger, stateMachine: electionMachine(), sessions: false },
    openParts,
  )
  return new LeaderElection(node, new LeaseWatch(node.raft, leaseMs, logger), logger)
}
