// What a world is given, and what it keeps for those who restore snapshots.
import type { SnapshotMeta } from '@raftkit/interface'
import type { StoryLine } from '../story/trace.ts'

/** A copy of a snapshot. */
export interface Backup {
  readonly meta: SnapshotMeta
  readonly state: Uint8Array
}

/** What somebody who keeps the history is told of a restore. */
export interface RestoreCall {
  readonly returned: () => void
  readonly unknown: () => void
}

/** What a world is given beside its options. */
export interface WorldParts<M> {
  readonly newMachine: () => M
  readonly check?: ((machine: M) => string | undefined) | undefined
  readonly onLine?: ((line: StoryLine) => void) | undefined
}
