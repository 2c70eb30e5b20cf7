import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { RaftError } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { FileSnapshotStore, nodeFileSystem, type FileSnapshotStoreOptions } from '../src/index.ts'
import { systemError } from './model-disk.ts'
import { recordingLogger } from './recording-logger.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { watchedFileSystem } from './watched-file-system.ts'

const configuration = {
  servers: [{ suffrage: 'voter', id: 'a', address: 'a:1' }],
} as const

async function rig(options: FileSnapshotStoreOptions = {}) {
  const directory = await temporaryDirectory()
  const fileSystem = watchedFileSystem()
  const store = await FileSnapshotStore.open(directory, { fileSystem, ...options })
  const sink = await store.create({ term: 1, index: 1, configuration, configurationIndex: 1 })
  return {
    store,
    sink,
    fileSystem,
    writes: fileSystem.stateWrites,
    /** Names in the directory of snapshots. */
    names: () => readdir(join(directory, 'snapshots')),
  }
}

async function stateOf(store: FileSnapshotStore, id: string): Promise<Buffer> {
  await using snapshot = await store.open(id)
  const pieces: Uint8Array[] = []
  for await (const piece of snapshot.state) pieces.push(piece)
  return Buffer.concat(pieces)
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )

describe('write', () => {
  it('collects small chunks and cuts large ones', async () => {
    const { store, sink, writes } = await rig({ bufferBytes: 4096 })
    const chunks = [...Array.from({ length: 100 }, () => 90), 1, 0, 20_000, 4095, 4096, 7].map(
      (length, index) => new Uint8Array(length).fill(index),
    )
    for (const chunk of chunks) await sink.write(chunk)
    const { id } = await sink.close()
    const whole = Buffer.concat(chunks)
    expect(writes.slice(0, -1)).toEqual(writes.slice(0, -1).map(() => 4096))
    expect(writes.length).toBe(Math.ceil(whole.byteLength / 4096))
    expect((await stateOf(store, id)).equals(whole)).toBe(true)
  })

  it('lets the caller use the chunk again once it resolved', async () => {
    const { store, sink } = await rig({ bufferBytes: 4096 })
    const chunk = new Uint8Array(3000)
    for (let i = 0; i < 5; i++) await sink.write(chunk.fill(i))
    const { id } = await sink.close()
    const state = await stateOf(store, id)
    expect(Array.from({ length: 5 }, (_, i) => state[i * 3000])).toEqual([0, 1, 2, 3, 4])
    expect(Array.from({ length: 5 }, (_, i) => state[i * 3000 + 2999])).toEqual([0, 1, 2, 3, 4])
  })

  it('waits for the disk', async () => {
    const made = await rig({ bufferBytes: 4096 })
    let release = () => {}
    const disk = new Promise<void>((resolve) => {
      release = resolve
    })
    made.fileSystem.beforeWrite = () => disk
    let written = false
    const writing = made.sink.write(new Uint8Array(5000)).then(() => (written = true))
    await nodeFileSystem.listDirectories('/')
    expect(written).toBe(false)
    release()
    await writing
    expect(made.writes).toEqual([4096])
    await made.sink.cancel()
  })

  it('keeps the order of calls that were not awaited', async () => {
    const { store, sink } = await rig({ bufferBytes: 4096 })
    const chunks = Array.from({ length: 9 }, (_, i) => new Uint8Array(1500).fill(i))
    const all = chunks.map((chunk) => sink.write(chunk))
    const { id } = await sink.close()
    await Promise.all(all)
    expect((await stateOf(store, id)).equals(Buffer.concat(chunks))).toBe(true)
  })

  it('removes everything when the disk is full, and stays failed', async () => {
    const made = await rig({ bufferBytes: 4096 })
    made.fileSystem.beforeWrite = () => {
      throw systemError('ENOSPC')
    }
    const first = await failure(made.sink.write(new Uint8Array(4096)))
    expect(RaftError.is(first, 'RAFT_SNAPSHOT_FAILED')).toBe(true)
    expect(first).toMatchObject({ retryable: true, details: { systemCode: 'ENOSPC' } })
    expect(String(first)).toMatch(
      /cannot write the snapshot .*the disk is full \(ENOSPC\); free some space/,
    )
    expect(await made.names()).toEqual([])
    expect(made.fileSystem.open).toEqual(new Set())
    expect(await failure(made.sink.write(new Uint8Array(1)))).toBe(first)
    expect(await failure(made.sink.close())).toBe(first)
    await made.sink.cancel()
    expect(await made.names()).toEqual([])
  })

  it('gives up above maxSnapshotBytes', async () => {
    const { sink, names } = await rig({ bufferBytes: 4096, maxSnapshotBytes: 5000 })
    await sink.write(new Uint8Array(5000))
    const error = await failure(sink.write(new Uint8Array(1)))
    expect(RaftError.is(error, 'RAFT_SNAPSHOT_FAILED')).toBe(true)
    expect(String(error)).toMatch(/maxSnapshotBytes \(5000\)/)
    expect(await names()).toEqual([])
  })
})

