import { EntryBatch } from '@raftkit/interface'
import type { Index, LogType, Term } from '@raftkit/interface'

const SMALLEST_SEGMENT_BYTES = 4 * 1024
const LARGEST_SEGMENT_BYTES = 1024 * 1024

/** A run of entries in one buffer of fixed size. Bytes once written never change: readers hold views of them. */
class Segment {
  readonly firstIndex: Index
  readonly bytes: Uint8Array
  /** Entry `i` of the segment is `bytes[offsets[i] .. offsets[i + 1])`. */
  readonly offsets: number[] = [0]
  readonly terms: Term[] = []
  readonly types: LogType[] = []
  /** True once entries were cut off its end: their bytes may still be in a reader's hands. */
  sealed = false

  constructor(firstIndex: Index, capacity: number) {
    this.firstIndex = firstIndex
    this.bytes = new Uint8Array(capacity)
  }

  get lastIndex(): Index {
    return this.firstIndex + this.terms.length - 1
  }

  get free(): number {
    return this.sealed ? 0 : this.bytes.length - this.offsets[this.terms.length]!
  }

  /** Copies the entries `from .. to` of the batch behind the ones held. They must fit. */
  copyIn(batch: EntryBatch, from: Index, to: Index): void {
    const first = from - batch.firstIndex
    const end = to - batch.firstIndex + 1
    const start = batch.offsets[first]!
    const shift = this.offsets[this.terms.length]! - start
    this.bytes.set(batch.bytes.subarray(start, batch.offsets[end]!), start + shift)
    for (let i = first; i < end; i++) {
      this.offsets.push(batch.offsets[i + 1]! + shift)
      this.terms.push(batch.terms[i]!)
      this.types.push(batch.types[i]!)
    }
  }

  /** The entries `from .. to`, a view. */
  view(from: Index, to: Index): EntryBatch {
    const first = from - this.firstIndex
    const end = to - this.firstIndex + 1
    return new EntryBatch(
      from,
      this.bytes,
      this.offsets.slice(first, end + 1),
      this.terms.slice(first, end),
      this.types.slice(first, end),
    )
  }

  cutFrom(from: Index): void {
    const kept = from - this.firstIndex
    this.offsets.length = kept + 1
    this.terms.length = kept
    this.types.length = kept
    this.sealed = true
  }
}

/**
 * Entries with consecutive indexes, packed into a few large buffers: an object per entry would make the garbage
 * collector walk the whole log. Keeps its own copy of the bytes. Checks nothing; its owner does.
 */
export class PackedLog {
  /** Index of the first entry; 0 when empty. */
  firstIndex: Index = 0
  /** Index of the last entry; 0 when empty. */
  lastIndex: Index = 0
  #segments: Segment[] = []

  /** Adds a batch, which must start right after the last entry unless the log is empty. */
  append(batch: EntryBatch): void {
    if (this.lastIndex === 0) this.firstIndex = batch.firstIndex
    let next = batch.firstIndex
    while (next <= batch.lastIndex) {
      const segment = this.#segmentFor(next, batch.byteLengthAt(next))
      let to = next
      let free = segment.free - batch.byteLengthAt(next)
      while (to < batch.lastIndex && batch.byteLengthAt(to + 1) <= free) {
        to++
        free -= batch.byteLengthAt(to)
      }
      segment.copyIn(batch, next, to)
      next = to + 1
    }
    this.lastIndex = batch.lastIndex
  }

  /** The held entries `from .. to`, as many as fit `maxBytes`, at least one. */
  read(from: Index, to: Index, maxBytes: number): EntryBatch {
    const parts: EntryBatch[] = []
    let size = 0
    let next = from
    for (let i = this.#segmentOf(from); next <= to; i++) {
      const segment = this.#segments[i]!
      const end = Math.min(to, segment.lastIndex)
      let last = next - 1
      while (last < end) {
        const position = last + 1 - segment.firstIndex
        const length = segment.offsets[position + 1]! - segment.offsets[position]!
        if (last + 1 > from && size + length > maxBytes) break
        size += length
        last++
      }
      if (last >= next) parts.push(segment.view(next, last))
      if (last < end) break
      next = last + 1
    }
    return parts.length === 1 ? parts[0]! : joined(parts, size)
  }

  /** Removes every entry at `from` and after it. */
  truncateSuffix(from: Index): void {
    if (from > this.lastIndex) return
    if (from <= this.firstIndex) return this.#clear()
    this.#segments.length = this.#segmentOf(from) + 1
    const tail = this.#segments.at(-1)!
    if (tail.firstIndex === from) this.#segments.pop()
    else tail.cutFrom(from)
    this.lastIndex = from - 1
  }

  /** Removes every entry up to and including `to`. Memory is given back a segment at a time. */
  truncatePrefix(to: Index): void {
    if (to < this.firstIndex) return
    if (to >= this.lastIndex) return this.#clear()
    this.#segments.splice(0, this.#segmentOf(to + 1))
    this.firstIndex = to + 1
  }

  #clear(): void {
    this.#segments = []
    this.firstIndex = 0
    this.lastIndex = 0
  }

  /** The tail segment when it has room for `size` bytes, else a new one, twice as large as the last. */
  #segmentFor(firstIndex: Index, size: number): Segment {
    const tail = this.#segments.at(-1)
    if (tail && !tail.sealed && tail.free >= size) return tail
    const grown = tail ? tail.bytes.length * 2 : SMALLEST_SEGMENT_BYTES
    const capacity = Math.max(size, SMALLEST_SEGMENT_BYTES, Math.min(grown, LARGEST_SEGMENT_BYTES))
    const segment = new Segment(firstIndex, capacity)
    this.#segments.push(segment)
    return segment
  }

  /** Position of the segment that holds `index`, by halving. */
  #segmentOf(index: Index): number {
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#segments[middle]!.firstIndex <= index) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** One batch of adjacent parts, with a buffer of its own. */
function joined(parts: readonly EntryBatch[], size: number): EntryBatch {
  const bytes = new Uint8Array(size)
  const offsets = [0]
  const terms: Term[] = []
  const types: LogType[] = []
  let place = 0
  for (const part of parts) {
    bytes.set(part.view, place)
    const shift = place - part.offsets[0]!
    for (let i = 0; i < part.count; i++) {
      offsets.push(part.offsets[i + 1]! + shift)
      terms.push(part.terms[i]!)
      types.push(part.types[i]!)
    }
    place += part.byteLength
  }
  return new EntryBatch(parts[0]!.firstIndex, bytes, offsets, terms, types)
}
