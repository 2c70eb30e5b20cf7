// The simulated disk keeps the contracts of the stores: what the simulator finds is not of its own making.
import { testLogStore, testSnapshotStore, testStableStore } from '@raftkit/conformance'
import { describe, it } from 'vitest'
import type { DiskImage, StoredEntry } from '../../src/disk/disk-image.ts'
import { joined } from '../../src/disk/entry-join.ts'
import { SimulatedDisk } from '../../src/disk/simulated-disk.ts'
import { SimulatedSnapshotStore } from '../../src/disk/simulated-snapshot-store.ts'
import { SimulatedStore } from '../../src/disk/simulated-store.ts'
import { Stream } from '../../src/random/streams.ts'
import { Process } from '../../src/server/process.ts'
import { VirtualTime } from '../../src/time/virtual-time.ts'

/** A disk with a time of its own, which passes as long as the disk is used. */
interface DiskInTime {
  readonly disk: SimulatedDisk
  readonly end: () => void
}

const disks = new WeakMap<object, DiskInTime>()

const nothing = { onAppend: () => {}, onTruncate: () => {}, onHardState: () => {} }

function newDisk(): DiskInTime {
  const time = new VirtualTime()
  let isOver = false
  const pass = async (): Promise<void> => {
    while (!isOver) await time.run(() => isOver)
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

/** What a crash leaves: all that is durable, and nothing of what is under way. */
function afterCrash({ disk }: DiskInTime): DiskInTime {
  const copy = newDisk()
  const { image } = copy.disk
  const held = entriesOf(disk.image)
  if (held.length > 0) image.append([joined(held)], disk.image.commitIndex)
  const { hardState } = disk.image
  if (hardState) image.hardState = hardState
  for (const [key, value] of disk.image.values) image.values.set(key, value)
  image.snapshots = disk.image.snapshots
  return copy
}

function entriesOf(image: DiskImage): StoredEntry[] {
  if (image.lastIndex === 0) return []
  const count = image.lastIndex - image.firstIndex + 1
  return Array.from({ length: count }, (_, i) => image.entry(image.firstIndex + i)!)
}

/** The hooks of stores on simulated disks, one process for each store. */
function hooksOf<S extends object>(open: (disk: SimulatedDisk, process: Process) => S) {
  const on = (disk: DiskInTime): S => {
    const store = open(disk.disk, new Process())
    disks.set(store, disk)
    return store
  }
  return {
    open: async () => on(newDisk()),
    reopen: async (store: S) => on(disks.get(store)!),
    crash: async (store: S) => on(afterCrash(disks.get(store)!)),
    dispose: async (store: S) => disks.get(store)!.end(),
  }
}

const runner = { describe, it }
const supports = { reopen: true, durable: true, checksums: true, tornWrites: true }
const stores = hooksOf((disk, process) => new SimulatedStore(disk, process, nothing))
const suite = {
  runner,
  name: 'SimulatedStore',
  supports,
  ...stores,
  async reopen(store: SimulatedStore): Promise<SimulatedStore> {
    await store.close()
    return stores.reopen(store)
  },
}

const imageOf = (store: object): DiskImage => disks.get(store)!.disk.image

testLogStore<SimulatedStore>({
  ...suite,
  supports: { ...supports, commitIndex: true },
  corrupt: async (store, index) => imageOf(store).damageEntry(index),
  tear: async (store) => imageOf(store).damageEntry(imageOf(store).lastIndex),
})

const damageStable = async (store: SimulatedStore): Promise<void> => {
  imageOf(store).isStableDamaged = true
}

testStableStore<SimulatedStore>({ ...suite, corrupt: damageStable, tear: damageStable })

const damageNewest = async (store: SimulatedSnapshotStore): Promise<void> =>
  imageOf(store).damageSnapshot()

testSnapshotStore<SimulatedSnapshotStore>({
  runner,
  name: 'SimulatedSnapshotStore',
  supports: { ...supports, retain: 2 },
  ...hooksOf((disk, process) => new SimulatedSnapshotStore(disk, process)),
  corrupt: damageNewest,
  tear: damageNewest,
})
