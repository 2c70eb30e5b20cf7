import type { EntryBatch } from '../protocol/entry-batch.ts'
import type { Index } from '../protocol/numbers.ts'

/** First and last index that a store holds; both 0 when it is empty. */
export interface LogBounds {
  readonly firstIndex: Index
  readonly lastIndex: Index
}

/** How much {@link LogStore.read} may return. */
export interface LogReadLimits {
  /** Stop before an entry that would take the encoded size above this many bytes; the first always comes. */
  readonly maxBytes: number
}

/** What is stored beside the entries of one append. */
export interface LogAppendOptions {
  /**
   * The leader's word that everything up to here is committed. A store that keeps it (see {@link LogStore.commitIndex})
   * makes it durable in the same atomic write as the entries, clamped to the last of them; one that does not ignores it.
   */
  readonly commitIndex?: Index
}

/**
 * The replicated log on one server. When the promise of a changing method resolves, the change is durable.
 * When it rejects, the change may or may not be there after a restart, and the store takes no further change:
 * every later call rejects too (a failed sync must not be retried on the same file).
 *
 * raft-core never overlaps two changing calls; reads may overlap anything.
 * Entries are opaque bytes by index; term and type of each come in the batch and are stored beside them.
 */
export interface LogStore {
  /** The indexes held. */
  bounds(): Promise<LogBounds>
  /**
   * The entries `from .. to` (inclusive), fewer when `maxBytes` says so, at least one.
   * Rejects with `RAFT_LOG_NOT_FOUND` when `from` is not held, `RAFT_STORE_CORRUPT` when a checksum fails.
   */
  read(from: Index, to: Index, limits: LogReadLimits): Promise<EntryBatch>
  /**
   * Appends consecutive batches as one atomic write. The first must start right after the last index held; an
   * empty store accepts any start. Otherwise rejects with `RAFT_LOG_GAP` and nothing changes.
   */
  append(batches: readonly EntryBatch[], options?: LogAppendOptions): Promise<void>
  /**
   * Optional: the largest commit index that came with an append; 0 when none did. Never above the last index held: what
   * is truncated takes it down, and it stays down when other entries follow. Needed for `restoreCommittedLogs`.
   */
  commitIndex?(): Promise<Index>
  /** Removes every entry at `from` and after it. */
  truncateSuffix(from: Index): Promise<void>
  /** Removes every entry up to and including `to`. When that empties the store, the next append may start anywhere. */
  truncatePrefix(to: Index): Promise<void>
  /** Ends the store: waits for what is under way, releases files and locks. Idempotent. */
  close(): Promise<void>
}
