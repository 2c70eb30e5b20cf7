import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RaftError } from '@raftkit/interface'
import { LevelStore } from '@raftkit/store-level'
import { ClassicLevel } from 'classic-level'
import { describe, expect, test } from 'vitest'
import { BoundaryFile } from '../src/boundary/boundary-file.ts'
import { localDisk } from '../src/database/disk.ts'
import { databaseFiles, flipByte } from './damage.ts'
import { contentsOf, entries } from './entries.ts'
import { refusalOf } from './refusal.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import {
  ENTRY_SIZE,
  storeOfOneValue,
  unusedStore,
  usedStore,
  usedStoreInTable,
} from './used-store.ts'

async function codeOf(directory: string): Promise<string> {
  return (await refusalOf(directory)).code
}

describe("LevelDB's write-ahead log", () => {
  test.each(Array.from({ length: 20 }, (_, i) => (i + 0.5) / 20))(
    'with a flipped byte at %s of its length',
    async (at) => {
      const directory = await usedStore()
      const [log] = await databaseFiles(directory, /\.log$/)
      await flipByte(log!, at)
      const refusals = ['RAFT_STORE_LOST_DATA', 'RAFT_STORE_CORRUPT']
      expect(refusals).toContain(await codeOf(directory))
      // LevelDB has thrown the damaged part away by now; the store is refused all the same.
      expect(refusals).toContain(await codeOf(directory))
    },
  )

  test.each([1, 60, 200])('shortened by %d bytes', async (bytes) => {
    const directory = await usedStore()
    const [log] = await databaseFiles(directory, /\.log$/)
    await truncate(log!, (await readFile(log!)).length - bytes)
    const error = await refusalOf(directory)
    expect(error.code).toBe('RAFT_STORE_LOST_DATA')
    expect(error.details).toMatchObject({ expectedLastIndex: 14, expectedLastTerm: 1 })
  })

  test('gone', async () => {
    const directory = await usedStore()
    for (const log of await databaseFiles(directory, /\.log$/)) await rm(log)
    expect(['RAFT_STORE_LOST_DATA', 'RAFT_STORE_CORRUPT', 'RAFT_STORE_MISSING']).toContain(
      await codeOf(directory),
    )
  })
})

describe("LevelDB's other files", () => {
  test('a table with a flipped byte is refused, or holds everything', async () => {
    const outcomes = new Set<string>()
    for (let at = 0.01; at < 1; at += 0.04) {
      const directory = await usedStoreInTable()
      const [table] = await databaseFiles(directory, /\.ldb$/)
      await flipByte(table!, at)
      outcomes.add(await outcomeOf(directory))
    }
    expect(outcomes).toContain('RAFT_STORE_CORRUPT')
    expect(outcomes).not.toContain('other contents')
  })

  test('a table that is gone', async () => {
    const directory = await usedStoreInTable()
    for (const table of await databaseFiles(directory, /\.ldb$/)) await rm(table)
    expect(await codeOf(directory)).toBe('RAFT_STORE_CORRUPT')
  })

  test('CURRENT gone, and it is not made again', async () => {
    const directory = await usedStore()
    await rm(join(directory, 'db', 'CURRENT'))
    expect(await codeOf(directory)).toBe('RAFT_STORE_MISSING')
    expect(await readdir(join(directory, 'db'))).not.toContain('CURRENT')
  })

  test.each(['', 'nonsense', 'MANIFEST-999999\n'])('CURRENT saying %j', async (text) => {
    const directory = await usedStore()
    await writeFile(join(directory, 'db', 'CURRENT'), text)
    expect(['RAFT_STORE_CORRUPT', 'RAFT_STORE_MISSING']).toContain(await codeOf(directory))
  })

  test('a MANIFEST with a flipped byte', async () => {
    const directory = await usedStoreInTable()
    const [manifest] = await databaseFiles(directory, /^MANIFEST/)
    await flipByte(manifest!, 0.5)
    expect(['RAFT_STORE_CORRUPT', 'RAFT_STORE_LOST_DATA']).toContain(await codeOf(directory))
  })

  test('a MANIFEST that is gone', async () => {
    const directory = await usedStoreInTable()
    for (const manifest of await databaseFiles(directory, /^MANIFEST/)) await rm(manifest)
    expect(await codeOf(directory)).toBe('RAFT_STORE_MISSING')
  })
})

