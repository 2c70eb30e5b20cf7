import { type Index, RaftError, type StableStore } from '@raftkit/interface'

/**
 * The pending restore: where the snapshot from outside ends (of a leader, a backup, a recovery) that the state machine is
 * about to be given; 0 when there is none. A state machine that keeps its state by itself (`restoreSnapshotOnStart`) is
 * taken to have what the newest snapshot has. After a crash between such a snapshot and its restore that is wrong, and
 * nothing would notice: it is given the snapshot at the next start then.
 */
const KEY = 'restore-pending'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Saves that the snapshot at `index` is to be restored; 0: that it was. */
export function savePendingRestore(store: Pick<StableStore, 'set'>, index: Index): Promise<void> {
  return store.set(KEY, encoder.encode(String(index)))
}

/** Where the snapshot ends that is to be restored, 0 when none is. Rejects with `RAFT_STORE_CORRUPT`. */
export async function loadPendingRestore(store: Pick<StableStore, 'get'>): Promise<Index> {
  const value = await store.get(KEY)
  if (value === undefined) return 0
  const text = decoder.decode(value)
  const index = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(index)) return index
  throw new RaftError(
    'RAFT_STORE_CORRUPT',
    'the saved index of a snapshot to be restored is not a number: the store holds what raftkit did not write',
    { details: { key: KEY } },
  )
}
