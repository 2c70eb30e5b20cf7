// What a server remembers when it starts. Whatever cannot be read is an error: it is never taken for "empty".
import {
  type Clock,
  type HardState,
  type Index,
  isSafeNumber,
  type LogBounds,
  type Logger,
  type LogStore,
  RaftError,
  type SnapshotMeta,
} from '@raftkit/interface'
import type { ConsensusStart } from '../../consensus/options.ts'
import type { AppliedStart } from '../state-machine/applier.ts'
import { type LogShape, scanLog } from '../log/log-scan.ts'
import { LogTail } from '../log/log-tail.ts'
import { checkSnapshotFloor, loadSnapshotFloor, saveSnapshotFloor } from '../log/snapshot-floor.ts'
import { loadPendingRestore, savePendingRestore } from '../snapshots/pending-restore.ts'
import { restoreNewest } from '../snapshots/snapshot-restore.ts'
import { throwIfAborted } from '../start-abortion.ts'
import type { Storage } from '../../storage.ts'

/** How a server is loaded. */
export interface LoadOptions {
  readonly logger: Logger
  /** Encoded entries to keep in memory. */
  readonly logTailBytes: number
  /** Ask the log store for what is known to be committed. Default false. */
  readonly restoreCommittedLogs?: boolean
  /** False: the state machine keeps the state that it has. Default true. */
  readonly restoreSnapshotOnStart?: boolean
  /** For the progress of a long restore. */
  readonly clock: Clock
  /** Gives up with `RAFT_ABORTED`, between two pieces of what is read. */
  readonly signal?: AbortSignal | undefined
}

/** What was loaded. */
export interface Loaded {
  readonly consensus: Omit<ConsensusStart, 'self' | 'now' | 'random'>
  readonly bounds: LogBounds
  /** The recent entries. */
  readonly tail: LogTail
  /** Where the state machine stands. */
  readonly applied: AppliedStart
}

/**
 * Loads term, vote, snapshot and log, and gives the state machine the snapshot. Entries after the snapshot are applied
 * only when they are known to be committed.
 */
export async function load<R>(storage: Storage<R>, options: LoadOptions): Promise<Loaded> {
  const { logStore, stableStore } = storage
  const { logger, logTailBytes, signal } = options
  const known = options.restoreCommittedLogs === true ? await knownCommit(logStore) : 0
  const hardState = (await stableStore.loadHardState()) ?? { term: 0 }
  const snapshot = await startSnapshot(storage, options)
  const tail = new LogTail(logTailBytes)
  let bounds = await logStore.bounds()
  checkContinues(snapshot, bounds)
  let shape = await scanLog(logStore, bounds, (batch) => {
    throwIfAborted(signal)
    tail.append(batch)
    tail.evict(batch.lastIndex)
  })
  checkTerm(hardState, shape)
  checkSnapshotFloor(await loadSnapshotFloor(stableStore), snapshot?.index ?? 0, bounds)
  if (snapshot !== undefined && isReplaced(snapshot, bounds, shape)) {
    logger.warn(
      { snapshotIndex: snapshot.index, ...bounds },
      'the log ends before the snapshot or contradicts it: an installation was cut short, the log goes',
    )
    await saveSnapshotFloor(stableStore, snapshot.index)
    await logStore.truncatePrefix(bounds.lastIndex)
    tail.clear()
    bounds = { firstIndex: 0, lastIndex: 0 }
    shape = { runs: [], configurations: [] }
  }
  const loaded = assemble(hardState, snapshot, bounds, shape, tail)
  const commitIndex = Math.min(known, bounds.lastIndex)
  if (commitIndex <= loaded.applied.index) return loaded
  return { ...loaded, consensus: { ...loaded.consensus, commitIndex } }
}

/** The snapshot to start from, which the state machine holds; undefined when there is none. */
async function startSnapshot<R>(
  storage: Storage<R>,
  options: LoadOptions,
): Promise<SnapshotMeta | undefined> {
  const { snapshotStore, stableStore, stateMachine } = storage
  if (options.restoreSnapshotOnStart !== false)
    return restoreNewest(snapshotStore, stateMachine, options)
  const [newest] = await snapshotStore.list()
  const { id, index } = newest ?? { id: undefined, index: 0 }
  const pending = await loadPendingRestore(stableStore)
  if (pending === 0 || pending !== index) {
    options.logger.warn({ snapshot: id, index }, 'the state machine keeps the state that it has')
    return newest
  }
  options.logger.warn({ snapshot: id, index }, 'a crash came before this snapshot was restored')
  const restored = await restoreNewest(snapshotStore, stateMachine, options)
  await savePendingRestore(stableStore, 0)
  return restored
}

