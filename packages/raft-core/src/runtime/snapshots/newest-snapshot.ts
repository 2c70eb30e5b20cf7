import {
  type Logger,
  messageOf,
  type OpenSnapshot,
  RaftError,
  type SnapshotStore,
} from '@raftkit/interface'

/** Opens the newest snapshot that can be opened. Rejects with `RAFT_SNAPSHOT_NOT_FOUND` when there is none. */
export async function openNewest(store: SnapshotStore, logger: Logger): Promise<OpenSnapshot> {
  let failure: unknown
  for (const { id } of await store.list())
    try {
      return await store.open(id)
    } catch (error) {
      failure = error
      logger.error({ snapshot: id, error: messageOf(error) }, 'a snapshot cannot be opened')
    }
  throw new RaftError(
    'RAFT_SNAPSHOT_NOT_FOUND',
    failure === undefined
      ? 'there is no snapshot: take one first'
      : `there is no snapshot that can be opened: ${messageOf(failure)}`,
    { cause: failure },
  )
}
