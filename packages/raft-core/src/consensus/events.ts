// Everything that consensus can learn. Each event is stepped with a Moment.
import type { Configuration, DiskId, Index, ServerId, Term } from '@raftkit/interface/protocol'
import type { ConfigurationChange } from './configuration/configuration-change.ts'
import type { Answer, ReceivedRequest, SnapshotPoint } from './messages.ts'
import type { ConsensusTiming } from './options.ts'

/** When a step happens: time and chance come in from outside. */
export interface Moment {
  /** Monotonic milliseconds. Never goes back from one step to the next. */
  readonly now: number
  /** A fresh uniform number in [0, 1), for randomised timeouts (§9.3 of the paper, §3.4 of the dissertation). */
  readonly random: number
}

/** Why a send had no answer. `unsupported`: the peer does not know this RPC. */
export type SendFailure = 'unreachable' | 'refused' | 'unsupported'

export type ConsensusEvent =
  /**
   * The turn is over: everything that had arrived was stepped. Deadlines are looked at here and only here, so an
   * election deadline that passed while heartbeats were waiting sees the heartbeats first. Sends are planned here.
   */
  | { readonly type: 'turn-ended' }
  /** The event loop did not run for this long: leases are void, deadlines move (dissertation §6.4.1 assumes time). */
  | { readonly type: 'stalled'; readonly forMs: number }
  /** A request of another server. `requestId` is the runtime's; exactly one `answer` effect follows, sooner or later. */
  | {
      readonly type: 'received'
      readonly requestId: number
      readonly request: ReceivedRequest
    }
  /** The answer to the send `sendId`. */
  | {
      readonly type: 'answered'
      readonly peer: ServerId
      readonly sendId: number
      readonly answer: Answer
      /** True when the answer says that the peer is raftkit. */
      readonly isRaftkit: boolean
      /** The peer's disk, as it says; undefined when it does not. */
      readonly diskId?: DiskId | undefined
    }
  /** The send `sendId` failed. The peer may have got it all the same. */
  | {
      readonly type: 'send-failed'
      readonly peer: ServerId
      readonly sendId: number
      readonly failure: SendFailure
    }
  /** `count` proposals were admitted, in order. Answered by `append-proposals` or `proposals-refused`. */
  | { readonly type: 'proposed'; readonly count: number }
  /** The `save-hard-state` with this sequence, and all before it, is durable. */
  | { readonly type: 'hard-state-durable'; readonly sequence: number }
  /**
   * Everything up to the entry (index, term) is durable. Says nothing when the log has another term there now.
   * A write that was under way when a truncation was queued counts only up to before the truncation: the same
   * entry may have been appended again since, by a write that is not durable yet.
   */
  | { readonly type: 'entries-durable'; readonly index: Index; readonly term: Term }
  /** The state machine has applied everything up to `index`. */
  | { readonly type: 'applied'; readonly index: Index }
  /**
   * Entries asked for by `read-entries` are at hand: `from .. to`, `bytes` encoded. When the effects of this step
   * hold no `send-entries` with this `readId`, none ever will.
   */
  | {
      readonly type: 'entries-read'
      readonly peer: ServerId
      readonly readId: number
      readonly from: Index
      readonly to: Index
      readonly bytes: number
    }
  /** Entries asked for are not to be had: compacted away (a snapshot is needed) or the store failed. */
  | {
      readonly type: 'entries-unavailable'
      readonly peer: ServerId
      readonly readId: number
      readonly reason: 'compacted' | 'failed'
    }
  /** This server's state machine was saved in a durable snapshot. */
  | { readonly type: 'snapshot-saved'; readonly snapshot: SnapshotPoint }
  /** The snapshot of the request is durable and the state machine holds it; the log writer did `reset-log` if told. */
  | { readonly type: 'snapshot-installed'; readonly requestId: number }
  /** The snapshot of the request could not be installed; the state machine is as before. */
  | {
      readonly type: 'snapshot-install-failed'
      readonly requestId: number
      readonly message: string
    }
  /** How far the snapshot sent by `send-snapshot` reaches, told before its answer. */
  | {
      readonly type: 'snapshot-opened'
      readonly peer: ServerId
      readonly sendId: number
      readonly index: Index
      readonly term: Term
    }
  /**
   * A caller needs proof that this server still leads (dissertation §6.4). With `needsIndex`, the proof names a
   * commit index that covers every command acknowledged before now, which waits for an entry of the own term.
   */
  | {
      readonly type: 'read-requested'
      readonly readId: number
      readonly needsIndex: boolean
      /** The lease will do instead of a round, when it holds (dissertation §6.4.1). Default false. */
      readonly onLease?: boolean
    }
  /** A caller asks to hand leadership over, to `target` or to the best voter. */
  | {
      readonly type: 'transfer-requested'
      readonly transferId: number
      readonly target?: ServerId
    }
  /**
   * A caller asks for a change of the membership (§6). With `prevIndex` above 0, only while the latest configuration
   * is that of this index. Ended by one `change-ended` or `change-refused`, sooner or later.
   */
  | {
      readonly type: 'change-requested'
      readonly changeId: number
      readonly change: ConfigurationChange
      readonly prevIndex: Index
    }
  /** The caller does not wait any more: a change not yet appended never will be, a staged server gets no vote. */
  | { readonly type: 'change-withdrawn'; readonly changeId: number }
  /** A caller brings a snapshot for the whole cluster; it reached `index` where it was taken. Ended by `restore-ended`. */
  | { readonly type: 'restore-requested'; readonly restoreId: number; readonly index: Index }
  /** All of it is at hand. From here on the caller cannot withdraw. */
  | { readonly type: 'restore-received'; readonly restoreId: number }
  /** It is durable, the state machine holds it, the log is gone. */
  | { readonly type: 'restore-installed'; readonly restoreId: number }
  /** The caller does not wait any more, or the snapshot did not come. */
  | { readonly type: 'restore-withdrawn'; readonly restoreId: number }
  /** A new server is given the first configuration, a usable one. Ended by one `bootstrap-ended`. */
  | {
      readonly type: 'bootstrap-requested'
      readonly bootstrapId: number
      readonly configuration: Configuration
    }
  /** Other times and limits hold from now on. */
  | { readonly type: 'timing-changed'; readonly timing: ConsensusTiming }
  /** A write has been under way for too long, or has ended after that. While stalled: no leading, no voting. */
  | { readonly type: 'storage-stalled' }
  | { readonly type: 'storage-recovered' }
  /** A write failed. This server takes no further part until it is started anew. */
  | { readonly type: 'storage-failed'; readonly message: string }
