import type { Server, ServerAddress } from '../protocol/configuration.ts'
import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  RequestOf,
  ResponseOf,
  RpcRequest,
  RpcResponse,
  RpcType,
} from '../protocol/rpc.ts'

/** Whom to call. */
export type Peer = Pick<Server, 'id' | 'address'>

/** RPCs that are one request and one answer. */
export type CallType = Exclude<RpcType, 'install-snapshot'>

/** Limits of one call. */
export interface CallOptions {
  /** Gives up waiting; the call rejects with `signal.reason`. The peer may still act on the request. */
  readonly signal?: AbortSignal
  /** Milliseconds until the call rejects with `RAFT_RPC_TIMEOUT`. Default: the transport's own timeout. */
  readonly timeoutMs?: number
}

/** What comes with a received request. */
export interface RpcContext {
  /** For `install-snapshot`: exactly `request.size` bytes, or the iteration throws. Read at the handler's pace. */
  readonly snapshot?: AsyncIterable<Uint8Array>
  /** Where the request came from, for logs. */
  readonly remote: string
  /** Aborted when the connection it came on is gone: nobody waits for the answer. */
  readonly signal: AbortSignal
}

/**
 * Takes every received request. Called as soon as a request is decoded, before earlier ones of the same
 * connection are answered; the transport sends answers in the order of the requests. A thrown error is sent to
 * the caller as text and surfaces there as `RAFT_REMOTE_ERROR`.
 */
export type RpcHandler = (
  request: RpcRequest,
  context: RpcContext,
) => RpcResponse | Promise<RpcResponse>

/** AppendEntries to one peer, sent ahead without waiting for answers; the peer sees them in order. */
export interface AppendPipeline {
  /**
   * Sends and resolves with the answer. Rejects when the connection breaks: then every outstanding send rejects
   * and the pipeline is closed for good. Never queues without bound: see `writable`.
   */
  send(request: AppendEntriesRequest): Promise<AppendEntriesResponse>
  /** False while the connection's buffer is full; sending still works but should wait. */
  readonly writable: boolean
  readonly closed: boolean
  /** Ends the connection; outstanding sends reject with `RAFT_PIPELINE_CLOSED`. Idempotent. */
  close(): void
}

/**
 * Carries RPCs between servers. Loss, delay, duplication and reordering are allowed; corruption is not.
 * Every returned promise settles: with the answer, or with a `RaftError` when the call failed, timed out or the
 * transport was closed. A transport never retries.
 */
export interface Transport {
  /** The address that other servers use to reach this one. */
  readonly localAddress: ServerAddress
  /** Sets who takes received requests. Requests that arrive before are answered with an error. */
  setHandler(handler: RpcHandler): void
  /** One request, one answer. Not delayed by snapshots or pipelined batches to the same peer. */
  call<T extends CallType>(
    peer: Peer,
    request: RequestOf<T>,
    options?: CallOptions,
  ): Promise<ResponseOf<T>>
  /** Streams a snapshot; reads `state` no faster than the network takes it. */
  installSnapshot(
    peer: Peer,
    request: InstallSnapshotRequest,
    state: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<InstallSnapshotResponse>
  /** A new pipeline; resolves when it can send. */
  openPipeline(peer: Peer, options?: CallOptions): Promise<AppendPipeline>
  /** Stops listening, ends every connection and settles every promise. Idempotent. */
  close(): Promise<void>
}
