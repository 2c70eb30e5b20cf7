import { EntryBatch, LogType } from '@raftkit/interface'
import type { Index, Term } from '@raftkit/interface'

/** What tests put into logs: entries whose bytes say where they belong. */
export function entries(firstIndex: Index, count: number, term: Term = 1, size = 20): EntryBatch {
  const texts = Array.from({ length: count }, (_, i) => entryBytes(firstIndex + i, term, size))
  const offsets = [0]
  for (const text of texts) offsets.push(offsets.at(-1)! + text.length)
  return new EntryBatch(
    firstIndex,
    Buffer.concat(texts),
    offsets,
    texts.map(() => term),
    texts.map(() => LogType.command),
  )
}

function entryBytes(index: Index, term: Term, size = 20): Uint8Array {
  return Buffer.from(`${term}/${index}/`.padEnd(size, 'abcdefghij'))
}

/** `index/term/bytes` of each entry. */
export function contentsOf(batch: EntryBatch): readonly string[] {
  return Array.from(
    { length: batch.count },
    (_, i) =>
      `${batch.firstIndex + i}@${batch.terms[i]} ${Buffer.from(batch.bytesAt(batch.firstIndex + i)).toString()}`,
  )
}
