// How each gauge is read off the statistics of a server.
import { membersOf } from '@raftkit/interface'
import type { RaftStats } from '../raft-stats.ts'
import type { GaugeName } from './catalogue.ts'
import { toSeconds } from './timing.ts'

type Read = (stats: RaftStats) => number | undefined

/** Gauges without labels of their own. */
export const readings: readonly (readonly [GaugeName, Read])[] = [
  [
    'lastContact',
    ({ lastContact }) => (lastContact === undefined ? undefined : toSeconds(lastContact)),
  ],
  ['peers', ({ latestConfiguration }) => membersOf(latestConfiguration).length],
  ['isLeader', ({ state }) => (state === 'leader' ? 1 : 0)],
  ['term', ({ term }) => term],
  ['lastIndex', ({ lastLogIndex }) => lastLogIndex],
  ['commitIndex', ({ commitIndex }) => commitIndex],
  ['appliedIndex', ({ appliedIndex }) => appliedIndex],
]

/** One thing that waits, and its limit when an option sets one for it. */
export interface QueueReading {
  readonly queue: string
  readonly length: (stats: RaftStats) => number
  readonly limit?: (stats: RaftStats) => number
}

/** The queues of a server. */
export const queues: readonly QueueReading[] = [
  {
    queue: 'proposals',
    length: (stats) => stats.pendingProposals,
    limit: (stats) => stats.maxPendingProposals,
  },
  {
    queue: 'proposal_bytes',
    length: (stats) => stats.pendingProposalBytes,
    limit: (stats) => stats.maxPendingBytes,
  },
  {
    queue: 'admission',
    length: (stats) => stats.pendingAdmissions,
    limit: (stats) => stats.maxPendingProposals,
  },
  {
    queue: 'reads',
    length: (stats) => stats.pendingReads,
    limit: (stats) => stats.maxPendingReads,
  },
  {
    queue: 'requests',
    length: (stats) => stats.pendingRequests,
    limit: (stats) => stats.maxInboundRequests,
  },
  {
    queue: 'forwards',
    length: (stats) => stats.pendingForwards,
    limit: (stats) => stats.maxInboundRequests,
  },
  { queue: 'writes', length: (stats) => stats.pendingWrites },
  {
    queue: 'write_bytes',
    length: (stats) => stats.pendingWriteBytes,
    limit: (stats) => stats.maxPendingBytes,
  },
  {
    queue: 'log_tail_bytes',
    length: (stats) => stats.logTailBytes,
    limit: (stats) => stats.maxLogTailBytes,
  },
  { queue: 'fsm', length: (stats) => stats.fsmPending },
  { queue: 'held_messages', length: (stats) => stats.heldMessages },
  { queue: 'snapshot_sends', length: (stats) => stats.activeSnapshotSends },
]
