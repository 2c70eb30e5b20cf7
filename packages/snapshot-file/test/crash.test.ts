// What is found after the power, the process or one single operation failed, at every point of saving a snapshot.
import { RaftError, type SnapshotMeta } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { FileSnapshotStore } from '../src/index.ts'
import { ModelDisk, type Chooser } from './model-disk.ts'

const DIRECTORY = '/data'
const OLD_STATE = new TextEncoder().encode('the old state '.repeat(700))
const NEW_STATE = new TextEncoder().encode('the new state '.repeat(1000))

const configuration = {
  servers: [{ suffrage: 'voter', id: 'a', address: 'a:1' }],
} as const

async function save(store: FileSnapshotStore, index: number, state: Uint8Array) {
  const sink = await store.create({ term: 1, index, configuration, configurationIndex: 1 })
  await sink.write(state.subarray(0, 5000))
  await sink.write(state.subarray(5000))
  return sink.close()
}

const openStore = (fileSystem: ModelDisk, retain: number) =>
  FileSnapshotStore.open(DIRECTORY, { retain, fileSystem, bufferBytes: 4096, readChunkBytes: 4096 })

/** A disk that holds the old snapshot, durably. */
async function diskWithOldSnapshot(retain: number): Promise<ModelDisk> {
  const disk = new ModelDisk()
  await save(await openStore(disk, retain), 10, OLD_STATE)
  return disk.afterPowerCut(() => 0)
}

async function stateOf(store: FileSnapshotStore, id: string): Promise<Buffer> {
  const snapshot = await store.open(id)
  const pieces: Uint8Array[] = []
  for await (const piece of snapshot.state) pieces.push(piece)
  await snapshot.close()
  return Buffer.concat(pieces)
}

/** Every listed snapshot is whole, and which ones there are. */
async function checkedIndexes(store: FileSnapshotStore): Promise<number[]> {
  const metas = await store.list()
  for (const { id, index } of metas) {
    const expected = index === 10 ? OLD_STATE : NEW_STATE
    expect((await stateOf(store, id)).equals(expected)).toBe(true)
  }
  return metas.map((meta) => meta.index)
}

/** Keeps everything (the process was killed), loses everything unsynced, or picks by a seeded generator. */
function choosers(): Chooser[] {
  const seeded = (seed: number): Chooser => {
    let state = seed
    return (alternatives) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * alternatives)
    }
  }
  return [() => 1, () => 0, ...Array.from({ length: 12 }, (_, seed) => seeded(seed + 1))]
}

/** What may be listed once the new snapshot is. The old one may be there for a while although it is not retained. */
const withNew = (retain: number) => (retain === 1 ? [[20], [20, 10]] : [[20, 10]])

const remains = (disk: ModelDisk) => disk.paths().filter((path) => path.includes('.tmp'))

const isDiskFull = (error: unknown) =>
  RaftError.is(error, 'RAFT_SNAPSHOT_FAILED') &&
  /\/data\/snapshots.*the disk is full \(ENOSPC\); free some/.test(error.message)

async function operationsOfASave(retain: number): Promise<number> {
  const disk = await diskWithOldSnapshot(retain)
  await save(await openStore(disk, retain), 20, NEW_STATE)
  return disk.operations
}

describe.each([{ retain: 1 }, { retain: 2 }])(
  'saving a snapshot (retain $retain)',
  ({ retain }) => {
    it('leaves the old list or the new one, complete, wherever the power goes', async () => {
      const operations = await operationsOfASave(retain)
      expect(operations).toBeGreaterThan(20)
      for (let cut = 0; cut <= operations; cut++) {
        for (const choose of choosers()) {
          const disk = await diskWithOldSnapshot(retain)
          disk.powerCutAt = cut
          let saved: SnapshotMeta | undefined
          try {
            saved = await save(await openStore(disk, retain), 20, NEW_STATE)
          } catch {}

          const found = disk.afterPowerCut(choose)
          const indexes = await checkedIndexes(await openStore(found, retain))
          const allowed = saved === undefined ? [[10], ...withNew(retain)] : withNew(retain)
          expect(allowed, `cut before operation ${cut}`).toContainEqual(indexes)
          expect(remains(found)).toEqual([])
        }
      }
    })

    it('leaves the old list and no remains when one operation fails', async () => {
      const failures: object[] = []
      const lists: number[][] = []
      for (let failed = 0, reached = true; reached; failed++) {
        const disk = await diskWithOldSnapshot(retain)
        const store = await openStore(disk, retain)
        disk.failAt = disk.operations + failed
        disk.failCode = 'ENOSPC'
        const [result] = await Promise.allSettled([save(store, 20, NEW_STATE)])
        reached = disk.operations > disk.failAt
        disk.failAt = Number.POSITIVE_INFINITY
        const indexes = await checkedIndexes(store)
        if (result.status === 'fulfilled') lists.push(indexes)
        else failures.push({ told: isDiskFull(result.reason), indexes, remains: remains(disk) })
      }
      expect(failures.length).toBeGreaterThan(10)
      expect(failures).toEqual(failures.map(() => ({ told: true, indexes: [10], remains: [] })))
      // What did not fail it was tidying up, after the snapshot was safe.
      expect(lists.length).toBeGreaterThan(3)
      for (const indexes of lists) expect(withNew(retain)).toContainEqual(indexes)
    })
  },
)
