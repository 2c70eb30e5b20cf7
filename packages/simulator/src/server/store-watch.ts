import {
  type EntryBatch,
  type Index,
  LogType,
  type ServerId,
  type SnapshotMeta,
} from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import { checkLeaderTruncation } from '../checks/leader-log.ts'
import type { DiskImage } from '../disk/disk-image.ts'
import type { StoreObserver } from '../disk/simulated-store.ts'
import type { Checks } from './surroundings.ts'

/** Looks at everything that becomes durable on one server's disk: checks and marks. */
export class StoreWatch<R> implements StoreObserver {
  readonly #id: ServerId
  readonly #checks: Checks
  readonly #raft: () => Raft<R> | undefined
  readonly #rotsNow: () => boolean

  /** `raft` gives the server while it runs; `rotsNow` says whether what it is about to read is damaged by now. */
  constructor(
    id: ServerId,
    checks: Checks,
    raft: () => Raft<R> | undefined,
    rotsNow: () => boolean,
  ) {
    this.#id = id
    this.#checks = checks
    this.#raft = raft
    this.#rotsNow = rotsNow
  }

  onAppend(image: DiskImage, batches: readonly EntryBatch[]): void {
    this.#checks.tree.append(this.#id, image, batches)
    this.#checks.configurations.append(this.#id, image, batches)
  }

  onCommitIndex(image: DiskImage): void {
    const { commitIndex } = image
    const term = image.entry(commitIndex)?.term
    // What is not in the log any more is in a snapshot.
    if (term !== undefined) this.#checks.committed.checkKept(this.#id, commitIndex, term)
  }

  onTruncate(image: DiskImage, from: Index): void {
    const { marks, committed, violate } = this.#checks
    marks.hit('a conflicting suffix was removed')
    for (let index = from; index <= image.lastIndex; index++)
      if (image.entry(index)?.type === LogType.configuration)
        marks.hit('a configuration was rolled back')
    committed.checkTruncation(this.#id, image, from)
    checkLeaderTruncation(violate, this.#id, this.#raft(), image, from)
  }

  onHardState(image: DiskImage, state: Parameters<StoreObserver['onHardState']>[1]): void {
    this.#checks.elections.saved(this.#id, image, state)
  }

  onRead(image: DiskImage, from: Index): void {
    if (this.#raft() === undefined) return
    this.#checks.marks.hit('entries were read from the disk for others')
    if (this.#rotsNow()) image.damageEntry(from)
  }

  onCompact(): void {
    this.#checks.marks.hit('the log was compacted')
  }

  onSnapshot({ index, term }: SnapshotMeta): void {
    this.#checks.committed.checkSnapshot(this.#id, index, term)
  }
}