describe('the database folder', () => {
  test('removed, and it is not made again', async () => {
    const directory = await usedStore()
    await rm(join(directory, 'db'), { recursive: true })
    expect(await codeOf(directory)).toBe('RAFT_STORE_MISSING')
    expect(await readdir(directory)).toEqual(['boundary'])
  })

  test('emptied', async () => {
    const directory = await usedStore()
    await rm(join(directory, 'db'), { recursive: true })
    await mkdir(join(directory, 'db'))
    expect(await codeOf(directory)).toBe('RAFT_STORE_MISSING')
  })

  test.each([
    { what: 'used', make: usedStore },
    { what: 'with nothing but a value', make: storeOfOneValue },
    { what: 'never used', make: unusedStore },
  ])('of a store $what, replaced by a new database', async ({ make }) => {
    const directory = await make()
    await rm(join(directory, 'db'), { recursive: true })
    const level = new ClassicLevel(join(directory, 'db'))
    await level.open()
    await level.close()
    expect(await codeOf(directory)).toBe('RAFT_STORE_LOST_DATA')
  })

  test('replaced by an older copy of itself', async () => {
    const directory = await usedStore()
    const copy = await temporaryDirectory()
    await cp(join(directory, 'db'), copy, { recursive: true })
    const store = await LevelStore.open(directory)
    await store.append([entries(15, 1)])
    await store.close()
    await rm(join(directory, 'db'), { recursive: true })
    await cp(copy, join(directory, 'db'), { recursive: true })
    const error = await refusalOf(directory)
    expect(error.code).toBe('RAFT_STORE_LOST_DATA')
    expect(error.message).toContain('entry 15 of term 1 was durable, the database holds 1..14')
    expect(error.message).toContain('new id and an empty directory')
  })

  test('replaced by that of another store', async () => {
    const directory = await usedStore()
    await rm(join(directory, 'db'), { recursive: true })
    await cp(join(await usedStore(), 'db'), join(directory, 'db'), { recursive: true })
    expect(await codeOf(directory)).toBe('RAFT_STORE_FOREIGN')
  })
})

describe('the boundary file', () => {
  test('removed, and it is not made again', async () => {
    for (const used of [usedStore, usedStoreInTable]) {
      const directory = await used()
      await rm(join(directory, 'boundary'))
      expect(await codeOf(directory)).toBe('RAFT_STORE_MISSING')
      expect(await readdir(directory)).toEqual(['db'])
    }
  })

  test('removed together with CURRENT, and no table is', async () => {
    const directory = await usedStoreInTable()
    await rm(join(directory, 'boundary'))
    await rm(join(directory, 'db', 'CURRENT'))
    const before = await readdir(join(directory, 'db'))
    expect(await codeOf(directory)).toBe('RAFT_STORE_MISSING')
    expect(await readdir(join(directory, 'db'))).toEqual(before)
  })

  test('with its newest slot damaged after the end of the log was cut', async () => {
    const directory = await usedStore()
    const store = await LevelStore.open(directory)
    await store.truncateSuffix(10)
    await store.close()
    const intact = await readFile(join(directory, 'boundary'))
    for (const slot of [4096, 8192]) {
      const file = Uint8Array.from(intact)
      file[slot + 4]! ^= 1
      await writeFile(join(directory, 'boundary'), file)
      await (await LevelStore.open(directory)).close()
    }
    expect(await databaseFiles(directory, /CURRENT/)).toHaveLength(1)
  })

  test.each([0, 100, 5000])('cut to %d bytes', async (size) => {
    const directory = await usedStore()
    await truncate(join(directory, 'boundary'), size)
    expect(await codeOf(directory)).toBe('RAFT_STORE_CORRUPT')
  })

  test('with a damaged identity', async () => {
    const directory = await usedStore()
    await flipByte(join(directory, 'boundary'), 0.003)
    expect(await codeOf(directory)).toBe('RAFT_STORE_CORRUPT')
  })

  test('of a later format', async () => {
    const directory = await usedStore()
    await BoundaryFile.create(localDisk, join(directory, 'boundary'), { format: 2, storeId: 'x' })
    expect(await codeOf(directory)).toBe('RAFT_STORE_UNUSABLE')
  })
})

test('damage that comes while the store is open is found out by reading', async () => {
  const directory = await temporaryDirectory()
  const store = await LevelStore.open(directory)
  await store.append([entries(1, 2)])
  await store.close()
  await using again = await LevelStore.open(directory, { cacheBytes: 0 })
  const [table] = await databaseFiles(directory, /\.ldb$/)
  const bytes = await readFile(table!)
  bytes[bytes.indexOf('abcdef')]! ^= 1
  await writeFile(table!, bytes)
  await expect(again.read(1, 2, { maxBytes: 1000 })).rejects.toMatchObject({
    code: 'RAFT_STORE_CORRUPT',
  })
})

/** The code with which it is refused, 'everything' or 'other contents'. */
async function outcomeOf(directory: string): Promise<string> {
  let store: LevelStore
  try {
    store = await LevelStore.open(directory)
  } catch (error) {
    if (RaftError.is(error)) return error.code
    throw error
  }
  try {
    const batch = await store.read(1, 14, { maxBytes: Infinity })
    const found = [contentsOf(batch), await store.loadHardState(), (await store.get('name'))?.[0]]
    const expected = [
      contentsOf(entries(1, 14, 1, ENTRY_SIZE)),
      { term: 1, votedFor: { id: 'a', address: 'a:1' } },
      7,
    ]
    return JSON.stringify(found) === JSON.stringify(expected) ? 'everything' : 'other contents'
  } finally {
    await store.close()
  }
}
