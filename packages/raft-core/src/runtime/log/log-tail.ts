import type { EntryBatch, Index } from '@raftkit/interface'

/**
 * The recent entries of the log in memory: all that are not durable yet, and before them as many as fit into a number
 * of bytes. Followers and the state machine are served from here without reading the store.
 */
export class LogTail {
  readonly #maxBytes: number
  /** Consecutive batches; those before `#head` are gone. */
  #batches: (EntryBatch | undefined)[] = []
  #head = 0
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Encoded bytes held. */
  get bytes(): number {
    return this.#bytes
  }

  /** First index held, 0 when empty. */
  get firstIndex(): Index {
    return this.#batches[this.#head]?.firstIndex ?? 0
  }

  /** Last index held, 0 when empty. */
  get lastIndex(): Index {
    return this.#batches.length > this.#head ? this.#batches.at(-1)!.lastIndex : 0
  }

  /** Adds the batch that follows. */
  append(batch: EntryBatch): void {
    if (this.lastIndex !== 0 && batch.firstIndex !== this.lastIndex + 1)
      throw new RangeError(`entry ${batch.firstIndex} does not follow ${this.lastIndex}`)
    this.#batches.push(batch)
    this.#bytes += batch.byteLength
  }

  /** Removes `from` and everything after it. */
  truncate(from: Index): void {
    while (this.#batches.length > this.#head) {
      const batch = this.#batches.pop()!
      this.#bytes -= batch.byteLength
      if (batch.firstIndex >= from) continue
      const kept = batch.lastIndex < from ? batch : batch.slice(batch.firstIndex, from - 1)
      this.#batches.push(kept)
      this.#bytes += kept.byteLength
      return
    }
  }

  /** Forgets whole batches from the front while there are too many bytes; `durable` and earlier may go. */
  evict(durable: Index): void {
    while (this.#bytes > this.#maxBytes && this.firstIndex !== 0) {
      if (this.#batches[this.#head]!.lastIndex > durable) return
      this.#dropFirst()
    }
  }

  /** Forgets whole batches that end at or before `to`. */
  dropThrough(to: Index): void {
    while (this.firstIndex !== 0 && this.#batches[this.#head]!.lastIndex <= to) this.#dropFirst()
  }

  /** Forgets everything. */
  clear(): void {
    this.#batches = []
    this.#head = 0
    this.#bytes = 0
  }

  /** The whole batch that holds `index`; undefined when it is not here. */
  batchAt(index: Index): EntryBatch | undefined {
    const position = this.#find(index)
    return position === undefined ? undefined : this.#batches[position]
  }

  /**
   * The entries from `from` on, up to `to` and about `maxBytes` (the first always comes), as slices of the batches.
   * Undefined when `from` is not here.
   */
  read(from: Index, to: Index, maxBytes: number): EntryBatch[] | undefined {
    let position = this.#find(from)
    if (position === undefined) return undefined
    const found: EntryBatch[] = []
    let next = from
    let budget = maxBytes
    while (next <= to && position < this.#batches.length) {
      const batch = this.#batches[position]!
      const last = lastWithin(batch, next, Math.min(to, batch.lastIndex), budget)
      if (last < next && found.length > 0) break
      const end = Math.max(last, next)
      const slice = batch.slice(next, end)
      found.push(slice)
      budget -= slice.byteLength
      if (end < batch.lastIndex) break
      next = end + 1
      position++
    }
    return found
  }

  #dropFirst(): void {
    this.#bytes -= this.#batches[this.#head]!.byteLength
    this.#batches[this.#head] = undefined
    this.#head++
    if (this.#head >= 64 && this.#head * 2 >= this.#batches.length) {
      this.#batches.splice(0, this.#head)
      this.#head = 0
    }
  }

  /** Position of the batch that holds `index`. */
  #find(index: Index): number | undefined {
    if (index < this.firstIndex || index > this.lastIndex) return undefined
    let low = this.#head
    let high = this.#batches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#batches[middle]!.firstIndex <= index) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** Last index of `from .. to` that fits into the budget; `from - 1` when not even the first does. */
function lastWithin(batch: EntryBatch, from: Index, to: Index, budget: number): Index {
  const { offsets, firstIndex } = batch
  const start = offsets[from - firstIndex]!
  if (offsets[to - firstIndex + 1]! - start <= budget) return to
  let low = from - 1
  let high = to
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (offsets[middle - firstIndex + 1]! - start <= budget) low = middle
    else high = middle - 1
  }
  return low
}
