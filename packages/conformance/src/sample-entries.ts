import { EntryBatch, LogType } from '@raftkit/interface'
import type { Index, Term } from '@raftkit/interface'
import { sampleBytes } from './sample-bytes.ts'

/** One entry of a sample: its bytes are opaque to a store. */
export interface SampleEntry {
  readonly term: Term
  readonly type: LogType
  readonly bytes: Uint8Array
}

const TYPES: readonly LogType[] = Object.values(LogType)

/** Entries of a few bytes, each different, their types in turn. */
export function sampleEntries(count: number, term: Term, seed = 1): SampleEntry[] {
  return Array.from({ length: count }, (_, i) => ({
    term,
    type: TYPES[(seed + i) % TYPES.length]!,
    bytes: sampleBytes(1 + ((seed + i) % 23), seed * 1000 + i),
  }))
}

/** The entries packed into one batch that starts somewhere inside a larger buffer, as a received one does. */
export function batchOf(firstIndex: Index, entries: readonly SampleEntry[]): EntryBatch {
  const lead = 5
  const offsets = [lead]
  for (const entry of entries) offsets.push(offsets.at(-1)! + entry.bytes.length)
  const bytes = new Uint8Array(offsets.at(-1)! + 7).fill(0xee)
  for (const [i, entry] of entries.entries()) bytes.set(entry.bytes, offsets[i])
  return new EntryBatch(
    firstIndex,
    bytes,
    offsets,
    entries.map((entry) => entry.term),
    entries.map((entry) => entry.type),
  )
}
