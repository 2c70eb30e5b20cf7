import { mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RaftErrorCode, SnapshotMeta } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { FileSnapshotStore, nodeFileSystem, type FileSnapshotStoreOptions } from '../src/index.ts'
import { systemError } from './model-disk.ts'
import { recordingLogger } from './recording-logger.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { watchedFileSystem } from './watched-file-system.ts'

const REAL_ID = '2-8-1795350674353'
const REAL_META =
  '{"Version":1,"ID":"2-8-1795350674353","Index":8,"Term":2,' +
  '"Peers":"k68xMjcuMC4wLjE6MTcwMDGvMTI3LjAuMC4xOjE3MDAyrzEyNy4wLjAuMToxNzAwMw==",' +
  '"Configuration":{"Servers":[{"Suffrage":0,"ID":"n1","Address":"127.0.0.1:17001"},' +
  '{"Suffrage":0,"ID":"n2","Address":"127.0.0.1:17002"},' +
  '{"Suffrage":0,"ID":"n3","Address":"127.0.0.1:17003"}]},' +
  '"ConfigurationIndex":1,"Size":29,"CRC":"IVtNd1ToxOs="}\n'
const REAL_STATE = 'cmd-0\ncmd-1\ncmd-2\ncmd-3\ncmd-4'

const configuration = {
  servers: [{ suffrage: 'voter', id: 'a', address: 'a:1' }],
} as const

const bytesOf = (text: string) => new TextEncoder().encode(text)

async function save(
  store: FileSnapshotStore,
  term: number,
  index: number,
  state = `state ${term}-${index}`,
): Promise<SnapshotMeta> {
  const sink = await store.create({ term, index, configuration, configurationIndex: 1 })
  await sink.write(bytesOf(state))
  return sink.close()
}

async function stateOf(store: FileSnapshotStore, id: string): Promise<string> {
  const snapshot = await store.open(id)
  const pieces: Uint8Array[] = []
  for await (const piece of snapshot.state) pieces.push(piece)
  await snapshot.close()
  return Buffer.concat(pieces).toString()
}

/** What a rejection must look like. */
const failed = (code: RaftErrorCode, words: RegExp) => ({
  name: 'RaftError',
  code,
  message: expect.stringMatching(words) as string,
})

async function openedIn(options: FileSnapshotStoreOptions = {}) {
  const directory = await temporaryDirectory()
  return {
    directory,
    snapshots: join(directory, 'snapshots'),
    store: await FileSnapshotStore.open(directory, options),
  }
}

describe('FileSnapshotStore.open', () => {
  it('makes the directory when only that is missing', async () => {
    const directory = join(await temporaryDirectory(), 'new')
    const store = await FileSnapshotStore.open(directory)
    expect(await readdir(directory)).toEqual(['snapshots'])
    expect(await readdir(join(directory, 'snapshots'))).toEqual([])
    expect(await store.list()).toEqual([])
  })

  it('names the path and the remedy when the parent is missing', async () => {
    const directory = join(await temporaryDirectory(), 'not-mounted', 'raft')
    await expect(FileSnapshotStore.open(directory)).rejects.toMatchObject(
      failed(
        'RAFT_STORE_UNUSABLE',
        /not-mounted\/raft\/snapshots: .*does not exist.*\(ENOENT\); .*create or mount the parent/,
      ),
    )
  })

  it('refuses a file in place of the directory', async () => {
    const directory = join(await temporaryDirectory(), 'file')
    await writeFile(directory, '')
    await expect(FileSnapshotStore.open(directory)).rejects.toMatchObject(
      failed('RAFT_STORE_UNUSABLE', /a part of the path is a file \(ENOTDIR\); name a directory/),
    )
  })

  it('refuses a file in place of the snapshots directory', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'snapshots'), '')
    await expect(FileSnapshotStore.open(directory)).rejects.toMatchObject(
      failed('RAFT_STORE_UNUSABLE', /is a file/),
    )
  })

  it('refuses a directory that cannot be written', async () => {
    const directory = await temporaryDirectory()
    const fileSystem = {
      ...nodeFileSystem,
      createFile: () => Promise.reject(systemError('EACCES')),
    }
    await expect(FileSnapshotStore.open(directory, { fileSystem })).rejects.toMatchObject(
      failed(
        'RAFT_STORE_UNUSABLE',
        /this user may not write there \(EACCES\); correct the owner and the mode/,
      ),
    )
  })

  it('names every option that is out of range', async () => {
    const directory = await temporaryDirectory()
    await expect(
      FileSnapshotStore.open(directory, { retain: 0, bufferBytes: 1.5, maxMetaBytes: 1 }),
    ).rejects.toMatchObject(
      failed(
        'RAFT_INVALID_ARGUMENT',
        /retain must be an integer from 1 .*, not 0; bufferBytes .*, not 1.5; maxMetaBytes .*, not 1$/,
      ),
    )
  })

  it('sweeps unfinished snapshots and says so, but nothing else', async () => {
    const { directory, snapshots } = await openedIn()
    await mkdir(join(snapshots, '3-9-1700000000000.tmp'))
    await writeFile(join(snapshots, '3-9-1700000000000.tmp', 'state.bin'), 'half')
    await mkdir(join(snapshots, 'mine.tmp'))
    await writeFile(join(snapshots, 'permTest'), '')
    const logger = recordingLogger()
    const store = await FileSnapshotStore.open(directory, { logger })
    expect(await readdir(snapshots)).toEqual(['mine.tmp'])
    expect(logger.lines).toEqual([
      {
        level: 'info',
        fields: { path: join(snapshots, '3-9-1700000000000.tmp') },
        message: 'removed an unfinished snapshot',
      },
    ])
    expect(await store.list()).toEqual([])
  })
})

