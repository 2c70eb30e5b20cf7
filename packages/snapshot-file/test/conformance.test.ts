import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { testSnapshotStore } from '@raftkit/conformance'
import type { SnapshotPart } from '@raftkit/conformance'
import { flipBit, inDirectories, tearFile } from '@raftkit/conformance/node'
import { describe, it } from 'vitest'
import { FileSnapshotStore } from '../src/index.ts'
import { ModelDisk } from './model-disk.ts'

const hooks = inDirectories<FileSnapshotStore>({
  open: (directory) => FileSnapshotStore.open(directory),
  program: new URL('./doomed-child.ts', import.meta.url),
  nodeOptions: ['--conditions=@raftkit/source', '--import', import.meta.resolve('tsx')],
})

const fileOf = (store: FileSnapshotStore, id: string, name: string) =>
  join(hooks.directoryOf(store), 'snapshots', id, name)

async function corrupt(store: FileSnapshotStore, id: string, part: SnapshotPart): Promise<void> {
  if (part === 'state') return flipBit(fileOf(store, id, 'state.bin'), 60_000)
  // hashicorp/raft's meta.json has no checksum; what would have commands applied twice is checked all the same.
  const path = fileOf(store, id, 'meta.json')
  const text = await readFile(path, 'utf8')
  await flipBit(path, text.indexOf('"Index":') + '"Index":'.length)
}

testSnapshotStore<FileSnapshotStore>({
  runner: { describe, it },
  name: 'FileSnapshotStore',
  supports: { reopen: true, durable: true, checksums: true, tornWrites: true, retain: 2 },
  ...hooks,
  corrupt,
  tear: (store, id, end) => tearFile(fileOf(store, id, 'state.bin'), end),
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
  supports: { reopen: true, durable: true, checksums: false, tornWrites: false, retain: 3 },
  open: () => openOn(new ModelDisk()),
  reopen: (store) => openOn(diskOf(store)),
  crash: (store) => openOn(diskOf(store).afterPowerCut(() => 0)),
})
