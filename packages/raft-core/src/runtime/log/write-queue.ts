// What is to be written, in order: appends that follow each other become one write.
import type { EntryBatch, HardState, Index, RaftError, Term } from '@raftkit/interface'

/** Entries to append. `last` is the last of them that still belongs to the log; below the first when none does. */
export interface AppendWrite {
  readonly kind: 'append'
  readonly batches: EntryBatch[]
  bytes: number
  last: Index
}

/** Term and vote to save; `sequence` is that of the newest `save-hard-state` it covers. */
export interface HardStateWrite {
  readonly kind: 'hard-state'
  sequence: number
  hardState: HardState
}

/** A conflicting suffix to remove. */
export interface TruncateWrite {
  readonly kind: 'truncate'
  readonly from: Index
}

/** The whole log is to go; one of the two is called when it is gone, or when a write failed. */
export interface ResetWrite {
  readonly kind: 'reset'
  /** Where the snapshot ends that takes the log's place. */
  readonly index: Index
  readonly done: () => void
  readonly failed: (error: RaftError) => void
}

/** A small value of the stable store; one of the two is called when it is saved, or when a write failed. */
export interface ValueWrite {
  readonly kind: 'value'
  readonly key: string
  readonly value: Uint8Array
  readonly done: () => void
  readonly failed: (error: RaftError) => void
}

/** One write. */
export type Write = AppendWrite | HardStateWrite | TruncateWrite | ResetWrite | ValueWrite

/** Bytes of one append: what comes beyond waits for the next. */
const MAX_APPEND_BYTES = 8 * 1024 * 1024

/** The writes that wait for the one under way. Bounded by what admission and the leaders' windows let in. */
export class WriteQueue {
  #writes: Write[] = []
  #bytes = 0

  /** Bytes of the appends that wait. */
  get bytes(): number {
    return this.#bytes
  }

  get length(): number {
    return this.#writes.length
  }

  next(): Write | undefined {
    const write = this.#writes.shift()
    if (write?.kind === 'append') this.#bytes -= write.bytes
    return write
  }

  append(batch: EntryBatch): void {
    this.#bytes += batch.byteLength
    const last = this.#writes.at(-1)
    if (last?.kind === 'append' && last.bytes + batch.byteLength <= MAX_APPEND_BYTES) {
      last.batches.push(batch)
      last.bytes += batch.byteLength
      last.last = batch.lastIndex
      return
    }
    this.#writes.push({
      kind: 'append',
      batches: [batch],
      bytes: batch.byteLength,
      last: batch.lastIndex,
    })
  }

  // The newest term and vote replace older ones that are not under way yet.
  hardState(sequence: number, hardState: HardState): void {
    const last = this.#writes.at(-1)
    if (last?.kind === 'hard-state') {
      last.sequence = sequence
      last.hardState = hardState
      return
    }
    this.#writes.push({ kind: 'hard-state', sequence, hardState })
  }

  truncate(from: Index): void {
    for (const write of this.#writes) cut(write, from)
    this.#writes.push({ kind: 'truncate', from })
  }

  value(write: Omit<ValueWrite, 'kind'>): void {
    this.#writes.push({ kind: 'value', ...write })
  }

  reset(index: Index, done: () => void, failed: (error: RaftError) => void): void {
    for (const write of this.#writes) cut(write, 0)
    this.#writes.push({ kind: 'reset', index, done, failed })
  }
}

/** After this write, entries from `from` on are removed: it makes none of them durable. */
export function cut(write: Write | undefined, from: Index): void {
  if (write?.kind === 'append') write.last = Math.min(write.last, from - 1)
}

/** Term of the last entry that an append makes durable; undefined when it makes none durable. */
export function lastTermOf(write: AppendWrite): Term | undefined {
  return write.batches
    .find((batch) => batch.firstIndex <= write.last && write.last <= batch.lastIndex)
    ?.termAt(write.last)
}