describe('the layout', () => {
  it("is hashicorp/raft's: a real snapshot is listed and read", async () => {
    const { snapshots, store } = await openedIn()
    await mkdir(join(snapshots, REAL_ID))
    await writeFile(join(snapshots, REAL_ID, 'meta.json'), REAL_META)
    await writeFile(join(snapshots, REAL_ID, 'state.bin'), REAL_STATE)
    const [meta] = await store.list()
    expect(meta).toMatchObject({ id: REAL_ID, index: 8, term: 2, size: 29, configurationIndex: 1 })
    expect(await stateOf(store, REAL_ID)).toBe(REAL_STATE)
  })

  it("is hashicorp/raft's: the same snapshot is written byte for byte", async () => {
    const { snapshots, store } = await openedIn({ wallTime: () => 1795350674353.5 })
    const sink = await store.create({
      term: 2,
      index: 8,
      configuration: {
        servers: [
          { suffrage: 'voter', id: 'n1', address: '127.0.0.1:17001' },
          { suffrage: 'voter', id: 'n2', address: '127.0.0.1:17002' },
          { suffrage: 'voter', id: 'n3', address: '127.0.0.1:17003' },
        ],
      },
      configurationIndex: 1,
    })
    await sink.write(bytesOf(REAL_STATE))
    expect(await readdir(snapshots)).toEqual([`${REAL_ID}.tmp`])
    expect(await sink.close()).toEqual((await store.list())[0])
    expect(await readdir(snapshots)).toEqual([REAL_ID])
    expect((await readdir(join(snapshots, REAL_ID))).sort()).toEqual(['meta.json', 'state.bin'])
    expect(await readFile(join(snapshots, REAL_ID, 'meta.json'), 'utf8')).toBe(REAL_META)
    expect(await readFile(join(snapshots, REAL_ID, 'state.bin'), 'utf8')).toBe(REAL_STATE)
  })
})

