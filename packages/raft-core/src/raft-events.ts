// What a server tells its user as it happens.
import type {
  Index,
  IndexedConfiguration,
  RaftError,
  ServerId,
  SnapshotMeta,
  Term,
} from '@raftkit/interface'
import type { KnownLeader } from './consensus/effects.ts'

/** What a server is at the moment. A server that asks for pre-votes is a candidate. */
export type RaftState = 'follower' | 'candidate' | 'leader' | 'stopped'

/** The events of a server, by name. Listeners are called after the fact, in the order of what happened. */
export interface RaftEvents {
  /** `reason` is for people: "no leader heard", "n2 leads term 7". */
  readonly 'role-changed': {
    readonly role: RaftState
    readonly term: Term
    readonly reason: string
  }
  /** Another leader is known, or none. */
  readonly 'leader-changed': { readonly leader?: KnownLeader; readonly term: Term }
  /** This server leads, and its state machine has applied everything that earlier leaders committed. */
  readonly 'leader-ready': { readonly term: Term }
  /** `latest` is in force; it is `committed` when both are the same. */
  readonly 'configuration-changed': {
    readonly latest: IndexedConfiguration
    readonly committed: IndexedConfiguration
  }
  /**
   * `server` (a peer of this leader, or this one, should it learn of it) came back with another disk than the cluster
   * knows it with. It has forgotten what it promised and counts for nothing: remove it and add it again.
   */
  readonly 'disk-lost': { readonly server: ServerId }
  /** A committed configuration is without this server. It may run on, as one that nobody asks. */
  readonly removed: Readonly<Record<never, never>>
  /** This server saved a snapshot of its state machine. */
  readonly 'snapshot-saved': { readonly meta: SnapshotMeta }
  /** This server's state machine was replaced by a snapshot of the leader, or by one that was restored from outside. */
  readonly 'snapshot-installed': { readonly index: Index; readonly term: Term }
  /** This leader lost or regained contact with another server. */
  readonly 'peer-contact-changed': { readonly peer: ServerId; readonly reachable: boolean }
  /** The server takes no further part: it was shut down, or stopped by `error`. */
  readonly stopped: { readonly error?: RaftError }
}
