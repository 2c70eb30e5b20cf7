import { NIL, TWO_POW_32 } from './encodings.ts'

const NO_MATCH = -1

/** Bytes of the shortest entry in the common layout: nil for time, data and extensions, one byte per number. */
const SHORTEST = 12 + 1 + 5 + 1 + 11 + 1 + 6 + 1 + 5 + 1 + 5 + 1

/**
 * Recognises an entry in the exact layout that Go and raftkit write (the six keys in order, raw strings) by comparing whole
 * words, and notes where its parts are. Anything else is left to the tolerant reader.
 */
export class EntryLayout {
  /** First byte of such an entry: a map of six keys. */
  static readonly lead = 0x86

  readonly #bytes: Uint8Array
  readonly #end: number
  #view: DataView | undefined
  /** Of the entry matched last. */
  index = 0
  term = 0
  type = 0
  /** Where the value of AppendedAt starts. */
  timeAt = 0
  /** Where Data starts, and its length; -1 for nil. */
  dataAt = 0
  dataLength = 0
  /** The same for Extensions. */
  extensionsAt = 0
  extensionsLength = 0
  /** Set by #raw and #uint: the position after the value. */
  #next = 0

  constructor(bytes: Uint8Array, end: number) {
    this.#bytes = bytes
    this.#end = end
  }

  /** The position after the entry that starts at `at`, or -1 when it is not (all there) in this layout. */
  match(at: number): number {
    if (this.#end - at < SHORTEST) return NO_MATCH
    const bytes = this.#bytes
    const view = (this.#view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    // map(6) "AppendedAt"
    if (
      view.getUint32(at) !== 0x86aa4170 ||
      view.getUint32(at + 4) !== 0x70656e64 ||
      view.getUint32(at + 8) !== 0x65644174
    )
      return NO_MATCH
    this.timeAt = at + 12
    let p = this.#afterTime(bytes, at + 12)
    // "Data"
    if (this.#end - p < SHORTEST - 13) return NO_MATCH
    if (view.getUint32(p) !== 0xa4446174 || bytes[p + 4] !== 0x61) return NO_MATCH
    this.dataLength = this.#raw(bytes, view, p + 5)
    this.dataAt = this.#next - Math.max(this.dataLength, 0)
    p = this.#next
    // "Extensions"
    if (this.#end - p < SHORTEST - 19) return NO_MATCH
    if (
      view.getUint32(p) !== 0xaa457874 ||
      view.getUint32(p + 4) !== 0x656e7369 ||
      view.getUint32(p + 7) !== 0x696f6e73
    )
      return NO_MATCH
    this.extensionsLength = this.#raw(bytes, view, p + 11)
    this.extensionsAt = this.#next - Math.max(this.extensionsLength, 0)
    return this.#matchNumbers(bytes, view, this.#next)
  }

  /** "Index", "Term" and "Type". */
  #matchNumbers(bytes: Uint8Array, view: DataView, at: number): number {
    const end = this.#end
    if (end - at < SHORTEST - 31) return NO_MATCH
    if (view.getUint32(at) !== 0xa5496e64 || view.getUint16(at + 4) !== 0x6578) return NO_MATCH
    this.index = this.#uint(bytes, view, at + 6)
    let p = this.#next
    if (end - p < 12) return NO_MATCH
    if (view.getUint32(p) !== 0xa4546572 || bytes[p + 4] !== 0x6d) return NO_MATCH
    this.term = this.#uint(bytes, view, p + 5)
    p = this.#next
    if (end - p < 6) return NO_MATCH
    if (view.getUint32(p) !== 0xa4547970 || bytes[p + 4] !== 0x65) return NO_MATCH
    this.type = bytes[p + 5]!
    return this.type < 0x80 ? p + 6 : NO_MATCH
  }

  /** The position after one of the forms of a time that Go writes; past the end for any other. */
  #afterTime(bytes: Uint8Array, at: number): number {
    switch (bytes[at]!) {
      case 0xaf:
        return bytes[at + 1] === 1 ? at + 16 : this.#end
      case 0xb0:
        return bytes[at + 1] === 2 ? at + 17 : this.#end
      case NIL:
        return at + 1
      case 0xa4:
        return at + 5
      case 0xa8:
        return at + 9
      case 0xac:
        return at + 13
      default:
        return this.#end
    }
  }

  /** Length of the raw string at `at`, -1 for nil. Leaves #next past the end when it is neither. */
  #raw(bytes: Uint8Array, view: DataView, at: number): number {
    const lead = bytes[at]!
    let length: number
    let start = at + 1
    if (lead >= 0xa0 && lead < 0xc0) length = lead & 0x1f
    else if (lead === NIL) {
      this.#next = start
      return -1
    } else if (lead === 0xda) {
      length = view.getUint16(at + 1)
      start = at + 3
    } else if (lead === 0xdb) {
      length = view.getUint32(at + 1)
      start = at + 5
    } else {
      this.#next = this.#end
      return -1
    }
    this.#next = start + length
    return length
  }

  /** The unsigned integer at `at`; NaN when it is none or is cut off. */
  #uint(bytes: Uint8Array, view: DataView, at: number): number {
    const lead = bytes[at]!
    if (lead < 0x80) {
      this.#next = at + 1
      return lead
    }
    const width = lead >= 0xcc && lead <= 0xcf ? 1 << (lead - 0xcc) : 0
    this.#next = width === 0 ? this.#end : at + 1 + width
    if (this.#next >= this.#end) {
      this.#next = this.#end
      return Number.NaN
    }
    if (width === 1) return bytes[at + 1]!
    if (width === 2) return view.getUint16(at + 1)
    const high = view.getUint32(at + 1)
    return width === 4 ? high : high * TWO_POW_32 + view.getUint32(at + 5)
  }
}
