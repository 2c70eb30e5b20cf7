import type { ServerAddress } from '../protocol/configuration.ts'

/** Callbacks of a connection. Called until `onClose`, then never again. */
export interface StreamEvents {
  readonly onData: (chunk: Uint8Array) => void
  /** The connection is gone; with the error when it was not an orderly end. Called exactly once. */
  readonly onClose: (error?: Error) => void
}

/** One reliable, ordered byte stream. */
export interface StreamConnection {
  /** The other end, for logs. */
  readonly remoteAddress: string
  /** Starts delivery. Must be called once, in the turn in which the connection is handed over. */
  start(events: StreamEvents): void
  /**
   * Sends the chunks as one write. False when the buffer is above its limit: wait for {@link drained}.
   * The chunks must not be changed afterwards. After the connection is gone it does nothing.
   */
  write(chunks: readonly Uint8Array[]): boolean
  /** Resolves when the buffer is below its limit, or the connection is gone. */
  drained(): Promise<void>
  /** Stops delivery of data (back-pressure on the sender), and starts it again. */
  pause(): void
  resume(): void
  /** Ends the connection at once. Idempotent. */
  destroy(error?: Error): void
}

/** How to reach other servers and be reached: what a network transport needs from TCP, TLS, WebSocket, … */
export interface StreamLayer {
  /** The advertised address. Fixed once `listen` has resolved. */
  readonly localAddress: ServerAddress
  /** Starts to accept. Rejects with `RAFT_LISTEN_FAILED` when the address cannot be had. */
  listen(onConnection: (connection: StreamConnection) => void): Promise<void>
  /** Connects. Rejects with `RAFT_DIAL_FAILED` (or `signal.reason`) when that fails or takes longer than `timeoutMs`. */
  dial(
    address: ServerAddress,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<StreamConnection>
  /** Stops to accept and ends every connection that it made or accepted. Idempotent. */
  close(): Promise<void>
}
