import type { EntryBatch, Index, LogEntry } from '@raftkit/interface'
import { decodeFailed } from './decode-error.ts'
import { readEntryFields } from './entry-fields.ts'
import type { EntryFields } from './entry-fields.ts'
import { EntryLayout } from './entry-layout.ts'
import { DEFAULT_WIRE_LIMITS } from './limits.ts'
import { Unpack } from './unpack.ts'

const EMPTY = new Uint8Array(0)

/**
 * The entry at `index`, which must be inside the batch (`RangeError`). `data` and `extensions` are views of the batch: copy to
 * keep. Throws `RAFT_DECODE_FAILED` when the bytes are not the entry that the batch says; never for a batch that
 * came from `encodeEntries`, `scanEntries` or a decoder.
 */
export function decodeEntry(batch: EntryBatch, index: Index): LogEntry {
  const bytes = batch.bytesAt(index)
  const fields = fieldsOf(bytes)
  const term = batch.termAt(index)
  const type = batch.typeAt(index)
  if (fields.index !== index || fields.term !== term || fields.type !== type)
    throw decodeFailed(`the entry at index ${index} says it has index ${fields.index}`)
  const { data = EMPTY, extensions, appendedAt } = fields
  return {
    index,
    term,
    type,
    data,
    ...(extensions === undefined ? {} : { extensions }),
    ...(appendedAt === undefined ? {} : { appendedAt }),
  }
}

function fieldsOf(bytes: Uint8Array): EntryFields {
  const unpack = new Unpack(bytes, DEFAULT_WIRE_LIMITS)
  const layout = new EntryLayout(bytes, bytes.length)
  if (layout.match(0) !== bytes.length) return readEntryFields(unpack)
  unpack.at = layout.timeAt
  return {
    index: layout.index,
    term: layout.term,
    type: layout.type,
    data: part(bytes, layout.dataAt, layout.dataLength),
    extensions: part(bytes, layout.extensionsAt, layout.extensionsLength),
    appendedAt: unpack.time('AppendedAt'),
  }
}

function part(bytes: Uint8Array, at: number, length: number): Uint8Array | undefined {
  return length < 0 ? undefined : bytes.subarray(at, at + length)
}
