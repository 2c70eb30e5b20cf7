// A log and stable store as plain as can be: what the suites hold true. And its data, for tests to damage.

import { EntryBatch, isSafeNumber, RaftError } from '@raftkit/interface'
import type {
  HardState,
  LogAppendOptions,
  LogBounds,
  LogReadLimits,
  LogStore,
  LogType,
  StableStore,
} from '@raftkit/interface'

export interface StoredEntry {
  readonly term: number
  readonly type: LogType
  readonly bytes: Uint8Array
}

/** Encoded bytes of the largest entry. */
export const MAX_ENTRY_BYTES = 9_000_000

/** What a store holds. */
export interface StoreData {
  entries: Map<number, StoredEntry>
  values: Map<string, Uint8Array>
  hardState: HardState | undefined
  commitIndex: number
  corrupt: boolean
}

export function emptyData(): StoreData {
  return {
    entries: new Map(),
    values: new Map(),
    hardState: undefined,
    commitIndex: 0,
    corrupt: false,
  }
}

export class MapStore implements LogStore, StableStore {
  readonly data: StoreData
  closed = false

  constructor(data: StoreData = emptyData()) {
    this.data = data
  }

  async bounds(): Promise<LogBounds> {
    return this.heldNow()
  }

  /** The bounds, at once. */
  heldNow(): LogBounds {
    const indexes = [...this.#use().entries.keys()]
    if (indexes.length === 0) return { firstIndex: 0, lastIndex: 0 }
    return { firstIndex: Math.min(...indexes), lastIndex: Math.max(...indexes) }
  }

  async read(from: number, to: number, limits: LogReadLimits): Promise<EntryBatch> {
    const { entries } = this.#use()
    const found: StoredEntry[] = []
    let size = 0
    for (let index = from; index <= to; index++) {
      const entry = entries.get(index)
      if (!entry) break
      size += entry.bytes.length
      if (found.length > 0 && size > limits.maxBytes) break
      found.push(entry)
    }
    if (found.length === 0) throw new RaftError('RAFT_LOG_NOT_FOUND', `no entry ${from}`)
    return packed(from, found)
  }

  async append(
    batches: readonly EntryBatch[],
    { commitIndex = 0 }: LogAppendOptions = {},
    maxEntryBytes = MAX_ENTRY_BYTES,
  ): Promise<void> {
    if (!isSafeNumber(commitIndex)) throw new RaftError('RAFT_INVALID_ARGUMENT', 'no commit index')
    const { lastIndex } = this.heldNow()
    let last = lastIndex
    for (const batch of batches) {
      if (last !== 0 && batch.firstIndex !== last + 1)
        throw new RaftError('RAFT_LOG_GAP', `${batch.firstIndex} after ${last}`)
      if (!isSafeNumber(batch.lastIndex))
        throw new RaftError('RAFT_INVALID_ARGUMENT', 'an index above 2^53 - 1')
      if (sizesOf(batch).some((size) => size > maxEntryBytes))
        throw new RaftError('RAFT_LIMIT_EXCEEDED', `an entry is above ${maxEntryBytes} bytes`)
      last = batch.lastIndex
    }
    for (const batch of batches) this.put(batch)
    if (batches.length > 0)
      this.data.commitIndex = Math.max(this.data.commitIndex, Math.min(commitIndex, last))
  }

  async commitIndex(): Promise<number> {
    return this.#use().commitIndex
  }

  /** Stores a batch without any check. */
  put(batch: EntryBatch): void {
    for (let i = 0; i < batch.count; i++)
      this.#use().entries.set(batch.firstIndex + i, {
        term: batch.terms[i]!,
        type: batch.types[i]!,
        bytes: batch.bytes.slice(batch.offsets[i], batch.offsets[i + 1]),
      })
  }

  async truncateSuffix(from: number): Promise<void> {
    this.drop((index) => index >= from)
  }

  async truncatePrefix(to: number): Promise<void> {
    this.drop((index) => index <= to)
  }

  /** Removes entries. */
  drop(unwanted: (index: number) => boolean): void {
    const { entries } = this.#use()
    for (const index of entries.keys()) if (unwanted(index)) entries.delete(index)
    this.data.commitIndex = Math.min(this.data.commitIndex, this.heldNow().lastIndex)
  }

  async loadHardState(): Promise<HardState | undefined> {
    if (this.#use().corrupt) throw new RaftError('RAFT_STORE_CORRUPT', 'damaged')
    return this.data.hardState
  }

  async saveHardState(state: HardState): Promise<void> {
    this.#use().hardState = state
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#use().values.get(key)?.slice()
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    const { values } = this.#use()
    if (value.length > 65_536) throw new RaftError('RAFT_LIMIT_EXCEEDED', 'too large')
    values.set(key, value.slice())
  }

  async close(): Promise<void> {
    this.closed = true
  }

  #use(): StoreData {
    if (this.closed) throw new RaftError('RAFT_STORE_CLOSED', 'closed')
    return this.data
  }
}

function sizesOf({ offsets }: EntryBatch): number[] {
  return offsets.slice(1).map((offset, i) => offset - offsets[i]!)
}

/** A copy that shares nothing, as a copied directory would be. */
export function copyOf(data: StoreData): StoreData {
  return { ...data, entries: new Map(data.entries), values: new Map(data.values) }
}

export function packed(firstIndex: number, entries: readonly StoredEntry[]): EntryBatch {
  const offsets = [0]
  for (const entry of entries) offsets.push(offsets.at(-1)! + entry.bytes.length)
  const bytes = new Uint8Array(offsets.at(-1)!)
  for (const [i, entry] of entries.entries()) bytes.set(entry.bytes, offsets[i])
  return new EntryBatch(
    firstIndex,
    bytes,
    offsets,
    entries.map((entry) => entry.term),
    entries.map((entry) => entry.type),
  )
}
