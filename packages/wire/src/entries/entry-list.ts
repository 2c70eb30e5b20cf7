import type { EntryBatch } from '@raftkit/interface'
import { limitExceeded } from '../reading/decode-error.ts'
import { EntryScan } from './entry-scan.ts'
import { ownedView } from '../reading/owned-view.ts'
import type { Unpack } from '../reading/unpack.ts'

/** The Entries of an AppendEntries request: null for nil, one batch otherwise, none when there are no entries. */
export function readEntries(unpack: Unpack): readonly EntryBatch[] | null {
  if (unpack.nil()) return null
  const count = unpack.array('Entries')
  if (count === 0) return []
  if (count > unpack.limits.maxEntriesPerRequest)
    throw limitExceeded('maxEntriesPerRequest', unpack.limits.maxEntriesPerRequest, count)
  const start = unpack.at
  const scan = new EntryScan(unpack, start)
  for (let i = 0; i < count; i++) scan.next()
  unpack.at = scan.at
  return [scan.batch(ownedView(unpack.bytes.subarray(start, scan.at)))]
}
