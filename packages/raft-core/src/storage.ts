import type { LogStore, SnapshotStore, StableStore, StateMachine } from '@raftkit/interface'

/** Where a server's memory is. */
export interface Storage<R> {
  readonly logStore: LogStore
  readonly stableStore: StableStore
  readonly snapshotStore: SnapshotStore
  readonly stateMachine: StateMachine<R>
}
