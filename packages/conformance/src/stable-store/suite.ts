import type { StableStore } from '@raftkit/interface'
import { assertHonest, storeClaims } from '../manifest.ts'
import type { Claim, StoreManifest } from '../manifest.ts'
import type { Runner } from '../runner.ts'
import { onWorkbench } from '../store-bench.ts'
import type { StoreHooks } from '../store-bench.ts'
import { TORN_ENDS } from '../torn-end.ts'
import type { TornEnd } from '../torn-end.ts'
import type { StableStoreCase } from './case.ts'
import { hardStateCases, valueCases } from './contents.ts'
import { killCases, survivesKill } from './killed.ts'
import {
  bearsTornEnd,
  closeCases,
  corruptionCases,
  durableCases,
  findsDamageOut,
  findsEverything,
  reopenCases,
  survivesCrash,
  tornCases,
} from './lifecycle.ts'
import type { StableDamage } from './lifecycle.ts'

/** What {@link testStableStore} needs. */
export interface StableStoreSuite<S extends StableStore> extends StoreHooks<S> {
  readonly runner: Runner
  /** The implementation, as the tests are to call it. */
  readonly name: string
  readonly supports: StoreManifest
  /**
   * Damages the stored term and vote; the store is closed, and reopened afterwards. Needed when the manifest says
   * `checksums`; needs `reopen`.
   */
  corrupt?(store: S): Promise<void>
  /**
   * Damages the end of what was written last, as a crash in the middle of the write does; the store is closed, and
   * reopened afterwards. Needed when the manifest says `tornWrites`; needs `reopen`.
   */
  tear?(store: S, end: TornEnd): Promise<void>
}

/** Registers what every StableStore must do. */
export function testStableStore<S extends StableStore>(suite: StableStoreSuite<S>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a StableStore`, () => {
    runner.it('supports what its manifest says', async () => assertHonest(claimsOf(suite)))
    const test: StableStoreCase = (title, body) =>
      runner.it(title, () => onWorkbench<StableStore>(suite, (store) => store.close(), body))
    hardStateCases(test)
    valueCases(test)
    closeCases(test)
    if (supports.reopen) reopenCases(test)
    if (supports.durable && suite.crash) durableCases(test)
    if (supports.durable && suite.kill) killCases(test)
    if (supports.checksums) corruptionCases(test, suite)
    if (supports.tornWrites) tornCases(test, suite)
  })
}

function claimsOf<S extends StableStore>(suite: StableStoreSuite<S>): Claim[] {
  const proof = (body: Parameters<StableStoreCase>[1]) => (): Promise<void> =>
    onWorkbench<StableStore>(suite, (store) => store.close(), body)
  const damage: StableDamage = suite
  return storeClaims(suite, {
    reopen: proof(findsEverything),
    crash: proof(survivesCrash),
    kill: proof(async (_store, bench) => void (await survivesKill(bench, 2))),
    corrupt: proof((store, bench) => findsDamageOut(store, bench, damage)),
    tear: async () => {
      for (const end of TORN_ENDS)
        await proof((store, bench) => bearsTornEnd(store, bench, damage, end))()
    },
  })
}
