import { type Index, type LogBounds, RaftError, type StableStore } from '@raftkit/interface'

/**
 * The snapshot floor: entries up to it left the log because a snapshot held them. It is saved before they leave. An
 * empty log says nothing of what it once held, and an older snapshot opens as well as the newest; without the floor a
 * server that lost its newest snapshot would start from less than it has acknowledged, and vote.
 */
const KEY = 'snapshot-floor'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Saves that entries up to `index` are about to leave the log. */
export function saveSnapshotFloor(store: StableStore, index: Index): Promise<void> {
  return store.set(KEY, encoder.encode(String(index)))
}

/** The floor; 0 when nothing ever left the log. Rejects with `RAFT_STORE_CORRUPT` when it cannot be read. */
export async function loadSnapshotFloor(store: StableStore): Promise<Index> {
  const value = await store.get(KEY)
  if (value === undefined) return 0
  const text = decoder.decode(value)
  const index = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(index)) return index
  throw new RaftError(
    'RAFT_STORE_CORRUPT',
    'the saved index up to which the log was compacted is not a number: the store holds what raftkit did not write',
    { details: { key: KEY } },
  )
}

/** Throws when snapshot and log together end below the floor: entries that this server acknowledged are gone. */
export function checkSnapshotFloor(floor: Index, snapshotIndex: Index, bounds: LogBounds): void {
  const lastIndex = Math.max(snapshotIndex, bounds.lastIndex)
  if (lastIndex >= floor) return
  throw new RaftError(
    'RAFT_STORE_LOST_DATA',
    `a snapshot that held everything up to entry ${floor} is gone or damaged; what is left ends at entry ${lastIndex}. ` +
      'This server has acknowledged more than it remembers: restore the snapshot, or this server from its peers under a new id',
    { details: { floor, lastIndex } },
  )
}
