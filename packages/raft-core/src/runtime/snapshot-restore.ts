import {
  type Index,
  type Logger,
  messageOf,
  RaftError,
  type SnapshotMeta,
  type SnapshotStore,
  type StateMachine,
} from '@raftkit/interface'
import { throwIfAborted } from './start-abortion.ts'

/**
 * Gives the state machine the newest snapshot that can be opened and restored; undefined when there is none at all. One
 * that cannot is passed over with a warning; when none can, the server must not start as if it were empty.
 */
export async function restoreNewest<R>(
  store: SnapshotStore,
  stateMachine: StateMachine<R>,
  logger: Logger,
  signal?: AbortSignal,
): Promise<SnapshotMeta | undefined> {
  const snapshots = await store.list()
  let failure: unknown
  for (const { id, index } of snapshots)
    try {
      const meta = await restoreOne(store, stateMachine, id, signal)
      logger.info({ snapshot: id, index, bytes: meta.size }, 'restored a snapshot')
      return meta
    } catch (error) {
      throwIfAborted(signal)
      failure = error
      logger.warn(
        { snapshot: id, index, error: messageOf(error) },
        'a snapshot cannot be restored; the one before it is tried',
      )
    }
  if (snapshots.length === 0) return undefined
  throw new RaftError(
    'RAFT_SNAPSHOT_CORRUPT',
    `failed to load any existing snapshots (${snapshots.length} were tried): ${messageOf(failure)}. ` +
      'Restore this server from its peers under a new id',
    { cause: failure },
  )
}

async function restoreOne<R>(
  store: SnapshotStore,
  stateMachine: StateMachine<R>,
  id: string,
  signal: AbortSignal | undefined,
): Promise<SnapshotMeta> {
  const opened = await store.open(id)
  try {
    await stateMachine.restore(abortable(opened.state, signal))
    return opened.meta
  } finally {
    await opened.close()
  }
}

async function* abortable(
  state: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of state) {
    throwIfAborted(signal)
    yield chunk
  }
}

/** Gives the running server's state machine a snapshot; a failure leaves a state that nobody knows. */
export async function restoreState<R>(
  stateMachine: StateMachine<R>,
  state: AsyncIterable<Uint8Array>,
  index: Index,
): Promise<void> {
  try {
    await stateMachine.restore(state)
  } catch (cause) {
    throw new RaftError(
      'RAFT_STATE_MACHINE_FAILED',
      `the state machine could not take up the snapshot at ${index}, so the server stops: ${messageOf(cause)}`,
      { cause, details: { index } },
    )
  }
}
