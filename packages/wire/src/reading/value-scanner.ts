import { decodeFailed, limitExceeded } from './decode-error.ts'
import { EntryLayout } from '../format/entry-layout.ts'

/** Returned by {@link ValueScanner.feed} while the value has not ended. */
export const INCOMPLETE = -1

/**
 * Finds where a MessagePack value ends, however its bytes are split: every byte is looked at once, nothing is
 * kept but counters, and nothing is allocated for what the bytes announce.
 */
export class ValueScanner {
  readonly #maxDepth: number
  #limit = ''
  #maxBytes = 0
  /** Bytes of this value in earlier feeds. */
  #seen = 0
  /** Values still to come in each open container; the first stands for the value itself. */
  #open: number[] = []
  /** Bytes of a string or number still to pass over. */
  #skip = 0
  /** Bytes of a length still to read, what was read of it, and the lead byte that it belongs to. */
  #lengthBytes = 0
  #length = 0
  #lead = 0

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth
  }

  /** Starts with a new value of at most `maxBytes`; `limit` names the limit for the error. */
  start(maxBytes: number, limit: string): void {
    this.#limit = limit
    this.#maxBytes = maxBytes
    this.#seen = 0
    this.#open = [1]
    this.#skip = 0
    this.#lengthBytes = 0
  }

  /** Goes on with `bytes[from .. to)`. The position after the value, or INCOMPLETE. */
  feed(bytes: Uint8Array, from: number, to: number): number {
    const base = from - this.#seen
    const layout = new EntryLayout(bytes, to)
    let at = from
    while (this.#open.length > 0) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, to - at)
        this.#skip -= step
        at += step
        if (this.#skip > 0) break
        this.#endValue()
        continue
      }
      if (at === to) break
      if (this.#lengthBytes > 0) {
        this.#length = this.#length * 256 + bytes[at++]!
        if (--this.#lengthBytes === 0) this.#announced(this.#lead, this.#length, at - base)
        continue
      }
      const end = bytes[at] === EntryLayout.lead ? layout.match(at) : INCOMPLETE
      if (end >= 0) {
        at = end
        this.#endValue()
      } else {
        this.#begin(bytes[at]!, ++at - base)
      }
    }
    this.#seen = at - base
    if (this.#seen > this.#maxBytes) throw limitExceeded(this.#limit, this.#maxBytes, this.#seen)
    return this.#open.length === 0 ? at : INCOMPLETE
  }

  #begin(lead: number, used: number): void {
    if (lead < 0x80 || lead >= 0xe0) this.#endValue()
    else if (lead < 0x90) this.#container(2 * (lead & 0x0f), used)
    else if (lead < 0xa0) this.#container(lead & 0x0f, used)
    else if (lead < 0xc0) this.#pass(lead & 0x1f, used)
    else {
      const plan = PLANS[lead - 0xc0]!
      if (plan === INVALID)
        throw decodeFailed(`byte 0x${lead.toString(16)} starts no MessagePack value`)
      if (plan >= 0) this.#pass(plan, used)
      else {
        this.#lead = lead
        this.#length = 0
        this.#lengthBytes = -plan
      }
    }
  }

  /** A length or count is known. */
  #announced(lead: number, length: number, used: number): void {
    if (lead >= 0xde) this.#container(2 * length, used)
    else if (lead >= 0xdc) this.#container(length, used)
    else if (lead >= 0xc7 && lead <= 0xc9) this.#pass(length + 1, used)
    else this.#pass(length, used)
  }

  #pass(length: number, used: number): void {
    if (length === 0) return this.#endValue()
    this.#check(used + length)
    this.#skip = length
  }

  #container(values: number, used: number): void {
    if (values === 0) return this.#endValue()
    // Every value takes a byte at least.
    this.#check(used + values)
    if (this.#open.length > this.#maxDepth)
      throw limitExceeded('maxDepth', this.#maxDepth, this.#open.length)
    this.#open.push(values)
  }

  #check(size: number): void {
    if (size > this.#maxBytes) throw limitExceeded(this.#limit, this.#maxBytes, size)
  }

  #endValue(): void {
    const open = this.#open
    while (open.length > 0 && --open[open.length - 1]! === 0) open.pop()
  }
}

const INVALID = 255

/** For lead bytes 0xc0..0xdf: bytes that follow, or minus the bytes of the length that follows. */
const PLANS: readonly number[] = [
  // nil, a byte never used, false, true
  [0, INVALID, 0, 0],
  // bin and ext, with a length of 8, 16 or 32 bits
  [-1, -2, -4],
  [-1, -2, -4],
  // float, uint, int
  [4, 8],
  [1, 2, 4, 8],
  [1, 2, 4, 8],
  // ext of fixed size, with its type
  [2, 3, 5, 9, 17],
  // str, array, map
  [-1, -2, -4],
  [-2, -4],
  [-2, -4],
].flat()
