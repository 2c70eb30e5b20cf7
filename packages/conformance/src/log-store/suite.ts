import type { Index, LogStore } from '@raftkit/interface'
import { assertHonest } from '../manifest.ts'
import type { StoreManifest } from '../manifest.ts'
import type { Runner } from '../runner.ts'
import { onWorkbench } from '../store-bench.ts'
import type { StoreHooks } from '../store-bench.ts'
import { appendCases } from './append.ts'
import type { LogStoreCase } from './case.ts'
import { closeCases, corruptionCases, durableCases, reopenCases } from './lifecycle.ts'
import { randomCases } from './random.ts'
import { readCases } from './read.ts'
import { truncateCases } from './truncate.ts'

/** What {@link testLogStore} needs. */
export interface LogStoreSuite<S extends LogStore> extends StoreHooks<S> {
  readonly runner: Runner
  /** The implementation, as the tests are to call it. */
  readonly name: string
  readonly supports: StoreManifest
  /**
   * Damages a stored byte of the entry at `index`; the store is closed, and reopened afterwards. Given if and only
   * if the manifest says `checksums`; needs `reopen`.
   */
  corrupt?(store: S, index: Index): Promise<void>
}

/** Registers what every LogStore must do. Entries are arbitrary bytes: a store must not look into them. */
export function testLogStore<S extends LogStore>(suite: LogStoreSuite<S>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a LogStore`, () => {
    runner.it('supports what its manifest says', async () => assertHonest(supports, suite))
    const test: LogStoreCase = (title, body) =>
      runner.it(title, () => onWorkbench<LogStore>(suite, (store) => store.close(), body))
    appendCases(test)
    readCases(test)
    truncateCases(test)
    randomCases(test, supports)
    closeCases(test)
    if (supports.reopen) reopenCases(test)
    if (supports.durable) durableCases(test)
    if (supports.checksums) corruptionCases(test, suite)
  })
}
