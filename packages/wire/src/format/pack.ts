import { RaftError } from '@raftkit/interface'
import { NIL, TWO_POW_32, putArrayHeader, putInt, putRawHeader, putUint } from './encodings.ts'

const encoder = new TextEncoder()

/** Longest header of a value. */
const MAX_HEADER = 9

/** Writes values one after the other into a buffer that grows. */
export class Pack {
  #bytes: Uint8Array
  #length = 0
  #taken = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** One byte as it is. */
  byte(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  nil(): this {
    return this.byte(NIL)
  }

  bool(value: boolean): this {
    return this.byte(value ? 0xc3 : 0xc2)
  }

  /** The header of a map of at most 15 keys; no message has more. */
  map(size: number): this {
    return this.byte(0x80 + size)
  }

  array(length: number): this {
    this.#reserve(MAX_HEADER)
    this.#length = putArrayHeader(this.#bytes, this.#length, length)
    return this
  }

  /** A field name: ASCII, at most 31 characters. */
  key(name: string): this {
    this.#reserve(name.length + 1)
    this.#bytes[this.#length++] = 0xa0 + name.length
    for (let i = 0; i < name.length; i++) this.#bytes[this.#length++] = name.charCodeAt(i)
    return this
  }

  /** Go's uint64 or uint8; `what` is named when the value is not one that raftkit accepts. */
  uint(value: number, what: string): this {
    if (!Number.isSafeInteger(value) || value < 0) throw notEncodable(what, value)
    this.#reserve(MAX_HEADER)
    this.#length = putUint(this.#bytes, this.#length, value)
    return this
  }

  /** Go's int or int64. */
  int(value: number, what: string): this {
    if (!Number.isSafeInteger(value)) throw notEncodable(what, value)
    this.#reserve(MAX_HEADER)
    this.#length = putInt(this.#bytes, this.#length, value)
    return this
  }

  /** Go's string. */
  text(value: string): this {
    const start = this.#length
    this.rawHeader(value.length).#reserve(value.length)
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit >= 0x80) {
        this.#length = start
        return this.raw(encoder.encode(value))
      }
      this.#bytes[this.#length++] = unit
    }
    return this
  }

  /** A text that Go holds as []byte: nil when empty. */
  textOrNil(value: string): this {
    return value === '' ? this.nil() : this.text(value)
  }

  /** Go's []byte that is not nil. */
  raw(value: Uint8Array): this {
    return this.rawHeader(value.length).append(value)
  }

  /** Go's []byte: nil when empty. */
  rawOrNil(value: Uint8Array): this {
    return value.length === 0 ? this.nil() : this.raw(value)
  }

  /** The header of raw bytes that the caller sends itself. */
  rawHeader(length: number): this {
    if (length >= TWO_POW_32) throw notEncodable('the length of a byte string', length)
    this.#reserve(MAX_HEADER)
    this.#length = putRawHeader(this.#bytes, this.#length, length)
    return this
  }

  /** Bytes that are encoded already. */
  append(encoded: Uint8Array): this {
    this.#reserve(encoded.length)
    this.#bytes.set(encoded, this.#length)
    this.#length += encoded.length
    return this
  }

  /** What was written since the last take. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(this.#taken, this.#length)
    this.#taken = this.#length
    return taken
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

/** The error for a number that has no encoding. */
export function notEncodable(what: string, value: unknown): RaftError {
  return new RaftError(
    'RAFT_INVALID_ARGUMENT',
    `cannot encode ${what} ${String(value)}: it must be a whole number within raftkit's range`,
  )
}
