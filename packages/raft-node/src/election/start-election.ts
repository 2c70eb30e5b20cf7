import { silentLogger } from '@raftkit/interface'
import type { FindProblems } from '../start/check-options.ts'
import type { OpenParts } from '../start/node-parts.ts'
import { startNode } from '../start/start-node.ts'
import { systemClock } from '../system.ts'
import { electionMachine } from './election-machine.ts'
import { electionLeaseMs, type LeaderElectionOptions } from './election-options.ts'
import { type ElectingNode, LeaderElection } from './leader-election.ts'
import { LeaseWatch } from './lease-watch.ts'

/** A member of an election, and the node below it. */
export interface StartedElection {
  readonly election: LeaderElection
  /** Stops with the election. Leadership that is handed over behind the back of the election is not. */
  readonly node: ElectingNode
}

/** `createLeaderElection` on parts of your own, as `startNode` is `createRaftNode` on them. */
export async function startElection(
  options: LeaderElectionOptions,
  openParts: OpenParts,
  findProblems?: FindProblems,
): Promise<StartedElection> {
  const leaseMs = electionLeaseMs(options)
  const logger = options.logger ?? silentLogger
  let clock = systemClock
  const node = await startNode(
    { ...options, logger, stateMachine: electionMachine(), sessions: false },
    async (checked, keep) => {
      const parts = await openParts(checked, keep, logger)
      clock = parts.clock ?? systemClock
      return parts
    },
    findProblems,
  )
  const lease = new LeaseWatch(node.raft, leaseMs, logger, clock)
  return { election: new LeaderElection(node, lease, logger, clock), node }
}