describe('create', () => {
  it('gives snapshots of the same entry in the same millisecond different names', async () => {
    const options = { retain: 9, wallTime: () => 1000 }
    const { directory, store } = await openedIn(options)
    const description = { term: 1, index: 2, configuration, configurationIndex: 1 }
    const sinks = await Promise.all([store.create(description), store.create(description)])
    expect(sinks.map((sink) => sink.id).sort()).toEqual(['1-2-1000', '1-2-1001'])
    await Promise.all(sinks.map((sink) => sink.close()))
    // Neither a later process …
    const again = await FileSnapshotStore.open(directory, options)
    expect((await save(again, 1, 2)).id).toBe('1-2-1002')
    // … nor a clock that went back, nor a snapshot under way elsewhere.
    await mkdir(join(directory, 'snapshots', '1-2-1003.tmp'))
    expect((await save(again, 1, 2)).id).toBe('1-2-1004')
    expect((await again.list()).map((meta) => meta.id)).toEqual([
      '1-2-1004',
      '1-2-1002',
      '1-2-1001',
      '1-2-1000',
    ])
  })

  it('gives no name twice, not even that of a snapshot that is gone', async () => {
    const { store } = await openedIn({ retain: 1, wallTime: () => 1000 })
    const ids = []
    for (let i = 0; i < 3; i++) ids.push((await save(store, 1, 2)).id)
    expect(ids).toEqual(['1-2-1000', '1-2-1001', '1-2-1002'])
  })

  it.each([
    { term: -1, index: 1, configurationIndex: 1 },
    { term: 1, index: 1.5, configurationIndex: 1 },
    { term: 1, index: 1, configurationIndex: 2 ** 53 },
  ])('refuses %o', async (numbers) => {
    const { snapshots, store } = await openedIn()
    await expect(store.create({ ...numbers, configuration })).rejects.toMatchObject(
      failed('RAFT_INVALID_ARGUMENT', /must be an integer from 0 to 2\^53 - 1/),
    )
    expect(await readdir(snapshots)).toEqual([])
  })

  it('leaves nothing when the state file cannot be made', async () => {
    const fileSystem = { ...nodeFileSystem }
    const { snapshots, store } = await openedIn({ fileSystem })
    fileSystem.createFile = () => Promise.reject(systemError('EMFILE'))
    await expect(
      store.create({ term: 1, index: 1, configuration, configurationIndex: 1 }),
    ).rejects.toMatchObject(
      failed('RAFT_SNAPSHOT_FAILED', /too many open files \(EMFILE\); raise the limit/),
    )
    expect(await readdir(snapshots)).toEqual([])
  })
})

describe('list', () => {
  it('is newest first: by term, then index', async () => {
    const { store } = await openedIn({ retain: 9 })
    for (const [term, index] of [
      [1, 9],
      [2, 7],
      [2, 30],
      [1, 100],
    ] as const)
      await save(store, term, index)
    expect((await store.list()).map(({ term, index }) => [term, index])).toEqual([
      [2, 30],
      [2, 7],
      [1, 100],
      [1, 9],
    ])
  })

  it('passes over what is damaged, with a warning that says why', async () => {
    const logger = recordingLogger()
    const fileSystem = watchedFileSystem()
    const { snapshots, store } = await openedIn({
      retain: 9,
      logger,
      maxMetaBytes: 2000,
      fileSystem,
    })
    const good = await save(store, 1, 1)
    const ids = []
    for (let index = 2; index <= 6; index++) ids.push((await save(store, 1, index)).id)
    const [noMeta, half, huge, renamed, folder] = ids as [string, string, string, string, string]
    await rm(join(snapshots, noMeta, 'meta.json'))
    await truncate(join(snapshots, half, 'meta.json'), 50)
    await writeFile(join(snapshots, huge, 'meta.json'), ' '.repeat(3000), { flag: 'a' })
    await rename(join(snapshots, renamed), join(snapshots, '1-5-1'))
    await rm(join(snapshots, folder, 'meta.json'))
    await mkdir(join(snapshots, folder, 'meta.json'))
    await mkdir(join(snapshots, 'backup'))
    await writeFile(join(snapshots, 'notes.txt'), '')

    expect((await store.list()).map((meta) => meta.id)).toEqual([good.id])
    expect(fileSystem.open).toEqual(new Set())
    const warnings = new Map(
      logger.lines
        .filter((line) => line.level === 'warn')
        .map((line) => Object.values(line.fields) as [string, string]),
    )
    expect([...warnings.keys()].sort()).toEqual(
      [noMeta, half, huge, '1-5-1', folder, 'backup'].sort(),
    )
    expect(warnings.get(noMeta)).toMatch(/ENOENT/)
    expect(warnings.get(half)).toMatch(/not JSON/)
    expect(warnings.get(huge)).toMatch(/more than maxMetaBytes \(2000\)/)
    expect(warnings.get('1-5-1')).toMatch(/it says that it is/)
    expect(warnings.get('backup')).toMatch(/not that of a snapshot/)
  })

  it('rejects, rather than say that there is none, when nothing can be read', async () => {
    const fileSystem = { ...nodeFileSystem }
    const { store } = await openedIn({ fileSystem })
    await save(store, 1, 1)
    fileSystem.openFile = () => Promise.reject(systemError('EMFILE'))
    await expect(store.list()).rejects.toMatchObject(failed('RAFT_STORE_FAILED', /EMFILE/))
  })

  it('does not warn of a snapshot that is removed meanwhile', async () => {
    const logger = recordingLogger()
    const fileSystem = { ...nodeFileSystem }
    const { snapshots, store } = await openedIn({ fileSystem, logger })
    const { id } = await save(store, 1, 1)
    fileSystem.openFile = async (path) => {
      await rm(join(snapshots, id), { recursive: true })
      return nodeFileSystem.openFile(path)
    }
    expect(await store.list()).toEqual([])
    expect(logger.lines).toEqual([])
  })
})

