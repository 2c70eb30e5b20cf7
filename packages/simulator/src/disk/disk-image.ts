// What is durable on one disk: term and vote, the log, snapshots. It survives crashes.
import type { EntryBatch, HardState, Index, LogType, SnapshotMeta, Term } from '@raftkit/interface'

/** One entry on disk. */
export interface StoredEntry {
  readonly index: Index
  readonly term: Term
  readonly type: LogType
  /** The encoded entry. */
  readonly bytes: Uint8Array
}

/** One snapshot on disk. */
export interface StoredSnapshot {
  readonly meta: SnapshotMeta
  readonly state: Uint8Array
}

/** Snapshots kept on a disk. */
const RETAINED = 2

/** The durable content of a disk. Changes are made whole or not at all. */
export class DiskImage {
  hardState: HardState | undefined
  readonly values: Map<string, Uint8Array> = new Map()
  /** Newest first. */
  snapshots: readonly StoredSnapshot[] = []
  #entries: StoredEntry[] = []

  /** First index in the log, 0 when it is empty. */
  get firstIndex(): Index {
    return this.#entries[0]?.index ?? 0
  }

  /** Last index in the log, 0 when it is empty. */
  get lastIndex(): Index {
    return this.#entries.at(-1)?.index ?? 0
  }

  /** Last index that the newest snapshot covers, 0 when there is none. */
  get snapshotIndex(): Index {
    return this.snapshots[0]?.meta.index ?? 0
  }

  entry(index: Index): StoredEntry | undefined {
    return this.#entries[index - this.firstIndex]
  }

  /** Term of the entry at `index` as far as this disk knows it: 0 for index 0, undefined when it does not. */
  termAt(index: Index): Term | undefined {
    if (index === 0) return 0
    const term = this.entry(index)?.term
    if (term !== undefined) return term
    return this.snapshots.find(({ meta }) => meta.index === index)?.meta.term
  }

  /** True when a crash cannot take the entry away any more: it is in the log or covered by a snapshot. */
  holds(index: Index, term: Term): boolean {
    return index <= this.snapshotIndex || this.entry(index)?.term === term
  }

  append(batches: readonly EntryBatch[]): void {
    for (const batch of batches)
      for (let index = batch.firstIndex; index <= batch.lastIndex; index++)
        this.#entries.push({
          index,
          term: batch.termAt(index),
          type: batch.typeAt(index),
          bytes: batch.bytesAt(index).slice(),
        })
  }

  truncateSuffix(from: Index): void {
    if (this.#entries.length > 0)
      this.#entries.length = Math.max(0, Math.min(this.#entries.length, from - this.firstIndex))
  }

  truncatePrefix(to: Index): void {
    if (this.#entries.length > 0) this.#entries.splice(0, Math.max(0, to - this.firstIndex + 1))
  }

  keep(snapshot: StoredSnapshot): void {
    this.snapshots = [snapshot, ...this.snapshots]
      .toSorted((a, b) => b.meta.term - a.meta.term || b.meta.index - a.meta.index)
      .slice(0, RETAINED)
  }
}
