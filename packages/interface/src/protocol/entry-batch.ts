import type { LogType } from './log-entry.ts'
import type { Index, Term } from './numbers.ts'

/**
 * Encoded entries with consecutive indexes in one buffer: the unit that moves between runtime, stores and
 * transports. An entry is encoded once; its bytes on disk are its bytes on the wire. Immutable.
 */
export class EntryBatch {
  /** Index of the first entry. */
  readonly firstIndex: Index
  /** The buffer. Entry `i` (counted from 0) is `bytes[offsets[i] .. offsets[i + 1])`. */
  readonly bytes: Uint8Array
  /** Ascending; one more than there are entries. Adjacent entries touch. */
  readonly offsets: readonly number[]
  /** Term of each entry. */
  readonly terms: readonly Term[]
  /** Type of each entry. */
  readonly types: readonly LogType[]

  constructor(
    firstIndex: Index,
    bytes: Uint8Array,
    offsets: readonly number[],
    terms: readonly Term[],
    types: readonly LogType[],
  ) {
    if (terms.length === 0 || offsets.length !== terms.length + 1 || types.length !== terms.length)
      throw new RangeError('an entry batch needs at least one entry and a matching offset table')
    this.firstIndex = firstIndex
    this.bytes = bytes
    this.offsets = offsets
    this.terms = terms
    this.types = types
  }

  /** Number of entries, at least 1. */
  get count(): number {
    return this.terms.length
  }

  /** Index of the last entry. */
  get lastIndex(): Index {
    // In this order: near 2^53 the sum of both would be rounded.
    return this.firstIndex + (this.terms.length - 1)
  }

  /** Term of the last entry. */
  get lastTerm(): Term {
    return this.terms[this.terms.length - 1]!
  }

  /** Encoded size of all entries. */
  get byteLength(): number {
    return this.offsets[this.offsets.length - 1]! - this.offsets[0]!
  }

  /** The encoded bytes of all entries, a view. */
  get view(): Uint8Array {
    return this.bytes.subarray(this.offsets[0]!, this.offsets[this.offsets.length - 1]!)
  }

  /** Term of the entry at `index`, which must be inside the batch. */
  termAt(index: Index): Term {
    return this.terms[this.#position(index)]!
  }

  /** Type of the entry at `index`, which must be inside the batch. */
  typeAt(index: Index): LogType {
    return this.types[this.#position(index)]!
  }

  /** Encoded bytes of the entry at `index`, a view. */
  bytesAt(index: Index): Uint8Array {
    const position = this.#position(index)
    return this.bytes.subarray(this.offsets[position]!, this.offsets[position + 1]!)
  }

  /** Encoded size of the entry at `index`. */
  byteLengthAt(index: Index): number {
    const position = this.#position(index)
    return this.offsets[position + 1]! - this.offsets[position]!
  }

  /** The entries `from .. to`, both inclusive and inside the batch; shares the buffer. */
  slice(from: Index, to: Index): EntryBatch {
    if (from === this.firstIndex && to === this.lastIndex) return this
    const start = this.#position(from)
    const end = this.#position(to) + 1
    return new EntryBatch(
      from,
      this.bytes,
      this.offsets.slice(start, end + 1),
      this.terms.slice(start, end),
      this.types.slice(start, end),
    )
  }

  #position(index: Index): number {
    const position = index - this.firstIndex
    if (this.terms[position] === undefined)
      throw new RangeError(
        `index ${index} is outside the batch ${this.firstIndex}..${this.lastIndex}`,
      )
    return position
  }
}
