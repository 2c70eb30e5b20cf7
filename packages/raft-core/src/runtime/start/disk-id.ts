import { type DiskId, type Random, RaftError, type StableStore } from '@raftkit/interface'

const KEY = 'disk-id'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The name of this server's disk: made and saved when the stable store is first used. Not a secret. */
export async function loadDiskId(store: StableStore, random: Random): Promise<DiskId> {
  const value = await store.get(KEY)
  if (value !== undefined) return parse(decoder.decode(value))
  const high = Math.floor(random.next() * 2 ** 21)
  const low = Math.floor(random.next() * 2 ** 32)
  const diskId = Math.max(1, high * 2 ** 32 + low)
  await store.set(KEY, encoder.encode(String(diskId)))
  return diskId
}

function parse(text: string): DiskId {
  const diskId = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(diskId) && diskId > 0) return diskId
  throw new RaftError(
    'RAFT_STORE_CORRUPT',
    'the saved name of the disk is not a number: the store holds what raftkit did not write',
    { details: { key: KEY } },
  )
}