describe('close', () => {
  it('is invisible before and listed after', async () => {
    const { store, sink } = await rig()
    await sink.write(new Uint8Array(10))
    expect(await store.list()).toEqual([])
    const meta = await sink.close()
    expect(meta).toEqual({
      id: sink.id,
      version: 1,
      term: 1,
      index: 1,
      configuration,
      configurationIndex: 1,
      size: 10,
    })
    expect(await store.list()).toEqual([meta])
  })

  it('gives the same answer again, and cancel after it does nothing', async () => {
    const { store, sink, writes } = await rig()
    await sink.write(new Uint8Array(10))
    const meta = await sink.close()
    expect(await sink.close()).toBe(meta)
    await sink.cancel()
    expect(await store.list()).toEqual([meta])
    expect(writes).toEqual([10])
    expect(String(await failure(sink.write(new Uint8Array(1))))).toMatch(/is saved already/)
    expect(await store.list()).toEqual([meta])
  })

  it('wins over a cancel that comes while it is under way', async () => {
    const { store, sink } = await rig()
    const closing = sink.close()
    const cancelling = sink.cancel()
    const meta = await closing
    await cancelling
    expect(await store.list()).toEqual([meta])
  })

  it('keeps no descriptor open', async () => {
    const made = await rig()
    await made.sink.close()
    expect(made.fileSystem.open).toEqual(new Set())
  })
})

describe('cancel', () => {
  it('removes everything, once; close and write after it change nothing', async () => {
    const made = await rig()
    await made.sink.write(new Uint8Array(10))
    await made.sink.cancel()
    await made.sink.cancel()
    expect(await made.names()).toEqual([])
    expect(made.fileSystem.open).toEqual(new Set())
    for (const late of [made.sink.close(), made.sink.write(new Uint8Array(1))]) {
      const error = await failure(late)
      expect(RaftError.is(error, 'RAFT_SNAPSHOT_FAILED')).toBe(true)
      expect(String(error)).toMatch(/is cancelled already; create another one/)
    }
    expect(await made.names()).toEqual([])
  })

  it('waits for the write before it', async () => {
    const made = await rig({ bufferBytes: 4096 })
    const writing = made.sink.write(new Uint8Array(9000))
    await made.sink.cancel()
    await writing
    expect(made.writes).toEqual([4096, 4096])
    expect(await made.names()).toEqual([])
  })

  it('says so when something could not be removed', async () => {
    const logger = recordingLogger()
    const fileSystem = { ...nodeFileSystem }
    const store = await FileSnapshotStore.open(await temporaryDirectory(), { fileSystem, logger })
    const sink = await store.create({ term: 1, index: 1, configuration, configurationIndex: 1 })
    fileSystem.remove = () => Promise.reject(systemError('EBUSY'))
    await sink.cancel()
    expect(logger.lines.map((line) => line.level)).toEqual(['warn'])
  })
})
