// Everything that consensus can want. The runtime carries effects out in the order given; what must wait for a
// disk says for which durable point it waits.
import type {
  Configuration,
  HardState,
  Index,
  IndexedConfiguration,
  Server,
  ServerAddress,
  ServerId,
  Term,
} from '@raftkit/interface/protocol'
import type { ConfigurationProblem } from './configuration/configuration-change.ts'
import type { Answer, ControlRequest } from './messages.ts'

/** What must be durable before an effect may leave the server. Both parts, when both are named. */
export interface DurablePoint {
  /** Sequence of a `save-hard-state`. */
  readonly hardState?: number
  /** The log up to this entry. When the entry was truncated meanwhile, the effect is dropped (an answer: refused). */
  readonly entry?: { readonly index: Index; readonly term: Term }
}

/** What a server is at the moment. `pre-candidate` counts as candidate outside. */
export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader' | 'stopped'

/** The leader that this server knows of. */
export interface KnownLeader {
  readonly id: ServerId
  readonly address: ServerAddress
}

/** Why proposals, reads or a transfer could not be served. */
export type Refusal =
  | 'not-leader'
  | 'leadership-lost'
  | 'transfer-in-progress'
  | 'transfer-timeout'
  | 'no-such-target'
  | 'target-is-self'
  | 'target-not-voter'
  | 'target-unreachable'
  | 'restore-in-progress'
  | 'stopped'

/** Why a change of the membership was not made. */
export type ChangeRefusal =
  | ConfigurationProblem
  | 'unknown-server'
  /** The joint state needs that all members, and those to be added, are raftkit. */
  | 'not-raftkit'
  | 'not-leader'
  | 'leadership-lost'
  | 'transfer-in-progress'
  | 'stopped'
  /** The configuration is not that of `prevIndex`. */
  | 'configuration-changed'
  /** Another change demoted or removed the server, or another one of the plan, while it was catching up. */
  | 'superseded'

/** Why a snapshot was not restored. */
export type RestoreRefusal =
  | 'not-leader'
  | 'leadership-lost'
  | 'transfer-in-progress'
  | 'restore-in-progress'
  /** The latest configuration is not committed, or this leader does not know that yet. */
  | 'configuration-pending'
  | 'stopped'

/** Why a server was not given the first configuration. Nothing changed. */
export type BootstrapRefusal = 'has-state' | 'not-voter' | 'stopped'

