import type { Logger, Metrics, ServerAddress, ServerId } from '@raftkit/interface'
import type { RaftConfig } from '@raftkit/raft-core'
import type { TcpTransportOptions } from '@raftkit/transport-tcp'
import type { ForwardLimits } from './forwarding/forward-lane.ts'
import type { SessionLimits } from './sessions/session-limits.ts'
import type { NodeStateMachine } from './state-machine/state-machine.ts'

/** How long `apply` and `query` wait when the call does not say: milliseconds. */
export const DEFAULT_APPLY_TIMEOUT_MS = 3000

/** How often a node checks whether it should take a snapshot, when `config` does not say: milliseconds. */
export const DEFAULT_SNAPSHOT_INTERVAL_MS = 60_000

/** Snapshots kept on disk when the options do not say. */
export const DEFAULT_SNAPSHOT_RETAIN = 2

/** Idle connections kept per peer when the options do not say. */
export const DEFAULT_MAX_POOL = 3

/** How long one RPC may take when the options do not say: milliseconds. */
export const DEFAULT_TRANSPORT_TIMEOUT_MS = 10_000

/** A member of a new cluster: its address when that is its id too, or both. */
export type PeerOption = ServerAddress | { readonly id: ServerId; readonly address: ServerAddress }

/** What `createRaftNode` is given. */
export interface RaftNodeOptions<Command, Response, Query, Answer> {
  /** Where the other nodes reach this one, `host:port`. */
  readonly address: ServerAddress
  /**
   * All nodes of the cluster, this one included, the same on every node. Read when the data directory is empty;
   * after that the members are what the cluster has decided.
   */
  readonly peers: readonly PeerOption[]
  /** Directory of this node's log and snapshots; made when it does not exist. One per node. */
  readonly dataDir: string
  /** The application, usually from `defineStateMachine`. One object per node. */
  readonly stateMachine: NodeStateMachine<Command, Response, Query, Answer>
  /** Name of this node for its whole life. Default: its address. */
  readonly id?: ServerId
  /** Where to listen when that is not `address`, for example `0.0.0.0:7000`. */
  readonly bind?: string
  /** Default: a pino logger that writes to stdout. `silentLogger` drops everything. */
  readonly logger?: Logger
  /**
   * Where measurements of the server, its transport and its store go: `prometheusMetrics()` of @raftkit/metrics, for
   * example. Metrics that fail are logged once and change nothing. Default: nothing is measured.
   */
  readonly metrics?: Metrics
  /** Raft's own options. `snapshotIntervalMs` is 60 000 and `restoreCommittedLogs` true here unless given. */
  readonly config?: Partial<RaftConfig>
  /** TLS for the connections between nodes. Without it they are neither encrypted nor authenticated. */
  readonly tls?: TcpTransportOptions['tls']
  /**
   * False: an empty data directory does not become a member of a new cluster, but waits to be added to a running
   * one. Default true.
   */
  readonly bootstrap?: boolean
  /** Snapshots kept on disk, at least 1. Default 2. */
  readonly snapshotRetain?: number
  /** Idle connections kept per peer, at least 1. Default 3. */
  readonly maxPool?: number
  /** How long one RPC may take, milliseconds. Default 10 000. */
  readonly transportTimeoutMs?: number
  /**
   * Client sessions, which make this node's commands exactly-once; their limits when they differ from
   * `DEFAULT_SESSION_LIMITS`. `false` sends plain commands: for clusters with hashicorp/raft servers, which do not
   * know sessions. A node understands the sessions of others either way. Default true.
   */
  readonly sessions?: boolean | Partial<SessionLimits>
  /** Gives up a start that takes long, with `RAFT_ABORTED`; means nothing once the node runs. */
  readonly signal?: AbortSignal
  /** Limits of what is forwarded to the leader. */
  readonly forward?: Partial<ForwardLimits>
}
