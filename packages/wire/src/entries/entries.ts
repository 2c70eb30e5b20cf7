import { EntryBatch, isSafeNumber, LogType, RaftError } from '@raftkit/interface'
import type { Index, Term } from '@raftkit/interface'
import {
  NIL,
  putRawHeader,
  putUint,
  rawHeaderSize,
  TWO_POW_32,
  uintSize,
} from '../format/encodings.ts'
import * as words from '../format/entry-words.ts'
import { isLogType } from '../format/log-types.ts'
import { notEncodable } from '../format/pack.ts'
import { TIME_SIZE, timeWords } from '../format/time.ts'
import type { TimeWords } from '../format/time.ts'

/** An entry that has no index and term yet. */
export interface EntryInput {
  readonly type: LogType
  readonly data: Uint8Array
  readonly extensions?: Uint8Array
}

/** Bytes of an entry besides data, extensions, index and term. */
const FIXED =
  words.APPENDED_AT_SIZE +
  TIME_SIZE +
  words.DATA_SIZE +
  words.EXTENSIONS_SIZE +
  words.INDEX_SIZE +
  words.TERM_SIZE +
  words.TYPE_SIZE +
  1

const MAX_INDEX = Number.MAX_SAFE_INTEGER

/** Bytes of the longest number. */
const MAX_UINT_SIZE = 9

/** Up to this many bytes a loop beats the call of Uint8Array.set. */
const LOOP_COPY = 16

/** Upper bound of the encoded bytes of an entry with so many bytes of data and extensions. */
export function encodedEntrySize(dataLength: number, extensionsLength = 0): number {
  return FIXED + rawSize(dataLength) + rawSize(extensionsLength) + 2 * MAX_UINT_SIZE
}

/**
 * Encodes entries as hashicorp/raft writes them, the first with `firstIndex`, all with `term`. `appendedAt` is
 * milliseconds since the Unix epoch; absent is Go's zero time. Data is copied.
 * Throws `RAFT_INVALID_ARGUMENT` for no entries, an unknown type, or an index or term beyond 2^53 - 1.
 */
export function encodeEntries(
  firstIndex: Index,
  term: Term,
  entries: readonly EntryInput[],
  appendedAt?: number,
): EntryBatch {
  const count = entries.length
  if (count === 0) throw new RaftError('RAFT_INVALID_ARGUMENT', 'there are no entries to encode')
  if (!isSafeNumber(term)) throw notEncodable('term', term)
  // Not firstIndex + count: beyond 2^53 the sum would be rounded.
  if (firstIndex < 1 || !isSafeNumber(firstIndex) || firstIndex - 1 > MAX_INDEX - count)
    throw notEncodable('index', firstIndex)

  const bytes = new Uint8Array(sizeOf(firstIndex, term, entries))
  const view = new DataView(bytes.buffer)
  const time = timeWords(appendedAt)
  const offsets: number[] = [0]
  const terms: Term[] = []
  const types: LogType[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const entry = entries[i]!
    at = putAppendedAt(view, at, time)
    at = putData(bytes, view, at, entry)
    at = putExtensions(bytes, view, at, entry.extensions)
    at = putNumbers(bytes, view, at, firstIndex + i, term)
    bytes[at++] = entry.type
    offsets.push(at)
    terms.push(term)
    types.push(entry.type)
  }
  return new EntryBatch(firstIndex, bytes, offsets, terms, types)
}

function sizeOf(firstIndex: Index, term: Term, entries: readonly EntryInput[]): number {
  let size = entries.length * (FIXED + uintSize(term))
  for (let i = 0; i < entries.length; i++) {
    const { type, data, extensions } = entries[i]!
    if (!isLogType(type)) throw notEncodable('entry type', type)
    size += uintSize(firstIndex + i) + rawSize(data.length)
    size += extensions === undefined ? 1 : rawSize(extensions.length)
  }
  return size
}

function rawSize(length: number): number {
  if (!(length < TWO_POW_32)) throw notEncodable('a length of', length)
  return rawHeaderSize(length) + length
}

/** The map, its first key and the time. */
function putAppendedAt(view: DataView, at: number, time: TimeWords): number {
  view.setUint32(at, words.APPENDED_AT_1)
  view.setUint32(at + 4, words.APPENDED_AT_2)
  view.setUint32(at + 8, words.APPENDED_AT_3)
  view.setUint32(at + 12, time[0])
  view.setUint32(at + 16, time[1])
  view.setUint32(at + 20, time[2])
  view.setUint32(at + 24, time[3])
  return at + words.APPENDED_AT_SIZE + TIME_SIZE
}

/** Go gives a no-op or a barrier nil for Data, and an empty command an empty string. */
function putData(bytes: Uint8Array, view: DataView, at: number, entry: EntryInput): number {
  view.setUint32(at, words.DATA_1)
  bytes[at + 4] = words.DATA_2
  const isNil = entry.data.length === 0 && entry.type !== LogType.command
  return putRaw(bytes, at + words.DATA_SIZE, isNil ? undefined : entry.data)
}

function putExtensions(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  extensions: Uint8Array | undefined,
): number {
  view.setUint32(at, words.EXTENSIONS_1)
  view.setUint32(at + 4, words.EXTENSIONS_2)
  view.setUint32(at + 7, words.EXTENSIONS_3)
  return putRaw(bytes, at + words.EXTENSIONS_SIZE, extensions)
}

/** Index, Term and the key of Type. */
function putNumbers(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  index: Index,
  term: Term,
): number {
  view.setUint32(at, words.INDEX_1)
  view.setUint16(at + 4, words.INDEX_2)
  const termAt = putUint(bytes, at + words.INDEX_SIZE, index)
  view.setUint32(termAt, words.TERM_1)
  bytes[termAt + 4] = words.TERM_2
  const typeAt = putUint(bytes, termAt + words.TERM_SIZE, term)
  view.setUint32(typeAt, words.TYPE_1)
  bytes[typeAt + 4] = words.TYPE_2
  return typeAt + words.TYPE_SIZE
}

function putRaw(bytes: Uint8Array, at: number, raw: Uint8Array | undefined): number {
  if (raw === undefined) {
    bytes[at] = NIL
    return at + 1
  }
  const length = raw.length
  const start = putRawHeader(bytes, at, length)
  if (length > LOOP_COPY) bytes.set(raw, start)
  else for (let i = 0; i < length; i++) bytes[start + i] = raw[i]!
  return start + length
}
