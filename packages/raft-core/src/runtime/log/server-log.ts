import {
  type EntryBatch,
  type HardState,
  type Index,
  type LogStore,
  RaftError,
} from '@raftkit/interface'
import type { LogTail } from './log-tail.ts'
import type { LogWriter } from './log-writer.ts'

/** The log of this server: all of it in the store, the recent part in memory too, where new entries go first. */
export class ServerLog {
  readonly #store: LogStore
  readonly #tail: LogTail
  readonly #writer: LogWriter

  constructor(store: LogStore, tail: LogTail, writer: LogWriter) {
    this.#store = store
    this.#tail = tail
    this.#writer = writer
  }

  get writer(): LogWriter {
    return this.#writer
  }

  get tailBytes(): number {
    return this.#tail.bytes
  }

  append(batch: EntryBatch): void {
    this.#tail.append(batch)
    this.#writer.append(batch)
  }

  truncate(from: Index): void {
    this.#tail.truncate(from)
    this.#writer.truncate(from)
  }

  compact(to: Index): void {
    this.#tail.dropThrough(to)
    this.#writer.compact(to)
  }

  /** Removes everything, because the snapshot at `index` took its place. */
  reset(index: Index): Promise<void> {
    this.#tail.clear()
    return this.#writer.reset(index)
  }

  saveHardState(sequence: number, hardState: HardState): void {
    this.#writer.saveHardState(sequence, hardState)
  }

  /** Makes room in memory after entries have become durable. */
  evict(): void {
    this.#tail.evict(this.#writer.durableIndex)
  }

  /** Entries in memory from `from` on; undefined when they are only in the store. */
  peek(from: Index, to: Index, maxBytes: number): readonly EntryBatch[] | undefined {
    return this.#tail.read(from, to, maxBytes)
  }

  /** The batch in memory that holds `index`; undefined when it is only in the store. */
  batchAt(index: Index): EntryBatch | undefined {
    return this.#tail.batchAt(index)
  }

  /** Entries of the store. Rejects as `LogStore.read` does. */
  async read(from: Index, to: Index, maxBytes: number): Promise<EntryBatch> {
    const inMemoryFrom = this.#tail.firstIndex
    const last = inMemoryFrom > from ? Math.min(to, inMemoryFrom - 1) : to
    const batch = await this.#store.read(from, last, { maxBytes })
    if (batch.firstIndex !== from || batch.lastIndex > last)
      throw new RaftError(
        'RAFT_STORE_CORRUPT',
        `the log store was asked for entries ${from}..${last} and gave ${batch.firstIndex}..${batch.lastIndex}`,
      )
    return batch
  }
}
