import { testSnapshotStore } from '@raftkit/conformance'
import { describe, expect, it } from 'vitest'
import { DiscardSnapshotStore } from '../src/index.ts'

testSnapshotStore({
  runner: { describe, it },
  name: 'DiscardSnapshotStore',
  supports: { retain: 0, reopen: false, durable: false, checksums: false, tornWrites: false },
  open: async () => new DiscardSnapshotStore(),
})

it('DiscardSnapshotStore takes everything and has nothing', async () => {
  const store = new DiscardSnapshotStore()
  const configuration = { servers: [] }
  const sink = await store.create({ index: 10, term: 3, configuration, configurationIndex: 2 })
  await sink.write(Uint8Array.of(1, 2, 3))
  const meta = await sink.close()
  expect(meta).toMatchObject({ index: 10, term: 3, configuration, configurationIndex: 2, size: 3 })
  expect(await store.list()).toEqual([])
  await expect(store.open(meta.id)).rejects.toMatchObject({ code: 'RAFT_SNAPSHOT_NOT_FOUND' })
  await (await store.create({ index: 11, term: 3, configuration, configurationIndex: 2 })).cancel()
})
