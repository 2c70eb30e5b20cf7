import type {
  DiskId,
  HardState,
  Index,
  IndexedConfiguration,
  ServerAddress,
  ServerId,
  Suffrage,
  Term,
} from '@raftkit/interface/protocol'
import type { KnownLeader, Role } from './effects.ts'
import type { TermRun } from './messages.ts'

/** Times and limits that consensus works with; all times in milliseconds. */
export interface ConsensusTiming {
  /** Silence of the leader after which a follower campaigns: uniform in [this, 2 × this). */
  readonly heartbeatTimeoutMs: number
  /** Length of a candidate's round: uniform in [this, 2 × this). Also the limit of a leadership transfer. */
  readonly electionTimeoutMs: number
  /** A leader that has not heard from a quorum of voters for this long steps down. */
  readonly leaderLeaseTimeoutMs: number
  /** Idle time after which followers are told of a new commit index: uniform in [this, 2 × this). */
  readonly commitTimeoutMs: number
  /** Entries per AppendEntries. */
  readonly maxAppendEntries: number
  /** Encoded entry bytes per AppendEntries; one larger entry still goes alone. */
  readonly maxAppendBytes: number
  /** Unanswered AppendEntries per peer while pipelining. */
  readonly maxInflightAppends: number
  /** Unanswered entry bytes per peer while pipelining. */
  readonly maxInflightBytes: number
  /** Entries kept behind the last index after a snapshot, so that slow followers need none. */
  readonly trailingLogs: number
  /** Ask for pre-votes before a campaign (dissertation §9.6). */
  readonly preVote: boolean
  /**
   * Who shall lead: a leader hands over to the voter of the highest priority above its own, once that one has been steady
   * for ten election timeouts (see `preferred-leader.ts`). Who is not named has priority 0.
   */
  readonly leaderPriorities?: Readonly<Record<ServerId, number>>
  /** An event-loop stall of a leader that makes it step down. */
  readonly maxLeaderStallMs: number
}

/** What a server remembers when it starts. */
export interface ConsensusStart {
  readonly self: {
    readonly id: ServerId
    readonly address: ServerAddress
    /** The disk of this server; undefined: disks are not looked at. */
    readonly diskId?: DiskId | undefined
  }
  readonly hardState: HardState
  /** True when it may have heard a leader just before it ended: then it gives no vote for a heartbeat timeout. */
  readonly mayHaveHeardLeader: boolean
  /** The newest snapshot; index 0 and term 0 when there is none. */
  readonly snapshot: { readonly index: Index; readonly term: Term }
  /** First index in the log store; 0 when it is empty. */
  readonly logFirstIndex: Index
  /** Last index in the log store (or the snapshot's index when the log is empty). */
  readonly lastIndex: Index
  /** Terms of the entries in the log store. */
  readonly runs: readonly TermRun[]
  /** Configurations known at the start, oldest first: the snapshot's, then those of the log. May be empty. */
  readonly configurations: readonly IndexedConfiguration[]
  /** The state machine has applied everything up to here, because it is known to be committed; default: the snapshot. */
  readonly commitIndex?: Index
  /** Monotonic time. */
  readonly now: number
  /** Uniform in [0, 1). */
  readonly random: number
}

/** A read-only look at consensus, for stats, tests and the simulator. */
export interface ConsensusStatus {
  readonly role: Role
  readonly term: Term
  readonly leader: KnownLeader | undefined
  readonly lastIndex: Index
  readonly lastTerm: Term
  readonly commitIndex: Index
  readonly appliedIndex: Index
  readonly durableIndex: Index
  readonly snapshot: { readonly index: Index; readonly term: Term }
  readonly latest: IndexedConfiguration
  readonly committed: IndexedConfiguration
  /** Milliseconds-of-`now` of the last contact with a leader (follower), undefined when never. */
  readonly lastContact: number | undefined
  /** The leader's view of every other server. */
  readonly peers: readonly PeerStatus[]
}

/** The leader's view of one other server. */
export interface PeerStatus {
  readonly id: ServerId
  /** `removed`: it is not a member any more and is being told so. */
  readonly suffrage: Suffrage | 'removed'
  readonly state: 'probe' | 'pipeline' | 'snapshot'
  readonly matchIndex: Index
  readonly nextIndex: Index
  readonly inflightAppends: number
  readonly inflightBytes: number
  /** `now` of the send that the peer last answered. */
  readonly lastContact: number | undefined
  readonly isRaftkit: boolean
}
