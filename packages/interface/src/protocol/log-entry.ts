import type { Index, Term } from './numbers.ts'

/**
 * What an entry is for. The numbers are hashicorp/raft's and go to disk and over the wire: never renumber.
 * `addPeerDeprecated` and `removePeerDeprecated` are read from old logs and never written.
 */
export const LogType = {
  command: 0,
  noop: 1,
  addPeerDeprecated: 2,
  removePeerDeprecated: 3,
  barrier: 4,
  configuration: 5,
} as const

/** One of the numbers of {@link LogType}. */
export type LogType = (typeof LogType)[keyof typeof LogType]

/** One decoded entry of the replicated log (Raft §5.3). `data` and `extensions` may be views: copy to keep. */
export interface LogEntry {
  readonly index: Index
  readonly term: Term
  readonly type: LogType
  /** The command; empty for a no-op or a barrier. */
  readonly data: Uint8Array
  /** Opaque bytes that travel with the entry beside the command. */
  readonly extensions?: Uint8Array
  /**
   * When the leader appended it, milliseconds since the Unix epoch by its wall clock. May go back from one leader to the
   * next: for display, and for what can bear that, such as the expiry of client sessions.
   */
  readonly appendedAt?: number
}
