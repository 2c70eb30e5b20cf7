// A cluster that lost its quorum for good gets a new membership by force: the way back after a disaster, and a last
// resort. Commands that were acknowledged may be lost (when those who had them are gone), and commands that never were
// take effect (everything in this server's log is taken for committed).
//
// The snapshot with the new configuration is the one step that counts. It names its own index for the configuration, so
// it wins over every configuration in the log that it covers: a crash before it leaves the server as it was, a crash
// after it leaves it recovered, and either may be done again.
import {
  type Clock,
  type Configuration,
  type Index,
  type Logger,
  RaftError,
  silentLogger,
  type SnapshotDescription,
  type SnapshotMeta,
  type StateMachine,
} from '@raftkit/interface'
import { type BootstrapStores, hasExistingState } from './bootstrap.ts'
import { checkedConfiguration } from './configuration-check.ts'
import { EntryApplier, type Responses } from './runtime/state-machine/entry-applier.ts'
import { saveSnapshotFloor } from './runtime/log/snapshot-floor.ts'
import { savePendingRestore } from './runtime/snapshots/pending-restore.ts'
import { load } from './runtime/start/start-up.ts'
import type { Storage } from './storage.ts'
import { realClock } from './system/real-clock.ts'

/** Encoded bytes of the log read at a time. */
const READ_BYTES = 1024 * 1024

/** What {@link recoverCluster} needs. */
export interface RecoverOptions<R> extends BootstrapStores {
  /** The members from now on. */
  readonly configuration: Configuration
  /** An empty one, used for this only: start the server with another. */
  readonly stateMachine: StateMachine<R>
  /** Default: nothing is logged. */
  readonly logger?: Logger
  /** Paces what is logged of a long restore. Default: the platform's. */
  readonly clock?: Clock
}

/**
 * Forces a configuration on a server that is not running, when its cluster has lost a majority for good. Its newest
 * usable snapshot is restored, every entry of its log is applied, **committed or not**, and a snapshot of that with the
 * new configuration takes the place of the log. Term and vote stay. Resolves with that snapshot.
 *
 * Make sure that no server of the old cluster runs. Recover the server with the longest log of the highest last term, and
 * let the other members start with empty stores, under new ids. Members that keep their data must be recovered with the
 * same configuration; one whose log contradicts the new leader's stops, and must be emptied then.
 *
 * Rejects with `RAFT_CANT_RECOVER` when there is nothing to recover, `RAFT_INVALID_CONFIGURATION`, and with what is wrong
 * with the stores or the state machine. A recovery cut short may be done again.
 */
export async function recoverCluster<R>(options: RecoverOptions<R>): Promise<SnapshotMeta> {
  const { logStore, stableStore, snapshotStore, stateMachine } = options
  const { logger = silentLogger, clock = realClock() } = options
  const configuration = checkedConfiguration(options.configuration)
  if (!(await hasExistingState(options))) throw nothingToRecover()
  const storage = { logStore, stableStore, snapshotStore, stateMachine }
  const { consensus, bounds, applied } = await load(storage, { logTailBytes: 0, logger, clock })
  const index = consensus.lastIndex
  if (index === 0) throw nothingToRecover()
  await applyAll(storage, applied.index, index)
  await stateMachine.storeConfiguration?.(index, configuration)
  const term = consensus.runs.at(-1)?.term ?? consensus.snapshot.term
  // A state machine that keeps its state by itself has not applied all of this.
  await savePendingRestore(stableStore, index)
  const meta = await save(storage, { index, term, configuration, configurationIndex: index })
  await checkNewest(storage, meta)
  logger.warn(
    { index, term, applied: index - applied.index, servers: configuration.servers },
    'the cluster was recovered by force: all entries of the log count as committed',
  )
  if (bounds.lastIndex > 0) {
    await saveSnapshotFloor(stableStore, index)
    await logStore.truncatePrefix(bounds.lastIndex)
  }
  return meta
}

/** Hands the entries after `from` up to `to` to the state machine. */
async function applyAll<R>(
  { logStore, stateMachine }: Storage<R>,
  from: Index,
  to: Index,
): Promise<void> {
  const applier = new EntryApplier<R>(stateMachine, () => {})
  let next = from + 1
  while (next <= to) {
    const batch = await logStore.read(next, to, { maxBytes: READ_BYTES })
    while (next <= batch.lastIndex) {
      const responses: Responses<R> = []
      await applier.apply(batch, next, batch.lastIndex, responses)
      next += responses.length
    }
  }
}

async function save<R>(
  { snapshotStore, stateMachine }: Storage<R>,
  description: SnapshotDescription,
): Promise<SnapshotMeta> {
  const snapshot = await stateMachine.snapshot()
  try {
    const sink = await snapshotStore.create(description)
    try {
      await snapshot.persist({ write: (chunk) => sink.write(chunk) })
      return await sink.close()
    } catch (error) {
      // The first error is the one that matters.
      await sink.cancel().catch(() => {})
      throw error
    }
  } finally {
    await snapshot.release?.()
  }
}

/** The log must not go before the next start is sure to take up this snapshot. */
async function checkNewest<R>({ snapshotStore }: Storage<R>, { id }: SnapshotMeta): Promise<void> {
  const [newest] = await snapshotStore.list()
  if (newest?.id === id) return
  throw new RaftError(
    'RAFT_SNAPSHOT_FAILED',
    newest === undefined
      ? 'the snapshot store does not list what was saved in it, so nothing is recovered: use one that keeps snapshots'
      : `snapshot ${newest.id} counts as newer than ${id}, so nothing is recovered: was the clock set back? Try again later`,
    { details: { snapshot: id, newest: newest?.id } },
  )
}

function nothingToRecover(): RaftError {
  return new RaftError(
    'RAFT_CANT_RECOVER',
    'refused to recover a cluster with no initial state: there is no snapshot and no log here. Are these the right stores?',
  )
}