/** What the log store keeps of the commit index. Rejects with `RAFT_STORE_INCOMPATIBLE` when it keeps nothing. */
async function knownCommit(logStore: LogStore): Promise<Index> {
  checkKeepsCommitIndex(logStore)
  const known = await logStore.commitIndex?.()
  if (isSafeNumber(known)) return known
  throw new RaftError(
    'RAFT_STORE_CORRUPT',
    `the log store says that the commit index is ${String(known)}, which is none`,
  )
}

/** Throws `RAFT_STORE_INCOMPATIBLE` when a log store cannot do what `restoreCommittedLogs` needs. */
export function checkKeepsCommitIndex(logStore: LogStore): void {
  if (typeof logStore.commitIndex === 'function') return
  throw new RaftError(
    'RAFT_STORE_INCOMPATIBLE',
    'restoreCommittedLogs needs a log store that keeps the commit index, and this one has no commitIndex(): ' +
      'use another store, or turn the option off. Nothing was started',
  )
}

function assemble(
  hardState: HardState,
  snapshot: SnapshotMeta | undefined,
  bounds: LogBounds,
  { runs, configurations }: LogShape,
  tail: LogTail,
): Loaded {
  const { index, term } = snapshot ?? { index: 0, term: 0 }
  const base =
    snapshot === undefined
      ? { configuration: { servers: [] }, index: 0 }
      : { configuration: snapshot.configuration, index: snapshot.configurationIndex }
  // Those before the snapshot's are kept too: a joint one among them is still in the log, and not for everyone to read.
  const known = [
    ...configurations.filter((entry) => entry.index < base.index),
    ...(base.index > 0 ? [base] : []),
    ...configurations.filter((entry) => entry.index > base.index),
  ]
  return {
    consensus: {
      hardState,
      // A bootstrapped cluster is in term 1 until it has its first leader.
      mayHaveHeardLeader: hardState.term > 1,
      snapshot: { index, term },
      logFirstIndex: bounds.firstIndex,
      lastIndex: Math.max(bounds.lastIndex, index),
      runs,
      configurations: known,
    },
    bounds,
    tail,
    applied: { index, term, configuration: base },
  }
}

/** Nothing is missing between the snapshot and the log. */
function checkContinues(snapshot: SnapshotMeta | undefined, bounds: LogBounds): void {
  const { firstIndex } = bounds
  const snapshotIndex = snapshot?.index ?? 0
  if (firstIndex <= snapshotIndex + 1) return
  throw new RaftError(
    'RAFT_LOG_GAP',
    `the log starts at entry ${firstIndex}, but ` +
      (snapshot === undefined
        ? 'there is no snapshot of the entries before it'
        : `the newest usable snapshot ends at entry ${snapshotIndex}`) +
      ': entries are missing. Restore the missing snapshot, or this server from its peers under a new id',
    { details: { firstIndex, snapshotIndex } },
  )
}

/** Term and vote are saved before any entry of their term is. */
function checkTerm(hardState: HardState, { runs }: LogShape): void {
  const lastTerm = runs.at(-1)?.term ?? 0
  if (hardState.term >= lastTerm) return
  throw new RaftError(
    'RAFT_STORE_CORRUPT',
    `the log has an entry of term ${lastTerm}, but the saved term is ${hardState.term}: the saved term and vote are ` +
      'missing or old, and this server might vote twice. Restore it from its peers under a new id',
    { details: { lastTerm, savedTerm: hardState.term } },
  )
}

/** True when the log lost its use to the snapshot: it ends before it, or has another entry at its place (§7, rule 7). */
function isReplaced(snapshot: SnapshotMeta, bounds: LogBounds, { runs }: LogShape): boolean {
  if (bounds.lastIndex === 0) return false
  if (bounds.lastIndex < snapshot.index) return true
  if (bounds.firstIndex > snapshot.index) return false
  return runs.findLast((run) => run.firstIndex <= snapshot.index)!.term !== snapshot.term
}
