import { EntryBatch } from '@raftkit/interface'
import type { Index, LogType, Term } from '@raftkit/interface'
import { decodeFailed, limitExceeded } from '../reading/decode-error.ts'
import { EntryLayout } from '../format/entry-layout.ts'
import { NO_LIMITS } from '../reading/limits.ts'
import { isLogType } from '../format/log-types.ts'
import { readEntryFields } from './entry-fields.ts'
import { Unpack } from '../reading/unpack.ts'

/**
 * Finds the entries in `bytes`, which holds encoded entries back to back and nothing else: reads index, term and
 * type of each and passes over the payload. `count`, when given, is how many there must be.
 * Throws `RAFT_DECODE_FAILED` when the bytes are damaged, when an index does not follow the one before it, or
 * when a term goes down. The batch is a view of `bytes`.
 */
export function scanEntries(bytes: Uint8Array, count?: number): EntryBatch {
  const scan = new EntryScan(new Unpack(bytes, NO_LIMITS), 0)
  while (scan.at < bytes.length) scan.next()
  if (scan.count === 0) throw decodeFailed('there are no entries')
  if (count !== undefined && count !== scan.count)
    throw decodeFailed(`there are ${scan.count} entries where ${count} were announced`)
  return scan.batch(bytes)
}

/** Walks over entries back to back and collects the offset table of their batch. */
export class EntryScan {
  readonly #unpack: Unpack
  readonly #layout: EntryLayout
  readonly #maxEntryBytes: number
  readonly #start: number
  readonly #offsets: number[] = [0]
  readonly #terms: Term[] = []
  readonly #types: LogType[] = []
  #firstIndex: Index = 0
  #lastTerm: Term = 0
  /** Where the next entry starts. */
  at: number

  constructor(unpack: Unpack, at: number) {
    this.#unpack = unpack
    this.#layout = new EntryLayout(unpack.bytes, unpack.bytes.length)
    this.#maxEntryBytes = unpack.limits.maxEntryBytes
    this.#start = at
    this.at = at
  }

  get count(): number {
    return this.#terms.length
  }

  /** Takes the next entry. */
  next(): void {
    const layout = this.#layout
    let end = layout.match(this.at)
    let { index, term, type } = layout
    if (end < 0) {
      this.#unpack.at = this.at
      ;({ index, term, type } = readEntryFields(this.#unpack))
      end = this.#unpack.at
    }
    this.#check(index, term, end)
    if (!isLogType(type)) throw decodeFailed(`entry ${index} has the unknown type ${type}`)
    this.#terms.push(term)
    this.#types.push(type)
    this.#offsets.push(end - this.#start)
    this.at = end
  }

  /** The entries found, at least one; `region` is the bytes from the first to the end of the last. */
  batch(region: Uint8Array): EntryBatch {
    return new EntryBatch(this.#firstIndex, region, this.#offsets, this.#terms, this.#types)
  }

  #check(index: Index, term: Term, end: number): void {
    if (end - this.at > this.#maxEntryBytes)
      throw limitExceeded('maxEntryBytes', this.#maxEntryBytes, end - this.at)
    if (!Number.isSafeInteger(index) || !Number.isSafeInteger(term))
      throw decodeFailed(`index ${index} or term ${term} of an entry is beyond 2^53 - 1`)
    if (this.count === 0) {
      if (index < 1) throw decodeFailed('an entry has index 0')
      this.#firstIndex = index
    } else if (index !== this.#firstIndex + this.count) {
      throw decodeFailed(`entry ${index} stands where ${this.#firstIndex + this.count} must`)
    }
    if (term < this.#lastTerm)
      throw decodeFailed(`entry ${index} has term ${term}, the one before it ${this.#lastTerm}`)
    this.#lastTerm = term
  }
}
