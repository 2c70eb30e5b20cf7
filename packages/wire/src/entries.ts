import { EntryBatch, isSafeNumber, LogType, RaftError } from '@raftkit/interface'
import type { Index, Term } from '@raftkit/interface'
import { NIL, putRawHeader, putUint, rawHeaderSize, TWO_POW_32, uintSize } from './encodings.ts'
import { isLogType } from './log-types.ts'
import { notEncodable } from './pack.ts'
import { putTime, TIME_SIZE } from './time.ts'

/** An entry that has no index and term yet. */
export interface EntryInput {
  readonly type: LogType
  readonly data: Uint8Array
  readonly extensions?: Uint8Array
}

/** `map(6) "AppendedAt"`, then the time. */
const BEFORE_TIME = ascii('\x86\xaaAppendedAt')
const BEFORE_DATA = ascii('\xa4Data')
const BEFORE_EXTENSIONS = ascii('\xaaExtensions')
const BEFORE_INDEX = ascii('\xa5Index')
const BEFORE_TERM = ascii('\xa4Term')
const BEFORE_TYPE = ascii('\xa4Type')

/** Bytes of an entry besides data, extensions, index and term. */
const FIXED =
  BEFORE_TIME.length +
  TIME_SIZE +
  BEFORE_DATA.length +
  BEFORE_EXTENSIONS.length +
  BEFORE_INDEX.length +
  BEFORE_TERM.length +
  BEFORE_TYPE.length +
  1

/** Up to this many bytes a loop beats the call of Uint8Array.set. */
const LOOP_COPY = 48

/** Upper bound of the encoded bytes of an entry with so many bytes of data and extensions. */
export function encodedEntrySize(dataLength: number, extensionsLength = 0): number {
  return FIXED + rawSize(dataLength) + rawSize(extensionsLength) + 2 * uintSize(TWO_POW_32)
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
  if (firstIndex < 1 || !isSafeNumber(firstIndex) || !isSafeNumber(firstIndex + count - 1))
    throw notEncodable('index', firstIndex)

  const head = headOf(appendedAt)
  const tail = tailOf(term)
  const bytes = new Uint8Array(sizeOf(firstIndex, uintSize(term), entries))
  const offsets: number[] = [0]
  const terms: Term[] = []
  const types: LogType[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const entry = entries[i]!
    at = put(bytes, at, head)
    at = putData(bytes, at, entry)
    at = put(bytes, at, BEFORE_EXTENSIONS)
    at = putExtensions(bytes, at, entry.extensions)
    at = put(bytes, at, BEFORE_INDEX)
    at = putUint(bytes, at, firstIndex + i)
    at = put(bytes, at, tail)
    bytes[at++] = entry.type
    offsets.push(at)
    terms.push(term)
    types.push(entry.type)
  }
  return new EntryBatch(firstIndex, bytes, offsets, terms, types)
}

/** Everything before the value of Data; the same for every entry of a call. */
function headOf(appendedAt: number | undefined): Uint8Array {
  const head = new Uint8Array(BEFORE_TIME.length + TIME_SIZE + BEFORE_DATA.length)
  head.set(BEFORE_TIME)
  head.set(BEFORE_DATA, putTime(head, BEFORE_TIME.length, appendedAt))
  return head
}

/** Everything between the index and the value of Type. */
function tailOf(term: Term): Uint8Array {
  const tail = new Uint8Array(BEFORE_TERM.length + uintSize(term) + BEFORE_TYPE.length)
  tail.set(BEFORE_TERM)
  tail.set(BEFORE_TYPE, putUint(tail, BEFORE_TERM.length, term))
  return tail
}

function sizeOf(firstIndex: Index, termSize: number, entries: readonly EntryInput[]): number {
  let size = 0
  for (let i = 0; i < entries.length; i++) {
    const { type, data, extensions } = entries[i]!
    if (!isLogType(type)) throw notEncodable('entry type', type)
    size += FIXED + termSize + uintSize(firstIndex + i) + rawSize(data.length)
    size += extensions === undefined ? 1 : rawSize(extensions.length)
  }
  return size
}

function rawSize(length: number): number {
  if (!(length < TWO_POW_32)) throw notEncodable('a length of', length)
  return rawHeaderSize(length) + length
}

/** Go gives a no-op or a barrier nil for Data, and an empty command an empty string. */
function putData(bytes: Uint8Array, at: number, entry: EntryInput): number {
  const data = entry.data
  if (data.length === 0 && entry.type !== LogType.command) {
    bytes[at] = NIL
    return at + 1
  }
  return put(bytes, putRawHeader(bytes, at, data.length), data)
}

function putExtensions(bytes: Uint8Array, at: number, extensions: Uint8Array | undefined): number {
  if (extensions === undefined) {
    bytes[at] = NIL
    return at + 1
  }
  return put(bytes, putRawHeader(bytes, at, extensions.length), extensions)
}

function put(bytes: Uint8Array, at: number, source: Uint8Array): number {
  const length = source.length
  if (length > LOOP_COPY) bytes.set(source, at)
  else for (let i = 0; i < length; i++) bytes[at + i] = source[i]!
  return at + length
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
