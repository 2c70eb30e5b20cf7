import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testLogStore, testStableStore } from '@raftkit/conformance'
import { LevelStore } from '@raftkit/store-level'
import { describe, it } from 'vitest'
import { HARD_STATE_KEY } from '../src/keys.ts'
import { damageBlockOf, damageValue } from './damage.ts'

const newDirectory = () => mkdtemp(join(tmpdir(), 'raftkit-store-level-'))

for (const boundaryDelayMs of [0, 10]) {
  const hooks = {
    runner: { describe, it },
    name: `LevelStore with boundaryDelayMs ${boundaryDelayMs}`,
    supports: { reopen: true, durable: true, checksums: true },
    open: async () => LevelStore.open(await newDirectory(), { boundaryDelayMs }),
    async reopen(store: LevelStore) {
      await store.close()
      return LevelStore.open(store.directory, { boundaryDelayMs })
    },
    async crash(store: LevelStore) {
      const copy = await newDirectory()
      await cp(store.directory, copy, { recursive: true })
      return LevelStore.open(copy, { boundaryDelayMs })
    },
    dispose: (store: LevelStore) => rm(store.directory, { recursive: true, force: true }),
  }
  testLogStore<LevelStore>({
    ...hooks,
    corrupt: (store, index) => damageBlockOf(store.directory, index),
  })
  testStableStore<LevelStore>({
    ...hooks,
    corrupt: (store) => damageValue(store.directory, HARD_STATE_KEY),
  })
}