describe('retention', () => {
  it('keeps two by default, the newest', async () => {
    const { snapshots, store } = await openedIn()
    await save(store, 1, 1)
    const second = await save(store, 1, 2)
    const third = await save(store, 1, 3)
    expect((await store.list()).map((meta) => meta.id)).toEqual([third.id, second.id])
    expect((await readdir(snapshots)).sort()).toEqual([second.id, third.id])
  })

  it('never removes the one just saved, even when others sort before it', async () => {
    const { store } = await openedIn({ retain: 1 })
    await save(store, 5, 100)
    const later = await save(store, 4, 90)
    expect((await store.list()).map((meta) => meta.id)).toContain(later.id)
    expect(await stateOf(store, later.id)).toBe('state 4-90')
  })

  it('does not count or remove what is damaged', async () => {
    const { snapshots, store } = await openedIn({ retain: 1 })
    const damaged = await save(store, 9, 9)
    await writeFile(join(snapshots, damaged.id, 'meta.json'), '{')
    await save(store, 1, 1)
    const good = await save(store, 1, 2)
    expect((await readdir(snapshots)).sort()).toEqual([good.id, damaged.id].sort())
  })

  it('keeps one that is open for reading until it is closed', async () => {
    const { store } = await openedIn({ retain: 1 })
    const first = await save(store, 1, 1)
    const reading = await store.open(first.id)
    const second = await save(store, 1, 2)
    expect((await store.list()).map((meta) => meta.id)).toEqual([second.id, first.id])
    await reading.close()
    const third = await save(store, 1, 3)
    expect((await store.list()).map((meta) => meta.id)).toEqual([third.id])
  })

  it('saves although an older one cannot be removed, and says so', async () => {
    const logger = recordingLogger()
    const fileSystem = { ...nodeFileSystem }
    const { store } = await openedIn({ retain: 1, logger, fileSystem })
    const first = await save(store, 1, 1)
    fileSystem.rename = (from, to) =>
      from.endsWith(first.id)
        ? Promise.reject(systemError('EBUSY'))
        : nodeFileSystem.rename(from, to)
    const second = await save(store, 1, 2)
    expect((await store.list()).map((meta) => meta.id)).toEqual([second.id, first.id])
    expect(logger.lines.map((line) => [line.level, line.message])).toEqual([
      ['warn', 'could not remove older snapshots; tried again after the next one'],
    ])
    fileSystem.rename = (from, to) => nodeFileSystem.rename(from, to)
    const third = await save(store, 1, 3)
    expect((await store.list()).map((meta) => meta.id)).toEqual([third.id])
  })
})

