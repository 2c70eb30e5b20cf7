// What a server tells its user as it happens.
import type {
  Index,
  IndexedConfiguration,
  RaftError,
  ServerAddress,
  ServerId,
  SnapshotMeta,
  Term,
} from '@raftkit/interface'
import type { KnownLeader } from './consensus/effects.ts'

/** What a server is at the moment. A server that asks for pre-votes is a candidate. */
export type RaftState = 'follower' | 'candidate' | 'leader' | 'stopped'

/** What a candidate says when it asks for a vote. */
export interface VoteRequested {
  /** '' when it does not say: an old hashicorp/raft. */
  readonly candidate: ServerId
  readonly address: ServerAddress
  /** The term that it campaigns in, or would. */
  readonly term: Term
  readonly lastLogIndex: Index
  readonly lastLogTerm: Term
  /** The leader asked it to take over. */
  readonly leadershipTransfer: boolean
}

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
  /** This leader begins to hand over by itself, to a server of higher priority: "n2 has priority 5, this server 0". */
  readonly 'leadership-offered': { readonly to: ServerId; readonly reason: string }
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
  /** This leader begins to replicate to another server: it became leader, or the server became a member. */
  readonly 'replication-started': { readonly peer: ServerId }
  /** This leader does so no longer: its leadership is over, or the server was removed and knows it. */
  readonly 'replication-stopped': { readonly peer: ServerId }
  /** A candidate asks for this server's vote; every time, whatever the answer will be. */
  readonly 'vote-requested': VoteRequested
  /** A server asks whether this one would vote for it; every time. */
  readonly 'pre-vote-requested': Omit<VoteRequested, 'leadershipTransfer'>
  /**
   * A heartbeat of this leader failed or was not answered in time; every time. `lastContact`: milliseconds since the
   * newest request that the peer answered, or since this leadership began when it has answered none.
   */
  readonly 'heartbeat-failed': { readonly peer: ServerId; readonly lastContact: number }
  /** A peer answers heartbeats again after some had failed. */
  readonly 'heartbeat-resumed': { readonly peer: ServerId }
  /** This leader lost or regained contact with another server. */
  readonly 'peer-contact-changed': { readonly peer: ServerId; readonly reachable: boolean }
  /** The server takes no further part: it was shut down, or stopped by `error`. */
  readonly stopped: { readonly error?: RaftError }
}
