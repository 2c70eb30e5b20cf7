// What servers say to each other, without payload: entries appear as spans. The runtime turns these into the
// messages of `@raftkit/interface` and back.
import type {
  DiskId,
  Index,
  IndexedConfiguration,
  ServerAddress,
  ServerId,
  Term,
} from '@raftkit/interface/protocol'

/** From `firstIndex` on, entries have this term (until the next run begins). */
export interface TermRun {
  readonly firstIndex: Index
  readonly term: Term
}

/** The shape of consecutive entries: their indexes and terms, and the configurations among them. Never empty. */
export interface EntrySpan {
  readonly firstIndex: Index
  readonly lastIndex: Index
  /** Ascending; the first run starts at `firstIndex`. Terms never go down. */
  readonly runs: readonly TermRun[]
  readonly configurations: readonly IndexedConfiguration[]
}

/** Who sent a message, as it says itself. */
export interface Sender {
  readonly id: ServerId
  readonly address: ServerAddress
  /** True when the sender is raftkit and so understands its extensions. */
  readonly isRaftkit: boolean
  /** The sender's disk, as it says; undefined when it does not. */
  readonly diskId?: DiskId | undefined
}

/** AppendEntries as received (§5.3). */
export interface ReceivedAppendEntries {
  readonly type: 'append-entries'
  readonly from: Sender
  readonly term: Term
  /** True for the bare heartbeat: no previous entry, no entries, no commit index. */
  readonly heartbeat: boolean
  readonly prevLogIndex: Index
  readonly prevLogTerm: Term
  readonly leaderCommit: Index
  readonly entries?: EntrySpan
}

/** RequestVote as received (§5.2). */
export interface ReceivedRequestVote {
  readonly type: 'request-vote'
  readonly from: Sender
  readonly term: Term
  readonly lastLogIndex: Index
  readonly lastLogTerm: Term
  readonly leadershipTransfer: boolean
}

/** RequestPreVote as received (dissertation §9.6). */
export interface ReceivedPreVote {
  readonly type: 'request-pre-vote'
  readonly from: Sender
  readonly term: Term
  readonly lastLogIndex: Index
  readonly lastLogTerm: Term
}

/** InstallSnapshot as received (§7); the bytes stay in the runtime. */
export interface ReceivedInstallSnapshot {
  readonly type: 'install-snapshot'
  readonly from: Sender
  readonly term: Term
  readonly snapshot: SnapshotPoint
}

/** TimeoutNow as received (dissertation §3.10). */
export interface ReceivedTimeoutNow {
  readonly type: 'timeout-now'
  readonly from: Sender
  /** The term in which the sender led when it sent this; undefined when it does not say (hashicorp/raft). */
  readonly term?: Term | undefined
}

/** Any request from another server. */
export type ReceivedRequest =
  | ReceivedAppendEntries
  | ReceivedRequestVote
  | ReceivedPreVote
  | ReceivedInstallSnapshot
  | ReceivedTimeoutNow

/** What a snapshot covers. */
export interface SnapshotPoint {
  readonly index: Index
  readonly term: Term
  readonly configuration: IndexedConfiguration
}

/** Answer to AppendEntries. */
export interface AppendEntriesAnswer {
  readonly type: 'append-entries'
  readonly term: Term
  readonly success: boolean
  readonly lastLogIndex: Index
  readonly noRetryBackoff: boolean
  /** Only to and from raftkit: term at prevLogIndex (0 when the log is shorter) and where that term begins. */
  readonly conflict?: { readonly term: Term; readonly firstIndex: Index }
}

/** Answer to a vote, a pre-vote, a snapshot or TimeoutNow. */
export type Answer =
  | AppendEntriesAnswer
  | { readonly type: 'request-vote'; readonly term: Term; readonly granted: boolean }
  | { readonly type: 'request-pre-vote'; readonly term: Term; readonly granted: boolean }
  | { readonly type: 'install-snapshot'; readonly term: Term; readonly success: boolean }
  | { readonly type: 'timeout-now' }
  /** The request is refused as a whole; the text goes back as the RPC's error. */
  | { readonly type: 'error'; readonly message: string }

/** A request that carries no entries and no snapshot, ready to send. */
export type ControlRequest =
  | {
      readonly type: 'request-vote'
      readonly term: Term
      readonly lastLogIndex: Index
      readonly lastLogTerm: Term
      readonly leadershipTransfer: boolean
    }
  | {
      readonly type: 'request-pre-vote'
      readonly term: Term
      readonly lastLogIndex: Index
      readonly lastLogTerm: Term
    }
  | { readonly type: 'heartbeat'; readonly term: Term }
  | { readonly type: 'timeout-now'; readonly term?: Term }
