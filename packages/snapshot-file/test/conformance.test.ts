import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testSnapshotStore } from '@raftkit/conformance'
import { describe, it } from 'vitest'
import { FileSnapshotStore } from '../src/index.ts'
import { ModelDisk } from './model-disk.ts'

const directories = new WeakMap<FileSnapshotStore, string>()

const emptyDirectory = () => mkdtemp(join(tmpdir(), 'raftkit-snapshots-'))

async function openIn(directory: string): Promise<FileSnapshotStore> {
  const store = await FileSnapshotStore.open(directory)
  directories.set(store, directory)
  return store
}

const directoryOf = (store: FileSnapshotStore) => directories.get(store) ?? ''

testSnapshotStore({
  runner: { describe, it },
  name: 'FileSnapshotStore',
  supports: { reopen: true, durable: true, checksums: true, retain: 2 },
  open: async () => openIn(await emptyDirectory()),
  reopen: (store) => openIn(directoryOf(store)),
  crash: async (store) => {
    const copy = await emptyDirectory()
    await cp(directoryOf(store), copy, { recursive: true })
    return openIn(copy)
  },
  corrupt: async (store, id) => {
    const path = join(directoryOf(store), 'snapshots', id, 'state.bin')
    const state = await readFile(path)
    state[1000]! ^= 1
    await writeFile(path, state)
  },
  dispose: (store) => rm(directoryOf(store), { recursive: true, force: true }),
})

const disks = new WeakMap<FileSnapshotStore, ModelDisk>()

async function openOn(disk: ModelDisk): Promise<FileSnapshotStore> {
  const store = await FileSnapshotStore.open('/data', { fileSystem: disk, retain: 3 })
  disks.set(store, disk)
  return store
}

const diskOf = (store: FileSnapshotStore) => disks.get(store) ?? new ModelDisk()

testSnapshotStore({
  runner: { describe, it },
  name: 'FileSnapshotStore on a disk that loses its power',
  supports: { reopen: true, durable: true, checksums: false, retain: 3 },
  open: () => openOn(new ModelDisk()),
  reopen: (store) => openOn(diskOf(store)),
  crash: (store) => openOn(diskOf(store).afterPowerCut(() => 0)),
})