export type Effect =
  // disk, in this order
  | { readonly type: 'save-hard-state'; readonly sequence: number; readonly hardState: HardState }
  /** Encode the oldest `count` admitted proposals as entries from `firstIndex` on and write them. */
  | {
      readonly type: 'append-proposals'
      readonly firstIndex: Index
      readonly count: number
      readonly term: Term
    }
  /** A new leader's first entry (§5.4.2, dissertation §6.4). */
  | { readonly type: 'append-noop'; readonly index: Index; readonly term: Term }
  /** Write a configuration as an entry (§6). It is in force already. */
  | {
      readonly type: 'append-configuration'
      readonly index: Index
      readonly term: Term
      readonly configuration: Configuration
      /** The change that it carries out; 0 for one that the leader makes by itself. */
      readonly changeId: number
    }
  /** Write the entries `from .. to` of the received request. */
  | {
      readonly type: 'append-received'
      readonly requestId: number
      readonly from: Index
      readonly to: Index
    }
  /** Remove the conflicting suffix that starts at `from` (§5.3). */
  | { readonly type: 'truncate-log'; readonly from: Index }
  /** Entries up to `to` are covered by a durable snapshot and not needed any more (§7). */
  | { readonly type: 'compact-log'; readonly to: Index }
  // network
  | {
      readonly type: 'send'
      readonly to: Server
      readonly sendId: number
      readonly request: ControlRequest
      readonly after?: DurablePoint
    }
  /** Find the entries from `from` on, at most up to `to` and about `maxBytes`; answered by an `entries-*` event. */
  | {
      readonly type: 'read-entries'
      readonly peer: ServerId
      readonly readId: number
      readonly from: Index
      readonly to: Index
      readonly maxBytes: number
    }
  /**
   * AppendEntries to one peer. With `readId`, carries the entries that were read; without, it is a probe or tells
   * the commit index. `lane`: `probe` is one call at a time, `pipeline` is sent ahead.
   */
  | {
      readonly type: 'send-entries'
      readonly to: Server
      readonly sendId: number
      readonly lane: 'probe' | 'pipeline'
      readonly term: Term
      readonly prevLogIndex: Index
      readonly prevLogTerm: Term
      readonly leaderCommit: Index
      readonly readId?: number
    }
  /** Send the newest snapshot: `snapshot-opened`, then `answered` or `send-failed`. */
  | {
      readonly type: 'send-snapshot'
      readonly to: Server
      readonly sendId: number
      readonly term: Term
    }
  /** Stop every send to this peer: leadership is over or it was removed. Late answers are ignored anyway. */
  | { readonly type: 'drop-sends'; readonly peer: ServerId }
  | {
      readonly type: 'answer'
      readonly requestId: number
      readonly answer: Answer
      readonly after?: DurablePoint
    }
  // state machine
  /** Everything up to `index` is committed: apply it. */
  | { readonly type: 'commit'; readonly index: Index }
  /**
   * Receive the snapshot of the request, store it, let the state machine restore it. `keepLogAfter`: the log
   * matches the snapshot, so entries after it stay (§7, rule 6); otherwise the whole log goes (rule 7). The log on
   * disk is changed only after the snapshot is durable.
   */
  | {
      readonly type: 'install-snapshot'
      readonly requestId: number
      readonly keepLogAfter: boolean
    }
  /** Receive the snapshot that a caller brings and describe it so; nothing else changes yet. `restore-received` follows. */
  | {
      readonly type: 'receive-restore'
      readonly restoreId: number
      readonly index: Index
      readonly term: Term
      readonly configuration: IndexedConfiguration
    }
  /** Finish the snapshot received, let the state machine restore it, remove the log. `restore-installed` follows, or the end. */
  | { readonly type: 'install-restore'; readonly restoreId: number }
  // callers
  /** The admitted proposals of the last `proposed` event that were not appended. They will never be. */
  | { readonly type: 'proposals-refused'; readonly count: number; readonly reason: Refusal }
  /** Leadership of `term` is over: appended but uncommitted proposals have an unknown outcome. */
  | { readonly type: 'proposals-orphaned'; readonly term: Term }
  | { readonly type: 'read-confirmed'; readonly readId: number; readonly index: Index }
  | { readonly type: 'read-refused'; readonly readId: number; readonly reason: Refusal }
  /** `transferId` is 0 for one that this leader began by itself. */
  | { readonly type: 'transfer-ended'; readonly transferId: number; readonly refusal?: Refusal }
  /** The change is committed, in the configuration of `index`. */
  | { readonly type: 'change-ended'; readonly changeId: number; readonly index: Index }
  /** The change was not made; `isAppended` when it may be made all the same by a later leader. */
  | {
      readonly type: 'change-refused'
      readonly changeId: number
      readonly reason: ChangeRefusal
      readonly isAppended: boolean
      /** Index of the latest configuration. */
      readonly index: Index
      /** The server that is the reason, when the change does not name it alone. */
      readonly server?: ServerId
    }
  /** The cluster has the restored state; or, with `refusal`, not by this leader: never unless it `hasBegun`. */
  | {
      readonly type: 'restore-ended'
      readonly restoreId: number
      readonly refusal?: RestoreRefusal
      readonly hasBegun?: boolean
    }
  /** The first configuration is in force; to be told once `after` is reached. With `refusal`, nothing changed. */
  | {
      readonly type: 'bootstrap-ended'
      readonly bootstrapId: number
      readonly refusal?: BootstrapRefusal
      readonly after?: DurablePoint
    }
  // what changed
  | {
      readonly type: 'role-changed'
      readonly role: Role
      readonly term: Term
      /** For logs: "election timeout", "higher term from n2", "no quorum within the lease" … */
      readonly reason: string
    }
  /** This leader begins to hand over by itself; `reason` is for people. A `transfer-ended` of 0 follows. */
  | { readonly type: 'leadership-offered'; readonly to: ServerId; readonly reason: string }
  | { readonly type: 'leader-changed'; readonly leader?: KnownLeader; readonly term: Term }
  | {
      readonly type: 'configuration-changed'
      readonly latest: IndexedConfiguration
      readonly committed: IndexedConfiguration
    }
  /** A committed configuration is without this server. One that led has handed over by now. */
  | { readonly type: 'removed'; readonly wasLeader: boolean }
  /** A server (this one, or a peer of this leader) answers with another disk than the one it is known with. */
  | { readonly type: 'disk-lost'; readonly server: ServerId }
  | { readonly type: 'peer-contact-changed'; readonly peer: ServerId; readonly reachable: boolean }
  /** A heartbeat was not answered. `lastContact`: the `now` of the newest request that the peer answered. */
  | {
      readonly type: 'heartbeat-failed'
      readonly peer: ServerId
      readonly lastContact: number
    }
  /** Step `turn-ended` again at this time at the latest. Replaces the earlier wish. */
  | { readonly type: 'wake-at'; readonly time: number }
  /**
   * An invariant does not hold. The server stops; the process goes on. Whoever still waits for something is told by
   * the runtime. A failed disk stops the server too, with a `role-changed` to `stopped` and without `fatal`.
   */
  | { readonly type: 'fatal'; readonly message: string }
