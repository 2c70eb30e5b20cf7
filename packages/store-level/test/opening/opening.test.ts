import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RaftError } from '@raftkit/interface'
import { LevelStore } from '@raftkit/store-level'
import type { LevelStoreOptions } from '@raftkit/store-level'
import { ClassicLevel } from 'classic-level'
import { expect, test } from 'vitest'
import { localDisk } from '../../src/database/disk.ts'
import { messageFrom, startChild } from '../child.ts'
import { entries } from '../entries.ts'
import { refusalOf } from '../refusal.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { watchedDisk } from '../watched-disk.ts'

test('a store that is open is locked, in this process', async () => {
  const directory = await temporaryDirectory()
  await using store = await LevelStore.open(directory)
  await store.append([entries(1, 2)])
  expect((await refusalOf(directory)).code).toBe('RAFT_STORE_LOCKED')
  await store.append([entries(3, 2)])
})

test('a store that is open is locked, in another process', async () => {
  const directory = await temporaryDirectory()
  const child = startChild('./holding-child.ts', [directory])
  expect(await messageFrom(child)).toBe('open')
  expect((await refusalOf(directory)).code).toBe('RAFT_STORE_LOCKED')
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  await using store = await LevelStore.open(directory)
  expect(await store.bounds()).toEqual({ firstIndex: 1, lastIndex: 3 })
})

test('of two that make a store at once, one gets it', async () => {
  for (let round = 0; round < 20; round++) {
    const directory = join(await temporaryDirectory(), 'store')
    const results = await Promise.allSettled([
      LevelStore.open(directory),
      LevelStore.open(directory),
      LevelStore.open(directory),
    ])
    const opened = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    )
    const reasons = results.flatMap((result) =>
      result.status === 'rejected' ? [(result.reason as RaftError).code] : [],
    )
    expect(opened).toHaveLength(1)
    expect(reasons).toEqual(['RAFT_STORE_LOCKED', 'RAFT_STORE_LOCKED'])
    await opened[0]!.close()
  }
})

test('a store that another made in the meantime is opened as it is', async () => {
  const directory = join(await temporaryDirectory(), 'store')
  let isFirst = true
  const disk = watchedDisk(async (step) => {
    if (step !== 'open database' || !isFirst) return
    isFirst = false
    await using other = await LevelStore.open(directory)
    await other.append([entries(1, 4)])
  })
  await using store = await LevelStore.open(directory, {}, disk)
  expect(await store.bounds()).toEqual({ firstIndex: 1, lastIndex: 4 })
})

test('a file in place of the directory', async () => {
  const directory = join(await temporaryDirectory(), 'file')
  await writeFile(directory, 'text')
  expect((await refusalOf(directory)).code).toBe('RAFT_STORE_UNUSABLE')
  expect((await refusalOf(join(directory, 'below'))).code).toBe('RAFT_STORE_UNUSABLE')
  expect(await readFile(directory, 'utf8')).toBe('text')
})

test('a directory that may not be written to', async () => {
  const directory = await temporaryDirectory()
  const child = join(directory, 'store')
  await chmod(directory, 0o555)
  await withoutPrivileges(async () => {
    expect(await refusalOf(child)).toMatchObject({
      code: 'RAFT_STORE_UNUSABLE',
      cause: { code: 'EACCES' },
    })
  })
})

test('a store that may not be written to', async () => {
  const directory = await temporaryDirectory()
  const store = await LevelStore.open(directory)
  await store.append([entries(1, 2)])
  await store.close()
  for (const name of await readdir(directory, { recursive: true }))
    await chmod(join(directory, name), name === 'db' ? 0o555 : 0o444)
  await chmod(directory, 0o555)
  await withoutPrivileges(async () => {
    expect((await refusalOf(directory)).code).toBe('RAFT_STORE_UNUSABLE')
  })
})

test.each(['EROFS', 'ENOSPC', 'EMFILE', 'EIO'])('a disk that answers %s', async (code) => {
  const directory = join(await temporaryDirectory(), 'store')
  const error = Object.assign(new Error(`${code}: no`), { code })
  const failing = {
    ...localDisk,
    makeDirectory: () => Promise.reject(error),
  }
  expect(await refusalOf(directory, {}, failing)).toMatchObject({
    code: 'RAFT_STORE_UNUSABLE',
    cause: error,
  })
})

test("another server's store", async () => {
  const directory = await temporaryDirectory()
  await (await LevelStore.open(directory, { serverId: 'one' })).close()
  const error = await refusalOf(directory, { serverId: 'two' })
  expect(error.code).toBe('RAFT_STORE_FOREIGN')
  expect(error.message).toContain("it was made for server 'one', and 'two' opens it")
  await (await LevelStore.open(directory, { serverId: 'one' })).close()
  await (await LevelStore.open(directory)).close()
})

test('a store made for no server is any server’s', async () => {
  const directory = await temporaryDirectory()
  await (await LevelStore.open(directory)).close()
  await using store = await LevelStore.open(directory, { serverId: 'one' })
  expect(store.directory).toBe(directory)
})

test('a LevelDB database of something else', async () => {
  const directory = await temporaryDirectory()
  const level = new ClassicLevel(directory)
  await level.put('a', 'b')
  await level.close()
  const before = await readdir(directory)
  expect((await refusalOf(directory)).code).toBe('RAFT_STORE_FOREIGN')
  expect(await readdir(directory)).toEqual(before)
})

test('no store where one must exist', async () => {
  const directory = join(await temporaryDirectory(), 'store')
  const error = await refusalOf(directory, { mustExist: true })
  expect(error.code).toBe('RAFT_STORE_MISSING')
  expect(await readdir(join(directory, '..'))).toEqual([])
  await (await LevelStore.open(directory)).close()
  await (await LevelStore.open(directory, { mustExist: true })).close()
})

test('a directory with other things in it', async () => {
  const directory = await temporaryDirectory()
  await mkdir(join(directory, 'lost+found'))
  await writeFile(join(directory, 'notes.txt'), 'text')
  await (await LevelStore.open(directory)).close()
  expect(await readdir(directory)).toEqual(['boundary', 'db', 'lost+found', 'notes.txt'])
})

test('a copy of a whole store opens as it is', async () => {
  const directory = await temporaryDirectory()
  const store = await LevelStore.open(directory)
  await store.append([entries(1, 2)])
  await store.close()
  const copy = await temporaryDirectory()
  await cp(directory, copy, { recursive: true })
  await using opened = await LevelStore.open(copy)
  expect(await opened.bounds()).toEqual({ firstIndex: 1, lastIndex: 2 })
})

test.each<LevelStoreOptions>([
  { boundaryDelayMs: -1 },
  { boundaryDelayMs: 1001 },
  { maxBlockBytes: 4095 },
  { writeBufferBytes: 0.5 },
  { cacheBytes: Number.NaN },
  { serverId: 'x'.repeat(5000) },
])('an option out of range: %j', async (options) => {
  const directory = join(await temporaryDirectory(), 'store')
  await expect(LevelStore.open(directory, options)).rejects.toMatchObject({
    code: 'RAFT_INVALID_ARGUMENT',
  })
  expect(await readdir(join(directory, '..'))).toEqual([])
})

/** Permissions do not bind the superuser: for the time of the work, be nobody. */
async function withoutPrivileges(work: () => Promise<unknown>): Promise<void> {
  if (process.getuid?.() !== 0) {
    await work()
    return
  }
  process.seteuid!('nobody')
  try {
    await work()
  } finally {
    process.seteuid!(0)
  }
}
