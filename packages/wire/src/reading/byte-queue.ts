import { INCOMPLETE } from './value-scanner.ts'
import type { ValueScanner } from './value-scanner.ts'

/** A chunk, or an own block that small chunks are gathered in. */
interface Segment {
  readonly bytes: Uint8Array
  start: number
  end: number
}

/** Chunks below this size are gathered, so that a peer that sends byte by byte costs no object per byte. */
const SMALL_CHUNK = 2048
const BLOCK_SIZE = 16 * 1024

/** Received bytes that are not taken yet, in the chunks in which they came. */
export class ByteQueue {
  readonly #segments: Segment[] = []
  /** The last segment, when it is an own block; of no meaning while there are no segments. */
  #block: Segment | undefined
  #length = 0
  /** How far the scan for the end of the next value has come: a segment, a place in it, and bytes so far. */
  #scanSegment = 0
  #scanAt = 0
  #scanned = 0

  get length(): number {
    return this.#length
  }

  /** Adds a chunk, which must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#length += chunk.length
    if (chunk.length >= SMALL_CHUNK || this.#segments.length === 0) {
      this.#block = undefined
      // Not the chunk itself: the slice() of a Buffer, which is one, would not copy.
      const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      this.#segments.push({ bytes, start: 0, end: bytes.length })
      return
    }
    let block = this.#block
    if (block === undefined || block.bytes.length - block.end < chunk.length) {
      block = { bytes: new Uint8Array(BLOCK_SIZE), start: 0, end: 0 }
      this.#block = block
      this.#segments.push(block)
    }
    block.bytes.set(chunk, block.end)
    block.end += chunk.length
  }

  /** Takes one byte; there must be one. */
  takeByte(): number {
    return this.takeUpTo(1)[0]!
  }

  /** Takes as many bytes as lie together, at least one and at most `max`; there must be one. */
  takeUpTo(max: number): Uint8Array {
    const first = this.#segments[0]!
    return this.take(Math.min(max, first.end - first.start))
  }

  /** Takes `length` bytes, which must be there: a view when they lie together, a copy otherwise. */
  take(length: number): Uint8Array {
    const first = this.#segments[0]!
    let taken: Uint8Array
    let used = 0
    if (first.end - first.start >= length) {
      taken = first.bytes.subarray(first.start, first.start + length)
      first.start += length
      if (first.start === first.end) used = 1
    } else {
      taken = new Uint8Array(length)
      let filled = 0
      while (filled < length) {
        const segment = this.#segments[used]!
        const part = Math.min(length - filled, segment.end - segment.start)
        taken.set(segment.bytes.subarray(segment.start, segment.start + part), filled)
        filled += part
        segment.start += part
        if (segment.start === segment.end) used++
      }
    }
    this.#length -= length
    if (used > 0) this.#segments.splice(0, used)
    this.#scanSegment = 0
    this.#scanAt = this.#segments[0]?.start ?? 0
    this.#scanned = 0
    return taken
  }

  /**
   * Lets the scanner see the bytes that it has not seen since the last take. The length of the value at the
   * start of the queue, or INCOMPLETE.
   */
  scan(scanner: ValueScanner): number {
    while (this.#scanSegment < this.#segments.length) {
      const { bytes, start, end } = this.#segments[this.#scanSegment]!
      const from = Math.max(this.#scanAt, start)
      const to = scanner.feed(bytes, from, end)
      if (to !== INCOMPLETE) return this.#scanned + to - from
      this.#scanned += end - from
      this.#scanAt = end
      if (this.#scanSegment === this.#segments.length - 1) break
      this.#scanSegment++
      this.#scanAt = 0
    }
    return INCOMPLETE
  }
}