describe('open', () => {
  it('hands out large states in pieces', async () => {
    const { store } = await openedIn({ readChunkBytes: 4096, bufferBytes: 8192 })
    const state = Array.from({ length: 3000 }, (_, i) => `line ${i}\n`).join('')
    const { id, size } = await save(store, 1, 1, state)
    expect(size).toBe(state.length)
    expect(await stateOf(store, id)).toBe(state)
    await using snapshot = await store.open(id)
    for await (const piece of snapshot.state) expect(piece.byteLength).toBeLessThanOrEqual(4096)
  })

  it('hands out nothing for an empty state', async () => {
    const { store } = await openedIn()
    const { id } = await save(store, 1, 1, '')
    expect(await stateOf(store, id)).toBe('')
  })

  it.each([
    [
      'one flipped bit',
      (state: Buffer) => (state.writeUInt8(state.readUInt8(5000) ^ 1, 5000), state),
      /the checksum of state.bin differs/,
    ],
    ['a byte too few', (state: Buffer) => state.subarray(1), /9999 bytes where 10000/],
    [
      'a byte too many',
      (state: Buffer) => Buffer.concat([state, Buffer.from('x')]),
      /10001 bytes where 10000/,
    ],
    ['nothing left', () => Buffer.alloc(0), /0 bytes where 10000/],
  ])('rejects a state with %s before any byte is handed out', async (_, damage, words) => {
    const fileSystem = watchedFileSystem()
    const { snapshots, store } = await openedIn({ readChunkBytes: 4096, retain: 1, fileSystem })
    const { id } = await save(store, 1, 1, 'x'.repeat(10_000))
    const path = join(snapshots, id, 'state.bin')
    await writeFile(path, damage(await readFile(path)))
    await expect(store.open(id)).rejects.toMatchObject(failed('RAFT_SNAPSHOT_CORRUPT', words))
    // Nor is anything held: it makes room for the next.
    expect(fileSystem.open).toEqual(new Set())
    const next = await save(store, 1, 2)
    expect((await store.list()).map((meta) => meta.id)).toEqual([next.id])
  })

  it('rejects a snapshot without its state, without its description, or on a bad sector', async () => {
    const fileSystem = { ...nodeFileSystem }
    const { snapshots, store } = await openedIn({ fileSystem })
    const first = await save(store, 1, 1)
    const second = await save(store, 1, 2)
    fileSystem.openFile = () => Promise.reject(systemError('EIO'))
    await expect(store.open(first.id)).rejects.toMatchObject(failed('RAFT_SNAPSHOT_CORRUPT', /EIO/))
    fileSystem.openFile = (path) => nodeFileSystem.openFile(path)
    await rm(join(snapshots, first.id, 'state.bin'))
    await rm(join(snapshots, second.id, 'meta.json'))
    await expect(store.open(first.id)).rejects.toMatchObject(
      failed('RAFT_SNAPSHOT_CORRUPT', /state.bin/),
    )
    await expect(store.open(second.id)).rejects.toMatchObject(
      failed('RAFT_SNAPSHOT_CORRUPT', /meta.json/),
    )
  })

  it('does not call a snapshot damaged when the process is out of files', async () => {
    const fileSystem = { ...nodeFileSystem }
    const { store } = await openedIn({ fileSystem })
    const { id } = await save(store, 1, 1)
    fileSystem.openFile = () => Promise.reject(systemError('EMFILE'))
    await expect(store.open(id)).rejects.toMatchObject(
      failed('RAFT_SNAPSHOT_FAILED', /too many open files/),
    )
  })

  it.each(['1-1-1', '../../etc', '', '.', 'x'])('does not find %j', async (id) => {
    const { store } = await openedIn()
    await expect(store.open(id)).rejects.toMatchObject(
      failed('RAFT_SNAPSHOT_NOT_FOUND', /list\(\) names those there are/),
    )
  })

  it('fails in the stream when the file shrinks after it was verified', async () => {
    const { snapshots, store } = await openedIn({ readChunkBytes: 4096 })
    const { id } = await save(store, 1, 1, 'x'.repeat(10_000))
    await using snapshot = await store.open(id)
    await truncate(join(snapshots, id, 'state.bin'), 5000)
    const read = async () => {
      for await (const piece of snapshot.state) expect(piece.byteLength).toBe(4096)
    }
    await expect(read()).rejects.toMatchObject(
      failed('RAFT_SNAPSHOT_CORRUPT', /ends before byte 8192/),
    )
  })

  it('says what failed when the disk gives up while the state is read', async () => {
    const { store } = await openedIn()
    const { id } = await save(store, 1, 1)
    const snapshot = await store.open(id)
    const reader = snapshot.state[Symbol.asyncIterator]()
    await snapshot.close()
    await expect(reader.next()).rejects.toMatchObject(
      failed('RAFT_SNAPSHOT_FAILED', /cannot read the snapshot in /),
    )
  })

  it('gives the state once, and not after close', async () => {
    const fileSystem = watchedFileSystem()
    const { store } = await openedIn({ fileSystem })
    const { id } = await save(store, 1, 1)
    const snapshot = await store.open(id)
    expect(fileSystem.open.size).toBe(1)
    for await (const _ of snapshot.state) break
    expect(() => snapshot.state[Symbol.asyncIterator]()).toThrow(/only once/)
    await snapshot.close()
    await snapshot.close()
    const closed = await store.open(id)
    await closed.close()
    expect(() => closed.state[Symbol.asyncIterator]()).toThrow(/not after close/)
    expect(fileSystem.open).toEqual(new Set())
  })
})
