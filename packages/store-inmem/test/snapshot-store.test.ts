import { testSnapshotStore } from '@raftkit/conformance'
import type { OpenSnapshot } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { InmemSnapshotStore } from '../src/index.ts'

for (const retain of [1, 2, 5])
  testSnapshotStore({
    runner: { describe, it },
    name: `InmemSnapshotStore that retains ${retain}`,
    supports: { retain, reopen: true, durable: false, checksums: false, tornWrites: false },
    open: async () => new InmemSnapshotStore({ retain }),
    reopen: async (store) => store.reopen(),
  })

const description = { index: 3, term: 1, configuration: { servers: [] }, configurationIndex: 1 }

describe('InmemSnapshotStore', () => {
  it('keeps two unless told otherwise', async () => {
    const store = new InmemSnapshotStore()
    for (let index = 1; index <= 4; index++)
      await (await store.create({ ...description, index })).close()
    expect((await store.list()).map((meta) => meta.index)).toEqual([4, 3])
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses to retain %d', (retain) => {
    expect(() => new InmemSnapshotStore({ retain })).toThrow(/retain/)
  })

  it('keeps nothing of a sink that was open when the store was reopened', async () => {
    const before = new InmemSnapshotStore()
    const sink = await before.create(description)
    const after = before.reopen()
    await expect(sink.close()).rejects.toMatchObject({ code: 'RAFT_STORE_CLOSED' })
    await expect(before.list()).rejects.toMatchObject({ code: 'RAFT_STORE_CLOSED' })
    expect(await after.list()).toEqual([])
  })

  it('opens a snapshot twice, each time from its beginning', async () => {
    const store = new InmemSnapshotStore()
    const sink = await store.create(description)
    await sink.write(Uint8Array.of(1, 2))
    await sink.write(Uint8Array.of(3))
    const { id } = await sink.close()
    const [one, two] = [await store.open(id), await store.open(id)]
    const read = async ({ state }: OpenSnapshot): Promise<number[]> => {
      const bytes: number[] = []
      for await (const chunk of state) bytes.push(...chunk)
      return bytes
    }
    expect(await read(one)).toEqual([1, 2, 3])
    await one.close()
    expect(await read(two)).toEqual([1, 2, 3])
    await two.close()
  })

  it('shares no configuration with its caller', async () => {
    const store = new InmemSnapshotStore()
    const server = { suffrage: 'voter' as const, id: 'a', address: 'a:1' }
    await (await store.create({ ...description, configuration: { servers: [server] } })).close()
    server.id = 'b'
    expect((await store.list())[0]?.configuration.servers[0]?.id).toBe('a')
  })
})
