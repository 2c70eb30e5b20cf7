import type { Configuration, Index, Term } from '@raftkit/interface'
import type { PeerStatus } from './consensus/options.ts'
import type { RaftState } from './raft-events.ts'

/** A look at a server: hashicorp/raft's keys in camelCase, then what waits and the limits it is bounded by. */
export interface RaftStats {
  readonly state: RaftState
  readonly term: Term
  readonly lastLogIndex: Index
  readonly lastLogTerm: Term
  readonly commitIndex: Index
  readonly appliedIndex: Index
  /** Committed entries that the state machine has not applied yet. */
  readonly fsmPending: number
  readonly lastSnapshotIndex: Index
  readonly lastSnapshotTerm: Term
  readonly protocolVersion: number
  readonly protocolVersionMin: number
  readonly protocolVersionMax: number
  readonly snapshotVersionMin: number
  readonly snapshotVersionMax: number
  readonly latestConfigurationIndex: Index
  readonly latestConfiguration: Configuration
  /** True while the latest configuration has two halves, and a quorum is a majority of each (§6). */
  readonly isJoint: boolean
  /** Other voters, of either half; 0 when this server is not a voter. */
  readonly numPeers: number
  /** Milliseconds since the last contact with a leader; 0 on the leader, undefined when there never was any. */
  readonly lastContact: number | undefined
  /** The log is durable on this server up to here. */
  readonly durableIndex: Index
  /** Encoded entries in memory. */
  readonly logTailBytes: number
  readonly pendingProposals: number
  readonly pendingProposalBytes: number
  /** Callers of `whenAdmitted` that wait. */
  readonly pendingAdmissions: number
  readonly pendingReads: number
  /** Writes to the stores that wait for the one under way, and the bytes of entries in them. */
  readonly pendingWrites: number
  readonly pendingWriteBytes: number
  /** Requests of other servers that wait for their answer. */
  readonly pendingRequests: number
  /** Requests that other servers forwarded to this leader and that `onForward` serves at the moment. */
  readonly pendingForwards: number
  /** Answers and requests that wait until the disk has what they promise. */
  readonly heldMessages: number
  readonly activeSnapshotSends: number
  readonly isSnapshotting: boolean
  /** The limit of `pendingProposals`, and of `pendingAdmissions`. */
  readonly maxPendingProposals: number
  /** The limit of `pendingProposalBytes`, and of `pendingWriteBytes` while commands are admitted. */
  readonly maxPendingBytes: number
  readonly maxPendingReads: number
  /** The limit of `pendingRequests`, and of `pendingForwards`. */
  readonly maxInboundRequests: number
  /** What `logTailBytes` comes back to; entries that are not durable yet stay whatever they take. */
  readonly maxLogTailBytes: number
  /** The limits of `inflightAppends` and `inflightBytes` of each peer. */
  readonly maxInflightAppends: number
  readonly maxInflightBytes: number
  /** The leader's view of the other servers; empty on others. */
  readonly peers: readonly PeerStatus[]
}
