// Everything that a log holds, as a plain value.

import assert from 'node:assert/strict'
import type { Index, LogStore } from '@raftkit/interface'
import type { SampleEntry } from '../sample-entries.ts'
import { NO_LIMIT } from './case.ts'

/** Entries from `firstIndex` on; it says nothing when there are none. */
export interface LogContent {
  readonly firstIndex: Index
  readonly entries: readonly SampleEntry[]
}

/** Reads the whole log; fails when an entry is missing inside its bounds. */
export async function contentOf(store: LogStore): Promise<LogContent> {
  const { firstIndex, lastIndex } = await store.bounds()
  if (lastIndex === 0) return { firstIndex: 1, entries: [] }
  const batch = await store.read(firstIndex, lastIndex, NO_LIMIT)
  assert.equal(batch.lastIndex, lastIndex, 'the bounds say more than can be read')
  const entries = Array.from({ length: batch.count }, (_, i) => ({
    term: batch.termAt(firstIndex + i),
    type: batch.typeAt(firstIndex + i),
    bytes: batch.bytesAt(firstIndex + i),
  }))
  return { firstIndex, entries }
}

export function isSameContent(a: LogContent, b: LogContent): boolean {
  if (a.entries.length !== b.entries.length) return false
  if (a.entries.length > 0 && a.firstIndex !== b.firstIndex) return false
  return a.entries.every((entry, i) => {
    const other = b.entries[i]!
    return (
      entry.term === other.term &&
      entry.type === other.type &&
      isSameBytes(entry.bytes, other.bytes)
    )
  })
}

/** Its bounds, for messages. */
export function describeContent({ firstIndex, entries }: LogContent): string {
  return entries.length === 0 ? 'nothing' : `${firstIndex}..${firstIndex + entries.length - 1}`
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, place) => byte === b[place])
}
