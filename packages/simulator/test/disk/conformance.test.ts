// The simulated disk keeps the contracts of the stores: what the simulator finds is not of its own making.
import { testLogStore, testSnapshotStore, testStableStore } from '@raftkit/conformance'
import { describe, it } from 'vitest'
import { SimulatedDisk } from '../../src/disk/simulated-disk.ts'
import { SimulatedSnapshotStore } from '../../src/disk/simulated-snapshot-store.ts'
import { SimulatedStore } from '../../src/disk/simulated-store.ts'
import { Stream } from '../../src/random/streams.ts'
import { Process } from '../../src/server/process.ts'
import { VirtualTime } from '../../src/time/virtual-time.ts'

/** Disks by the store that is on them, and how to end the time of each. */
const disks = new WeakMap<object, SimulatedDisk>()
const ends = new WeakMap<object, () => void>()

const nothing = { onAppend: () => {}, onTruncate: () => {}, onHardState: () => {} }

function newDisk(): { readonly disk: SimulatedDisk; readonly end: () => void } {
  const time = new VirtualTime()
  let isOver = false
  const pass = async (): Promise<void> => {
    while (!isOver)
      await time.run(
        () => isOver,
        () => {},
      )
  }
  void pass()
  const disk = new SimulatedDisk(time, new Stream(1, 'disk'), {
    onCall: () => {},
    onDurable: () => {},
    onCut: () => {},
    onFailure: () => {},
    onMisuse: (message) => {
      throw new Error(message)
    },
  })
  const end = (): void => {
    isOver = true
  }
  return { disk, end }
}

function on<S extends object>(
  open: (disk: SimulatedDisk) => S,
  from: ReturnType<typeof newDisk> = newDisk(),
): S {
  const store = open(from.disk)
  disks.set(store, from.disk)
  ends.set(store, from.end)
  return store
}

function again<S extends object>(open: (disk: SimulatedDisk) => S, store: S): S {
  return on(open, { disk: disks.get(store)!, end: ends.get(store)! })
}

const openStore = (disk: SimulatedDisk): SimulatedStore =>
  new SimulatedStore(disk, new Process(), nothing)
const openSnapshots = (disk: SimulatedDisk): SimulatedSnapshotStore =>
  new SimulatedSnapshotStore(disk, new Process())

const stores = {
  runner: { describe, it },
  name: 'SimulatedStore',
  supports: { reopen: true, durable: false, checksums: false },
  open: async () => on(openStore),
  async reopen(store: SimulatedStore): Promise<SimulatedStore> {
    await store.close()
    return again(openStore, store)
  },
  dispose: async (store: SimulatedStore) => ends.get(store)!(),
}

testLogStore(stores)
testStableStore(stores)
testSnapshotStore({
  runner: { describe, it },
  name: 'SimulatedSnapshotStore',
  supports: { retain: 2, reopen: true, durable: false, checksums: false },
  open: async () => on(openSnapshots),
  reopen: async (store: SimulatedSnapshotStore) => again(openSnapshots, store),
  dispose: async (store: SimulatedSnapshotStore) => ends.get(store)!(),
})
