import assert from 'node:assert/strict'
import type { SnapshotStore } from '@raftkit/interface'
import { assertHonest, storeClaims } from '../manifest.ts'
import type { Claim, StoreManifest } from '../manifest.ts'
import type { Runner } from '../runner.ts'
import { onWorkbench } from '../store-bench.ts'
import type { StoreHooks } from '../store-bench.ts'
import { TORN_ENDS } from '../torn-end.ts'
import type { TornEnd } from '../torn-end.ts'
import type { SnapshotStoreCase } from './case.ts'
import { discardCases, retentionCases } from './keep.ts'
import { killCases, survivesKill } from './killed.ts'
import {
  bearsTornEnd,
  corruptionCases,
  durableCases,
  findsDamageOut,
  findsFinished,
  reopenCases,
  survivesCrash,
  tornCases,
} from './lifecycle.ts'
import type { SnapshotDamage, SnapshotPart } from './lifecycle.ts'
import { readerCases } from './read.ts'
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
  /** Damages a stored byte of a part of a finished snapshot. Needed when the manifest says `checksums`. */
  corrupt?(store: S, id: string, part: SnapshotPart): Promise<void>
  /** Damages the end of a finished snapshot's state. Needed when the manifest says `tornWrites`. */
  tear?(store: S, id: string, end: TornEnd): Promise<void>
}

/** Registers what every SnapshotStore must do. */
export function testSnapshotStore<S extends SnapshotStore>(suite: SnapshotStoreSuite<S>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a SnapshotStore`, () => {
    runner.it('supports what its manifest says', async () => {
      assert.ok(supports.retain > 0 || !supports.reopen, 'a store that keeps nothing finds nothing')
      await assertHonest(claimsOf(suite))
    })
    const test: SnapshotStoreCase = (title, body) =>
      runner.it(title, () => onWorkbench<SnapshotStore>(suite, async () => {}, body))
    sinkCases(test)
    if (supports.retain === 0) {
      discardCases(test)
      return
    }
    contentCases(test)
    readerCases(test)
    retentionCases(test, supports.retain)
    if (supports.reopen) reopenCases(test, supports.retain)
    if (supports.durable && suite.crash) durableCases(test)
    if (supports.durable && suite.kill) killCases(test, supports.retain)
    if (supports.checksums) corruptionCases(test, suite)
    if (supports.tornWrites) tornCases(test, suite)
  })
}

function claimsOf<S extends SnapshotStore>(suite: SnapshotStoreSuite<S>): Claim[] {
  const proof = (body: Parameters<SnapshotStoreCase>[1]) => (): Promise<void> =>
    onWorkbench<SnapshotStore>(suite, async () => {}, body)
  const damage: SnapshotDamage = suite
  const { retain } = suite.supports
  return storeClaims(suite, {
    reopen: proof(findsFinished),
    crash: proof(survivesCrash),
    kill: proof(async (_store, bench) => void (await survivesKill(bench, retain, 1))),
    corrupt: async () => {
      for (const part of ['state', 'description'] as const)
        await proof((store) => findsDamageOut(store, damage, part))()
    },
    tear: async () => {
      for (const end of TORN_ENDS) await proof((store) => bearsTornEnd(store, damage, end))()
    },
  })
}
