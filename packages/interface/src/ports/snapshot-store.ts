import type { Configuration } from '../protocol/configuration.ts'
import type { Index, Term } from '../protocol/numbers.ts'

/** What a snapshot is of (§7). */
export interface SnapshotDescription {
  /** Last entry that the snapshot includes. */
  readonly index: Index
  readonly term: Term
  /** The committed configuration as of `index`, both halves of it (`next`), and the index of its entry. */
  readonly configuration: Configuration
  readonly configurationIndex: Index
}

/** A finished snapshot. */
export interface SnapshotMeta extends SnapshotDescription {
  /** The store's own name for it. Never used as a path by anyone else. */
  readonly id: string
  /** hashicorp/raft snapshot version, 1. */
  readonly version: number
  /** Bytes of state. */
  readonly size: number
}

/** A snapshot being written. Invisible to `list` until `close` resolves. */
export interface SnapshotSink {
  readonly id: string
  /** Adds bytes. Await it before the next call: that is the back-pressure. */
  write(chunk: Uint8Array): Promise<void>
  /** Finishes: when it resolves, the snapshot is durable and listed. On failure everything is removed. */
  close(): Promise<SnapshotMeta>
  /** Gives up and removes everything. After `close` it does nothing. */
  cancel(): Promise<void>
}

/** An opened snapshot. Read `state` once; `close` when done, also after an error. */
export interface OpenSnapshot {
  readonly meta: SnapshotMeta
  readonly state: AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** Keeps snapshots of the state machine. */
export interface SnapshotStore {
  /** Begins a snapshot. */
  create(description: SnapshotDescription): Promise<SnapshotSink>
  /** Finished snapshots, newest first. Unreadable ones are left out with a warning in the log. */
  list(): Promise<readonly SnapshotMeta[]>
  /** Opens one. Rejects with `RAFT_SNAPSHOT_CORRUPT` when its checksum fails, `RAFT_SNAPSHOT_NOT_FOUND` when gone. */
  open(id: string): Promise<OpenSnapshot>
}
