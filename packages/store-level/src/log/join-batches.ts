import { EntryBatch } from '@raftkit/interface'
import type { LogType, Term } from '@raftkit/interface'

/** One batch of batches with consecutive indexes; a single one is given back as it is. */
export function joinBatches(batches: readonly EntryBatch[]): EntryBatch {
  const first = batches[0]!
  if (batches.length === 1) return first
  const size = batches.reduce((sum, batch) => sum + batch.byteLength, 0)
  const bytes = new Uint8Array(size)
  const offsets: number[] = [0]
  const terms: Term[] = []
  const types: LogType[] = []
  let at = 0
  for (const batch of batches) {
    const shift = at - batch.offsets[0]!
    bytes.set(batch.view, at)
    for (let i = 0; i < batch.count; i++) {
      offsets.push(batch.offsets[i + 1]! + shift)
      terms.push(batch.terms[i]!)
      types.push(batch.types[i]!)
    }
    at += batch.byteLength
  }
  return new EntryBatch(first.firstIndex, bytes, offsets, terms, types)
}
