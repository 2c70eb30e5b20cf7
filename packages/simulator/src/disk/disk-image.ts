// What is durable on one disk: term and vote, the log, snapshots. It survives crashes, and may rot.
import type {
  Configuration,
  DiskId,
  EntryBatch,
  HardState,
  Index,
  IndexedConfiguration,
  SnapshotMeta,
  Term,
} from '@raftkit/interface'
import { LogType } from '@raftkit/interface'
import { decodeConfiguration, decodeEntry } from '@raftkit/wire'
import { joined } from './entry-join.ts'

/** One entry on disk. */
export interface StoredEntry {
  readonly index: Index
  readonly term: Term
  readonly type: LogType
  /** The encoded entry. */
  readonly bytes: Uint8Array
  /** Its checksum fails. */
  readonly isDamaged?: boolean
}

/** One snapshot on disk. */
export interface StoredSnapshot {
  readonly meta: SnapshotMeta
  readonly state: Uint8Array
  /** Its checksum fails. */
  readonly isDamaged?: boolean
}

/** The beginning of a write that a crash cut short. Its checksum says that it is not whole. */
export interface TornWrite {
  readonly what: string
}

/** Snapshots kept on a disk. */
const RETAINED = 2

/** The durable content of a disk. Changes are made whole or not at all. */
export class DiskImage {
  readonly values: Map<string, Uint8Array> = new Map()
  /** The checksum of term and vote, or of a small value, fails. */
  isStableDamaged = false
  /** Lies behind everything else; whoever opens the disk drops it. */
  torn: TornWrite | undefined
  /** Newest first. */
  snapshots: readonly StoredSnapshot[] = []
  #entries: StoredEntry[] = []
  #damagedEntries = 0
  #hardState: HardState | undefined
  #commitIndex: Index = 0

  /** Term and vote. Saving them again leaves nothing of what was damaged. */
  get hardState(): HardState | undefined {
    return this.#hardState
  }

  set hardState(state: HardState) {
    this.#hardState = state
    this.isStableDamaged = false
  }

  /** The name that the server gave this disk; undefined until it did. */
  get diskId(): DiskId | undefined {
    const value = this.values.get('disk-id')
    return value === undefined ? undefined : Number(String.fromCharCode(...value))
  }

  /** Something in the log, or term and vote, cannot be read. */
  get isUnreadable(): boolean {
    return this.isStableDamaged || this.#damagedEntries > 0
  }

  /** Something cannot be read, a snapshot perhaps. */
  get isDamaged(): boolean {
    return this.isUnreadable || this.snapshots.some((snapshot) => snapshot.isDamaged)
  }

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

  /** The commit index that came with an append; never beyond the log. */
  get commitIndex(): Index {
    return this.#commitIndex
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

  /** Index of the last entry that the disk knows, and its term. */
  get last(): { readonly index: Index; readonly term: Term } {
    const index = Math.max(this.lastIndex, this.snapshotIndex)
    return { index, term: this.termAt(index) ?? 0 }
  }

  /** Every configuration on the disk that can be read, oldest first. */
  get configurations(): readonly IndexedConfiguration[] {
    const meta = this.snapshots.find(({ isDamaged }) => isDamaged !== true)?.meta
    const found: IndexedConfiguration[] = []
    if (meta !== undefined)
      found.push({ index: meta.configurationIndex, configuration: meta.configuration })
    for (const { index, type, isDamaged } of this.#entries) {
      if (type !== LogType.configuration || isDamaged === true) continue
      if (index > (meta?.configurationIndex ?? 0))
        found.push({ index, configuration: this.configurationAt(index) })
    }
    return found
  }

  /** The configuration in the entry at `index`, which must be one. */
  configurationAt(index: Index): Configuration {
    const entry = this.entry(index)
    if (entry === undefined) return { servers: [] }
    return decodeConfiguration(decodeEntry(joined([entry]), index).data)
  }

  /** True when a crash cannot take the entry away any more: it is in the log or covered by a snapshot. */
  holds(index: Index, term: Term): boolean {
    return index <= this.snapshotIndex || this.entry(index)?.term === term
  }

  /** A byte of the entry is not what it was. */
  damageEntry(index: Index): void {
    const entry = this.entry(index)
    if (entry === undefined || entry.isDamaged === true) return
    this.#entries[index - this.firstIndex] = {
      ...entry,
      bytes: flipped(entry.bytes),
      isDamaged: true,
    }
    this.#damagedEntries++
  }

  /** A byte of the newest snapshot is not what it was. */
  damageSnapshot(): void {
    const [newest, ...older] = this.snapshots
    if (newest === undefined || newest.isDamaged === true) return
    this.snapshots = [{ ...newest, state: flipped(newest.state), isDamaged: true }, ...older]
  }

  append(batches: readonly EntryBatch[], commitIndex: Index = 0): void {
    for (const batch of batches)
      for (let index = batch.firstIndex; index <= batch.lastIndex; index++)
        this.#entries.push({
          index,
          term: batch.termAt(index),
          type: batch.typeAt(index),
          bytes: batch.bytesAt(index).slice(),
        })
    this.#commitIndex = Math.max(this.#commitIndex, Math.min(commitIndex, this.lastIndex))
  }

  truncateSuffix(from: Index): void {
    if (this.#entries.length === 0) return
    this.#forget(this.#entries.splice(Math.max(0, from - this.firstIndex)))
    this.#commitIndex = Math.min(this.#commitIndex, this.lastIndex)
  }

  truncatePrefix(to: Index): void {
    if (this.#entries.length === 0) return
    this.#forget(this.#entries.splice(0, Math.max(0, to - this.firstIndex + 1)))
    this.#commitIndex = Math.min(this.#commitIndex, this.lastIndex)
  }

  keep(snapshot: StoredSnapshot): void {
    this.snapshots = [snapshot, ...this.snapshots]
      .toSorted((a, b) => b.meta.term - a.meta.term || b.meta.index - a.meta.index)
      .slice(0, RETAINED)
  }

  #forget(removed: readonly StoredEntry[]): void {
    if (this.#damagedEntries === 0) return
    this.#damagedEntries -= removed.filter((entry) => entry.isDamaged).length
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const place = copy.length >> 1
  if (copy.length > 0) copy[place] = copy[place]! ^ 0x10
  return copy
}
