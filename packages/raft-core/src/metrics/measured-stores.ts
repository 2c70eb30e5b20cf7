// The same stores, their writes measured.
import type { Clock, Index, LogStore, SnapshotStore, StableStore } from '@raftkit/interface'
import type { Instruments } from './instruments.ts'
import { timed } from './timing.ts'

/** A log store whose changes are measured. */
export function measuredLogStore(
  store: LogStore,
  clock: Clock,
  { storeWrites }: Instruments,
): LogStore {
  /** Removing everything up to here leaves nothing. */
  let lastIndex: Index = 0
  const commitIndex = store.commitIndex?.bind(store)
  return {
    bounds: async () => {
      const bounds = await store.bounds()
      lastIndex = bounds.lastIndex
      return bounds
    },
    read: (from, to, limits) => store.read(from, to, limits),
    append: (batches, options) => {
      lastIndex = batches.at(-1)?.lastIndex ?? lastIndex
      return timed(clock, storeWrites.append, () => store.append(batches, options))
    },
    truncateSuffix: (from) => {
      lastIndex = Math.min(lastIndex, from - 1)
      return timed(clock, storeWrites.truncate, () => store.truncateSuffix(from))
    },
    truncatePrefix: (to) =>
      timed(clock, to >= lastIndex ? storeWrites.reset : storeWrites.compaction, () =>
        store.truncatePrefix(to),
      ),
    ...(commitIndex && { commitIndex }),
    close: () => store.close(),
  }
}

/** A stable store whose saves of term and vote are measured. */
export function measuredStableStore(
  store: StableStore,
  clock: Clock,
  { storeWrites }: Instruments,
): StableStore {
  return {
    loadHardState: () => store.loadHardState(),
    saveHardState: (state) =>
      timed(clock, storeWrites['hard-state'], () => store.saveHardState(state)),
    get: (key) => store.get(key),
    set: (key, value) => store.set(key, value),
    close: () => store.close(),
  }
}

/** A snapshot store whose beginnings of snapshots are measured. */
export function measuredSnapshotStore(
  store: SnapshotStore,
  clock: Clock,
  { snapshotCreate }: Instruments,
): SnapshotStore {
  return {
    create: (description) => timed(clock, snapshotCreate, () => store.create(description)),
    list: () => store.list(),
    open: (id) => store.open(id),
  }
}
