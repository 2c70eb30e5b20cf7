// Entry batches for tests: commands of one byte each unless texts are given.
import { type EntryBatch, LogType } from '@raftkit/interface'
import { encodeEntries } from '@raftkit/wire'
import { bytesOf } from './text-machine.ts'

/** Commands `firstIndex ..` of one term, with these texts. */
export function commands(firstIndex: number, term: number, texts: readonly string[]): EntryBatch {
  return encodeEntries(
    firstIndex,
    term,
    texts.map((text) => ({ type: LogType.command, data: bytesOf(text) })),
  )
}

/** `count` commands whose texts are their indexes. */
export function numbered(firstIndex: number, term: number, count: number): EntryBatch {
  return commands(
    firstIndex,
    term,
    Array.from({ length: count }, (_, position) => String(firstIndex + position)),
  )
}
