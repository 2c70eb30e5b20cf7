import type { DiskId, ServerAddress, ServerId } from './configuration.ts'
import type { EntryBatch } from './entry-batch.ts'
import type { Index, Term } from './numbers.ts'

/** The protocol version that raftkit speaks: hashicorp/raft's 3. */
export const PROTOCOL_VERSION = 3

/** Who sends a message. Part of every request and response. */
export interface RpcHeader {
  /** hashicorp/raft protocol version, 0..3. */
  readonly protocolVersion: number
  /** Sender's id; '' when it did not say. */
  readonly id: ServerId
  /** Sender's advertised address; '' when it did not say. */
  readonly address: ServerAddress
  /** Present when the sender is raftkit: the level of raftkit's extensions it understands (1 today). */
  readonly extensionLevel?: number
  /** The sender's disk, when it is raftkit. */
  readonly diskId?: DiskId
}

/** AppendEntries (§5.3), heartbeats too. */
export interface AppendEntriesRequest {
  readonly type: 'append-entries'
  readonly header: RpcHeader
  readonly term: Term
  readonly prevLogIndex: Index
  readonly prevLogTerm: Term
  readonly leaderCommit: Index
  /** Consecutive batches; empty for a probe or a commit notice; null for a bare heartbeat. */
  readonly entries: readonly EntryBatch[] | null
}

/** Answer to AppendEntries. */
export interface AppendEntriesResponse {
  readonly type: 'append-entries'
  readonly header: RpcHeader
  readonly term: Term
  /** Last index of the answering server's log. */
  readonly lastLogIndex: Index
  readonly success: boolean
  /** True when the refusal is a log mismatch, so the leader may try again at once. */
  readonly noRetryBackoff: boolean
  /** raftkit only, on a mismatch: the follower's term at prevLogIndex and the first index of that term. */
  readonly conflict?: { readonly term: Term; readonly firstIndex: Index }
}

/** RequestVote (§5.2). */
export interface RequestVoteRequest {
  readonly type: 'request-vote'
  readonly header: RpcHeader
  readonly term: Term
  readonly lastLogIndex: Index
  readonly lastLogTerm: Term
  /** The candidate was asked by the leader to take over: a known leader is no reason to refuse. */
  readonly leadershipTransfer: boolean
}

/** Answer to RequestVote. */
export interface RequestVoteResponse {
  readonly type: 'request-vote'
  readonly header: RpcHeader
  readonly term: Term
  readonly granted: boolean
}

/** RequestPreVote (dissertation §9.6): would you vote for me in `term`? Changes nothing at the receiver. */
export interface RequestPreVoteRequest {
  readonly type: 'request-pre-vote'
  readonly header: RpcHeader
  /** The term the sender would campaign in: its own + 1. */
  readonly term: Term
  readonly lastLogIndex: Index
  readonly lastLogTerm: Term
}

/** Answer to RequestPreVote. */
export interface RequestPreVoteResponse {
  readonly type: 'request-pre-vote'
  readonly header: RpcHeader
  readonly term: Term
  readonly granted: boolean
}

/** InstallSnapshot (§7). Exactly `size` raw bytes of snapshot follow the request. */
export interface InstallSnapshotRequest {
  readonly type: 'install-snapshot'
  readonly header: RpcHeader
  /** hashicorp/raft snapshot version, 1. */
  readonly snapshotVersion: number
  readonly term: Term
  readonly lastLogIndex: Index
  readonly lastLogTerm: Term
  /** Legacy list of voters' addresses, encoded; empty when absent. */
  readonly peers: Uint8Array
  /** The configuration as of the snapshot, encoded; empty when absent. */
  readonly configuration: Uint8Array
  readonly configurationIndex: Index
  /** Bytes of snapshot that follow. */
  readonly size: number
}

/** Answer to InstallSnapshot. */
export interface InstallSnapshotResponse {
  readonly type: 'install-snapshot'
  readonly header: RpcHeader
  readonly term: Term
  readonly success: boolean
}

/** TimeoutNow (dissertation §3.10): campaign at once, the leader hands over. */
export interface TimeoutNowRequest {
  readonly type: 'timeout-now'
  readonly header: RpcHeader
  /** raftkit only: the term in which the sender leads. One that comes late must not start an election in a later term. */
  readonly term?: Term
}

/** Answer to TimeoutNow. */
export interface TimeoutNowResponse {
  readonly type: 'timeout-now'
  readonly header: RpcHeader
}

/**
 * raftkit only: opaque bytes for the application on the other server, for example a command that a follower
 * forwards to its leader. Sent only to servers known to be raftkit.
 */
export interface ForwardRequest {
  readonly type: 'forward'
  readonly header: RpcHeader
  /** Whom the payload is for: the application, when absent, or the server itself (see docs/formats.md). */
  readonly kind?: ForwardKind
  readonly payload: Uint8Array
}

/** What a forwarded request that is not the application's is about. */
export type ForwardKind = 'read-index'

/** Answer to a forwarded request. */
export interface ForwardResponse {
  readonly type: 'forward'
  readonly header: RpcHeader
  readonly payload: Uint8Array
}

/** Any request. */
export type RpcRequest =
  | AppendEntriesRequest
  | RequestVoteRequest
  | RequestPreVoteRequest
  | InstallSnapshotRequest
  | TimeoutNowRequest
  | ForwardRequest

/** Any response. */
export type RpcResponse =
  | AppendEntriesResponse
  | RequestVoteResponse
  | RequestPreVoteResponse
  | InstallSnapshotResponse
  | TimeoutNowResponse
  | ForwardResponse

/** The name of an RPC. */
export type RpcType = RpcRequest['type']

/** The request of the RPC named `T`. */
export type RequestOf<T extends RpcType> = Extract<RpcRequest, { type: T }>

/** The response of the RPC named `T`. */
export type ResponseOf<T extends RpcType> = Extract<RpcResponse, { type: T }>
