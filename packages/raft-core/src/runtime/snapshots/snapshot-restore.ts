import {
  type Clock,
  type Index,
  type Logger,
  messageOf,
  type OpenSnapshot,
  RaftError,
  type SnapshotMeta,
  type SnapshotStore,
  type StateMachine,
  type TimerHandle,
} from '@raftkit/interface'
import { throwIfAborted } from '../start-abortion.ts'

/** How often the progress of a long restore is logged. */
const PROGRESS_LOG_MS = 10_000

/** What a restore at the start is told. */
export interface RestoreOptions {
  readonly logger: Logger
  readonly clock: Clock
  /** Gives up with `RAFT_ABORTED`, between two pieces of the snapshot. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Gives the state machine the newest snapshot that can be opened and restored; undefined when there is none at all. One
 * that cannot is passed over with a warning; when none can, the server must not start as if it were empty.
 */
export async function restoreNewest<R>(
  store: SnapshotStore,
  stateMachine: StateMachine<R>,
  options: RestoreOptions,
): Promise<SnapshotMeta | undefined> {
  const { logger, signal } = options
  const snapshots = await store.list()
  let failure: unknown
  for (const { id, index } of snapshots)
    try {
      const meta = await restoreOne(store, stateMachine, id, options)
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
  { logger, clock, signal }: RestoreOptions,
): Promise<SnapshotMeta> {
  const opened = await store.open(id)
  const { size: bytes } = opened.meta
  let restored = 0
  let timer: TimerHandle | undefined
  const tell = (): void => {
    timer = clock.setTimer(PROGRESS_LOG_MS, () => {
      logger.info({ snapshot: id, restored, bytes }, 'restoring a snapshot')
      tell()
    })
  }
  tell()
  try {
    await stateMachine.restore(
      watched(opened.state, (chunk) => {
        throwIfAborted(signal)
        restored += chunk.length
      }),
    )
    return opened.meta
  } finally {
    timer?.cancel()
    await closeSnapshot(opened, logger)
  }
}

/** Closes a snapshot that was read: should that fail, nothing that was made of it is in doubt. */
export async function closeSnapshot(opened: OpenSnapshot, logger: Logger): Promise<void> {
  try {
    await opened.close()
  } catch (error) {
    logger.warn(
      { snapshot: opened.meta.id, error: messageOf(error) },
      'a snapshot could not be closed',
    )
  }
}

async function* watched(
  state: AsyncIterable<Uint8Array>,
  onChunk: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of state) {
    onChunk(chunk)
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
