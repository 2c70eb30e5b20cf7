import { testLogStore, testStableStore } from '@raftkit/conformance'
import { inDirectories, tearFile } from '@raftkit/conformance/node'
import type { TornEnd } from '@raftkit/conformance'
import { LevelStore } from '@raftkit/store-level'
import { describe, it } from 'vitest'
import { HARD_STATE_KEY } from '../src/database/keys.ts'
import { damageBlockOf, damageValue, databaseFiles } from './damage.ts'

/** The last write of a store that was closed at once is in LevelDB's write-ahead log. */
async function tear(store: LevelStore, end: TornEnd): Promise<void> {
  const [log] = await databaseFiles(store.directory, /\.log$/)
  await tearFile(log!, end)
}

const killed = {
  program: new URL('./doomed-child.ts', import.meta.url),
  nodeOptions: ['--conditions=@raftkit/source', '--import', import.meta.resolve('tsx')],
}

// Processes are killed with the default delay: what lies between two syncs is the same with any.
for (const { boundaryDelayMs, kills } of [
  { boundaryDelayMs: 0, kills: {} },
  { boundaryDelayMs: 10, kills: killed },
]) {
  const hooks = {
    runner: { describe, it },
    name: `LevelStore with boundaryDelayMs ${boundaryDelayMs}`,
    supports: { reopen: true, durable: true, checksums: true, tornWrites: true, commitIndex: true },
    ...inDirectories<LevelStore>({
      open: (directory) => LevelStore.open(directory, { boundaryDelayMs }),
      close: (store) => store.close(),
      ...kills,
    }),
    tear,
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
