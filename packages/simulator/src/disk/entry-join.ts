import { EntryBatch } from '@raftkit/interface'
import type { Index, LogType, Term } from '@raftkit/interface'

/** What a batch needs of an entry. */
interface JoinedEntry {
  readonly index: Index
  readonly term: Term
  readonly type: LogType
  readonly bytes: Uint8Array
}

/** One batch of consecutive entries, in a buffer of its own. There must be one entry at least. */
export function joined(entries: readonly JoinedEntry[]): EntryBatch {
  const size = entries.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const bytes = new Uint8Array(size)
  const offsets = [0]
  let place = 0
  for (const entry of entries) {
    bytes.set(entry.bytes, place)
    place += entry.bytes.length
    offsets.push(place)
  }
  return new EntryBatch(
    entries[0]!.index,
    bytes,
    offsets,
    entries.map(({ term }) => term),
    entries.map(({ type }) => type),
  )
}
