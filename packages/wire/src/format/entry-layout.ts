import { NIL, TWO_POW_32 } from './encodings.ts'
import * as words from './entry-words.ts'
import { timeOfFixstr } from './time.ts'

const NO_MATCH = -1
const NIL_LENGTH = -1

// The fewest bytes that can follow from each key on: one per value.
const FROM_TYPE = words.TYPE_SIZE + 1
const FROM_TERM = words.TERM_SIZE + 1 + FROM_TYPE
const FROM_INDEX = words.INDEX_SIZE + 1 + FROM_TERM
const FROM_EXTENSIONS = words.EXTENSIONS_SIZE + 1 + FROM_INDEX
const FROM_DATA = words.DATA_SIZE + 1 + FROM_EXTENSIONS
const SHORTEST = words.APPENDED_AT_SIZE + 1 + FROM_DATA

/**
 * Recognises an entry in the exact layout that Go and raftkit write (the six keys in order, raw strings) by
 * comparing whole words, and notes where its parts are. Anything else is left to the tolerant reader.
 */
export class EntryLayout {
  /** First byte of such an entry: a map of six keys. */
  static readonly lead = 0x86

  readonly #bytes: Uint8Array
  readonly #end: number
  #view: DataView | undefined
  // Of the entry matched last; not yet checked for their range.
  index = 0
  term = 0
  type = 0
  #timeAt = 0
  #dataAt = 0
  #dataLength = NIL_LENGTH
  #extensionsAt = 0
  #extensionsLength = NIL_LENGTH
  /** Set by #raw and #uint: the position after the value. */
  #next = 0

  constructor(bytes: Uint8Array, end: number) {
    this.#bytes = bytes
    this.#end = end
  }

  /** The position after the entry that starts at `at`, or -1 when it is not (all there) in this layout. */
  match(at: number): number {
    const end = this.#end
    if (end - at < SHORTEST) return NO_MATCH
    const bytes = this.#bytes
    const view = (this.#view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    if (
      view.getUint32(at) !== words.APPENDED_AT_1 ||
      view.getUint32(at + 4) !== words.APPENDED_AT_2 ||
      view.getUint32(at + 8) !== words.APPENDED_AT_3
    )
      return NO_MATCH
    this.#timeAt = at + words.APPENDED_AT_SIZE
    let p = this.#afterTime(bytes, this.#timeAt)

    if (end - p < FROM_DATA) return NO_MATCH
    if (view.getUint32(p) !== words.DATA_1 || bytes[p + 4] !== words.DATA_2) return NO_MATCH
    this.#dataLength = this.#raw(bytes, view, p + words.DATA_SIZE)
    p = this.#next
    this.#dataAt = p - this.#dataLength

    if (end - p < FROM_EXTENSIONS) return NO_MATCH
    if (
      view.getUint32(p) !== words.EXTENSIONS_1 ||
      view.getUint32(p + 4) !== words.EXTENSIONS_2 ||
      view.getUint32(p + 7) !== words.EXTENSIONS_3
    )
      return NO_MATCH
    this.#extensionsLength = this.#raw(bytes, view, p + words.EXTENSIONS_SIZE)
    this.#extensionsAt = this.#next - this.#extensionsLength
    return this.#matchNumbers(bytes, view, this.#next)
  }

  /** Data of the entry matched last, a view; undefined for nil. */
  get data(): Uint8Array | undefined {
    return this.#part(this.#dataAt, this.#dataLength)
  }

  /** Extensions of the entry matched last, a view; undefined for nil. */
  get extensions(): Uint8Array | undefined {
    return this.#part(this.#extensionsAt, this.#extensionsLength)
  }

  /** AppendedAt of the entry matched last; undefined for Go's zero time. */
  get appendedAt(): number | undefined {
    const lead = this.#bytes[this.#timeAt]!
    if (lead === NIL) return undefined
    const time = timeOfFixstr(this.#view!, this.#timeAt + 1, lead & 0x1f)
    return time === 'invalid' ? undefined : time
  }

  #part(at: number, length: number): Uint8Array | undefined {
    return length === NIL_LENGTH ? undefined : this.#bytes.subarray(at, at + length)
  }

  #matchNumbers(bytes: Uint8Array, view: DataView, at: number): number {
    const end = this.#end
    if (end - at < FROM_INDEX) return NO_MATCH
    if (view.getUint32(at) !== words.INDEX_1 || view.getUint16(at + 4) !== words.INDEX_2)
      return NO_MATCH
    this.index = this.#uint(bytes, view, at + words.INDEX_SIZE)

    let p = this.#next
    if (end - p < FROM_TERM) return NO_MATCH
    if (view.getUint32(p) !== words.TERM_1 || bytes[p + 4] !== words.TERM_2) return NO_MATCH
    this.term = this.#uint(bytes, view, p + words.TERM_SIZE)

    p = this.#next
    if (end - p < FROM_TYPE) return NO_MATCH
    if (view.getUint32(p) !== words.TYPE_1 || bytes[p + 4] !== words.TYPE_2) return NO_MATCH
    this.type = bytes[p + words.TYPE_SIZE]!
    return this.type < 0x80 ? p + FROM_TYPE : NO_MATCH
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

  /** Length of the raw string at `at`, NIL_LENGTH for nil. Leaves #next past the end when it is neither. */
  #raw(bytes: Uint8Array, view: DataView, at: number): number {
    const lead = bytes[at]!
    let length: number
    let start = at + 1
    if (lead >= 0xa0 && lead < 0xc0) length = lead & 0x1f
    else if (lead === NIL) {
      this.#next = start
      return NIL_LENGTH
    } else if (lead === 0xda) {
      length = view.getUint16(at + 1)
      start = at + 3
    } else if (lead === 0xdb) {
      length = view.getUint32(at + 1)
      start = at + 5
    } else {
      this.#next = this.#end
      return NIL_LENGTH
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
