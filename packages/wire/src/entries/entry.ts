import type { EntryBatch, Index, LogEntry } from '@raftkit/interface'
import { decodeFailed } from '../reading/decode-error.ts'
import { readEntryFields } from './entry-fields.ts'
import type { EntryFields } from './entry-fields.ts'
import { EntryLayout } from '../format/entry-layout.ts'
import { NO_LIMITS } from '../reading/limits.ts'
import { Unpack } from '../reading/unpack.ts'

const EMPTY = new Uint8Array(0)

/**
 * The entry at `index`, which must be inside the batch (`RangeError`). `data` and `extensions` are views of the
 * batch: copy to keep. Throws `RAFT_DECODE_FAILED` when the bytes are not the entry that the batch says; never
 * for a batch that came from `encodeEntries`, `scanEntries` or a decoder.
 */
export function decodeEntry(batch: EntryBatch, index: Index): LogEntry {
  const size = batch.byteLengthAt(index)
  const start = batch.offsets[index - batch.firstIndex]!
  const layout = new EntryLayout(batch.bytes, start + size)
  const fields: EntryFields =
    layout.match(start) === start + size
      ? layout
      : readEntryFields(new Unpack(batch.bytesAt(index), NO_LIMITS))
  const term = batch.termAt(index)
  const type = batch.typeAt(index)
  if (fields.index !== index || fields.term !== term || fields.type !== type)
    throw decodeFailed(
      `the entry held as index ${index}, term ${term} says it has index ${fields.index}, term ${fields.term}`,
    )
  const { data = EMPTY, extensions, appendedAt } = fields
  // Written out: object spreads would cost more than all the rest.
  if (extensions === undefined)
    return appendedAt === undefined
      ? { index, term, type, data }
      : { index, term, type, data, appendedAt }
  return appendedAt === undefined
    ? { index, term, type, data, extensions }
    : { index, term, type, data, extensions, appendedAt }
}
