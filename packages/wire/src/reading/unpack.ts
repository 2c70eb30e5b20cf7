import { decodeFailed, limitExceeded } from './decode-error.ts'
import { NIL, TWO_POW_32 } from '../format/encodings.ts'
import type { WireLimits } from './limits.ts'
import { timeOfFixstr, timeOfTimestamp } from '../format/time.ts'
import { ValueScanner } from './value-scanner.ts'

/** The ids and addresses of servers: other bytes than UTF-8 would silently change an identity. */
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenientDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** No field name is longer than this. */
const MAX_KEY = 32

/**
 * Reads values one after the other, with the tolerance of go-msgpack. `what` in its methods names the field for
 * the error. Every method throws `RAFT_DECODE_FAILED` when the bytes end too early or hold something else.
 */
export class Unpack {
  readonly bytes: Uint8Array
  readonly limits: WireLimits
  /** Position of the next value. */
  at: number
  readonly #view: DataView
  #scanner: ValueScanner | undefined

  constructor(bytes: Uint8Array, limits: WireLimits, at = 0) {
    this.bytes = bytes
    this.limits = limits
    this.at = at
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** True when nothing is left. */
  get ended(): boolean {
    return this.at === this.bytes.length
  }

  /** Takes a nil when one is next. */
  nil(): boolean {
    if (this.#peek() !== NIL) return false
    this.at++
    return true
  }

  /** Starts a struct: a map of so many keys or, from an encoder in array mode, an array of so many fields. */
  struct(what: string): { readonly form: 'map' | 'array'; readonly size: number } {
    const lead = this.#peek()
    if ((lead >= 0x80 && lead < 0x90) || lead === 0xde || lead === 0xdf)
      return { form: 'map', size: this.#count(0x80, 0xde) }
    if ((lead >= 0x90 && lead < 0xa0) || lead === 0xdc || lead === 0xdd)
      return { form: 'array', size: this.#count(0x90, 0xdc) }
    throw this.#unexpected(what, 'a map')
  }

  /** Starts an array; its length. */
  array(what: string): number {
    const lead = this.#peek()
    if ((lead >= 0x90 && lead < 0xa0) || lead === 0xdc || lead === 0xdd)
      return this.#count(0x90, 0xdc)
    throw this.#unexpected(what, 'an array')
  }

  /** Takes a map key when it is this one, given as it is encoded. */
  takeKey(encoded: Uint8Array): boolean {
    for (let i = 0; i < encoded.length; i++)
      if (this.bytes[this.at + i] !== encoded[i]) return false
    this.at += encoded.length
    return true
  }

  /** A map key. One that is longer than any field name is given as '', which is none. */
  key(): string {
    const length = this.#rawLength('a map key')
    if (length > this.limits.maxStringBytes)
      throw limitExceeded('maxStringBytes', this.limits.maxStringBytes, length)
    const end = this.#advance(length)
    if (length > MAX_KEY) return ''
    let key = ''
    for (let i = end - length; i < end; i++) key += String.fromCharCode(this.bytes[i]!)
    return key
  }

  /** A whole number from 0 to 2^53 - 1; nil is 0. */
  uint(what: string): number {
    const value = this.int(what)
    if (value < 0) throw decodeFailed(`${what} is ${value}, which is negative`)
    return value
  }

  /** A whole number from -(2^53 - 1) to 2^53 - 1; nil is 0. */
  int(what: string): number {
    const lead = this.#peek()
    if (lead < 0x80) return this.#small(lead)
    if (lead >= 0xe0) return this.#small(lead - 0x100)
    if (lead === NIL) return this.#small(0)
    const view = this.#view
    const at = this.at + 1
    switch (lead) {
      case 0xcc:
        return view.getUint8(this.#fixed(1, at))
      case 0xcd:
        return view.getUint16(this.#fixed(2, at))
      case 0xce:
        return view.getUint32(this.#fixed(4, at))
      case 0xcf:
        return this.#wide(what, view.getUint32(this.#fixed(8, at)), at)
      case 0xd0:
        return view.getInt8(this.#fixed(1, at))
      case 0xd1:
        return view.getInt16(this.#fixed(2, at))
      case 0xd2:
        return view.getInt32(this.#fixed(4, at))
      case 0xd3:
        return this.#wide(what, view.getInt32(this.#fixed(8, at)), at)
      default:
        throw this.#unexpected(what, 'a whole number')
    }
  }

  /** A boolean; 0 and 1 stand for one too. */
  bool(what: string): boolean {
    const lead = this.#peek()
    if (lead === 0xc2 || lead === 0xc3) return this.#small(lead) === 0xc3
    if (lead === NIL || lead === 0 || lead === 1) return this.#small(lead) === 1
    throw this.#unexpected(what, 'a boolean')
  }

  /** Raw bytes, a view; undefined for nil. An array of small integers, which go-msgpack takes too, is copied. */
  raw(what: string): Uint8Array | undefined {
    const lead = this.#peek()
    if (lead === NIL) {
      this.at++
      return undefined
    }
    if ((lead >= 0x90 && lead < 0xa0) || lead === 0xdc || lead === 0xdd)
      return this.#rawOfArray(what)
    const length = this.#rawLength(what)
    const end = this.#advance(length)
    return this.bytes.subarray(end - length, end)
  }

  /** The text of an id or an address; nil is ''. */
  text(what: string): string {
    const raw = this.#shortRaw(what)
    if (raw === undefined) return ''
    try {
      return strictDecoder.decode(raw)
    } catch {
      throw decodeFailed(`${what} is not valid UTF-8`)
    }
  }

  /** A text to be read by people; nil is ''. */
  prose(what: string): string {
    const raw = this.#shortRaw(what)
    return raw === undefined ? '' : lenientDecoder.decode(raw)
  }

  /** A time, milliseconds since the Unix epoch; undefined for Go's zero time. */
  time(what: string): number | undefined {
    const lead = this.#peek()
    if (lead === NIL) {
      this.at++
      return undefined
    }
    const ext = EXT_SIZES.get(lead)
    let result: number | undefined | 'invalid'
    if (ext === undefined) {
      const length = this.#rawLength(what)
      const at = this.#advance(length) - length
      const timeOf = lead < 0xc0 ? timeOfFixstr : timeOfTimestamp
      result = timeOf(this.#view, at, length)
    } else {
      this.#advance(1)
      const length = ext === 0 ? this.#view.getUint8(this.#advance(1) - 1) : ext
      const type = this.#view.getInt8(this.#advance(1) - 1)
      const at = this.#advance(length) - length
      result = type === TIMESTAMP_TYPE ? timeOfTimestamp(this.#view, at, length) : 'invalid'
    }
    if (result === 'invalid') throw decodeFailed(`${what} is not a time that Go writes`)
    return result
  }

  /** Passes over one value of any kind. */
  skip(): void {
    this.#scanner ??= new ValueScanner(this.limits.maxDepth)
    this.#scanner.start(Number.MAX_SAFE_INTEGER, '')
    const end = this.#scanner.feed(this.bytes, this.at, this.bytes.length)
    if (end < 0) throw this.#truncated()
    this.at = end
  }

  #peek(): number {
    const lead = this.bytes[this.at]
    if (lead === undefined) throw this.#truncated()
    return lead
  }

  #small(value: number): number {
    this.at++
    return value
  }

  /** Moves over `length` bytes that must be there; the position after them. */
  #advance(length: number): number {
    if (length > this.bytes.length - this.at) throw this.#truncated()
    return (this.at += length)
  }

  /** Moves over a lead byte and the number after it; where the number starts. */
  #fixed(width: number, at: number): number {
    this.#advance(width + 1)
    return at
  }

  #wide(what: string, high: number, at: number): number {
    const value = high * TWO_POW_32 + this.#view.getUint32(at + 4)
    if (!Number.isSafeInteger(value))
      throw decodeFailed(`${what} is about ${value}, beyond 2^53 - 1`)
    return value
  }

  /** The count in the header of a container, which cannot be more than there are bytes. */
  #count(fix: number, lead16: number): number {
    const lead = this.#peek()
    const at = this.at + 1
    let count: number
    if (lead === lead16) count = this.#view.getUint16(this.#fixed(2, at))
    else if (lead === lead16 + 1) count = this.#view.getUint32(this.#fixed(4, at))
    else count = this.#small(lead - fix)
    if (count > this.bytes.length - this.at) throw this.#truncated()
    return count
  }

  /** Takes the header of a string or binary value. */
  #rawLength(what: string): number {
    const lead = this.#peek()
    const at = this.at + 1
    if (lead >= 0xa0 && lead < 0xc0) return this.#small(lead & 0x1f)
    if (lead === 0xd9 || lead === 0xc4) return this.#view.getUint8(this.#fixed(1, at))
    if (lead === 0xda || lead === 0xc5) return this.#view.getUint16(this.#fixed(2, at))
    if (lead === 0xdb || lead === 0xc6) return this.#view.getUint32(this.#fixed(4, at))
    throw this.#unexpected(what, 'a string or bytes')
  }

  #rawOfArray(what: string): Uint8Array {
    const copy = new Uint8Array(this.#count(0x90, 0xdc))
    for (let i = 0; i < copy.length; i++) {
      const byte = this.uint(what)
      if (byte > 0xff) throw decodeFailed(`${what} holds ${byte}, which is not a byte`)
      copy[i] = byte
    }
    return copy
  }

  #shortRaw(what: string): Uint8Array | undefined {
    const raw = this.raw(what)
    if (raw !== undefined && raw.length > this.limits.maxStringBytes)
      throw limitExceeded('maxStringBytes', this.limits.maxStringBytes, raw.length)
    return raw
  }

  #truncated(): Error {
    return decodeFailed('the bytes end in the middle of a value', { at: this.at })
  }

  #unexpected(what: string, wanted: string): Error {
    const lead = this.#peek().toString(16).padStart(2, '0')
    return decodeFailed(`${what} starts with byte 0x${lead}, which is not ${wanted}`, {
      at: this.at,
    })
  }
}

/** MessagePack's extension type for timestamps. */
const TIMESTAMP_TYPE = -1

/** Lead bytes of the extension forms that a timestamp may have, with their size; 0: the size is the next byte. */
const EXT_SIZES: ReadonlyMap<number, number> = new Map([
  [0xd6, 4],
  [0xd7, 8],
  [0xc7, 0],
])
