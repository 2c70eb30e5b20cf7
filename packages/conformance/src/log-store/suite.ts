import type { Index, LogStore } from '@raftkit/interface'
import { assertHonest, storeClaims } from '../manifest.ts'
import type { Claim, LogStoreManifest } from '../manifest.ts'
import type { Runner } from '../runner.ts'
import { onWorkbench } from '../store-bench.ts'
import type { StoreHooks } from '../store-bench.ts'
import { TORN_ENDS } from '../torn-end.ts'
import type { TornEnd } from '../torn-end.ts'
import { appendCases } from './append.ts'
import type { LogStoreCase } from './case.ts'
import { commitIndexCases, keepsCommitIndex } from './commit-index.ts'
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
import type { LogDamage } from './lifecycle.ts'
import { randomCases } from './random.ts'
import { readCases } from './read.ts'
import { sizeCases } from './size.ts'
import { truncateCases } from './truncate.ts'

/** What {@link testLogStore} needs. */
export interface LogStoreSuite<S extends LogStore> extends StoreHooks<S> {
  readonly runner: Runner
  /** The implementation, as the tests are to call it. */
  readonly name: string
  readonly supports: LogStoreManifest
  /** Encoded bytes of the largest entry that it takes. Absent: it has no limit below 32 MiB. */
  readonly maxEntryBytes?: number
  /**
   * Damages a stored byte of the entry at `index`; the store is closed, and reopened afterwards. Needed when the
   * manifest says `checksums`; needs `reopen`.
   */
  corrupt?(store: S, index: Index): Promise<void>
  /**
   * Damages the end of what was appended last, as a crash in the middle of the write does; the store is closed, and
   * reopened afterwards. Needed when the manifest says `tornWrites`; needs `reopen`.
   */
  tear?(store: S, end: TornEnd): Promise<void>
}

/** Registers what every LogStore must do. Entries are arbitrary bytes: a store must not look into them. */
export function testLogStore<S extends LogStore>(suite: LogStoreSuite<S>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a LogStore`, () => {
    runner.it('supports what its manifest says', async () => assertHonest(claimsOf(suite)))
    const test: LogStoreCase = (title, body) =>
      runner.it(title, () => onWorkbench<LogStore>(suite, (store) => store.close(), body))
    appendCases(test)
    sizeCases(test, suite.maxEntryBytes)
    readCases(test)
    truncateCases(test)
    randomCases(test, supports)
    closeCases(test)
    if (supports.reopen) reopenCases(test)
    if (supports.durable && suite.crash) durableCases(test)
    if (supports.durable && suite.kill) killCases(test, supports)
    if (supports.commitIndex) commitIndexCases(test, supports)
    if (supports.checksums) corruptionCases(test, suite)
    if (supports.tornWrites) tornCases(test, suite)
  })
}

function claimsOf<S extends LogStore>(suite: LogStoreSuite<S>): Claim[] {
  const proof = (body: Parameters<LogStoreCase>[1]) => (): Promise<void> =>
    onWorkbench<LogStore>(suite, (store) => store.close(), body)
  const damage: LogDamage = suite
  const claims = storeClaims(suite, {
    reopen: proof(findsEverything),
    crash: proof(survivesCrash),
    kill: proof(async (_store, bench) => void (await survivesKill(bench, 2))),
    corrupt: proof((store, bench) => findsDamageOut(store, bench, damage, 4)),
    tear: async () => {
      for (const end of TORN_ENDS)
        await proof((store, bench) => bearsTornEnd(store, bench, damage, end))()
    },
  })
  return [
    ...claims,
    {
      flag: 'commitIndex',
      says: suite.supports.commitIndex ?? false,
      hook: 'the method commitIndex',
      given: true,
      proof: proof(keepsCommitIndex),
    },
  ]
}
