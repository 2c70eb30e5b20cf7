import assert from 'node:assert/strict'
import type { SnapshotStore } from '@raftkit/interface'
import { assertHonest } from '../manifest.ts'
import type { StoreManifest } from '../manifest.ts'
import type { Runner } from '../runner.ts'
import { onWorkbench } from '../store-bench.ts'
import type { StoreHooks } from '../store-bench.ts'
import type { SnapshotStoreCase } from './case.ts'
import { corruptionCases, discardCases, durableCases, reopenCases, retentionCases } from './keep.ts'
import { contentCases, sinkCases } from './write.ts'

/** What a snapshot store supports. */
export interface SnapshotStoreManifest extends StoreManifest {
  /** How many snapshots the stores that `open` gives keep; 0 for a store that forgets every one. */
  readonly retain: number
}

/** What {@link testSnapshotStore} needs. */
export interface SnapshotStoreSuite<S extends SnapshotStore> extends StoreHooks<S> {
  readonly runner: Runner
  /** The implementation, as the tests are to call it. */
  readonly name: string
  readonly supports: SnapshotStoreManifest
  /** Damages a stored byte of a finished snapshot's state. Given if and only if the manifest says `checksums`. */
  corrupt?(store: S, id: string): Promise<void>
}

/** Registers what every SnapshotStore must do. */
export function testSnapshotStore<S extends SnapshotStore>(suite: SnapshotStoreSuite<S>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a SnapshotStore`, () => {
    runner.it('supports what its manifest says', async () => {
      assertHonest(supports, suite)
      assert.ok(supports.retain > 0 || !supports.reopen, 'a store that keeps nothing finds nothing')
    })
    const test: SnapshotStoreCase = (title, body) =>
      runner.it(title, () => onWorkbench<SnapshotStore>(suite, async () => {}, body))
    sinkCases(test)
    if (supports.retain === 0) {
      discardCases(test)
      return
    }
    contentCases(test)
    retentionCases(test, supports.retain)
    if (supports.reopen) reopenCases(test)
    if (supports.durable) durableCases(test)
    if (supports.checksums) corruptionCases(test, suite)
  })
}
