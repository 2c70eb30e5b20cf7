import { LevelStore } from '@raftkit/store-level'
import { expect, test } from 'vitest'
import { decodeBlock, encodeBlock } from '../src/log/block.ts'
import type { Block } from '../src/log/block.ts'
import {
  blockKey,
  COMMIT_KEY,
  HARD_STATE_KEY,
  IDENTITY_KEY,
  REVISION_KEY,
  valueKey,
} from '../src/database/keys.ts'
import { sealBytes } from '../src/database/record.ts'
import { sealHardState, sealRevision, unsealRevision } from '../src/stable/stable-records.ts'
import { damageBlockOf, damageValue, withLevel } from './damage.ts'
import { entries } from './entries.ts'
import { refusalOf } from './refusal.ts'
import { ENTRY_SIZE, usedStore } from './used-store.ts'

async function codeOf(directory: string): Promise<string> {
  return (await refusalOf(directory)).code
}

test('a damaged block', async () => {
  const directory = await usedStore()
  await damageBlockOf(directory, 5)
  const error = await refusalOf(directory)
  expect(error.code).toBe('RAFT_STORE_CORRUPT')
  expect(error.message).toContain('the block that ends at entry 6: its checksum does not match')
})

test.each([
  { what: 'first', key: blockKey(2), code: 'RAFT_STORE_CORRUPT' },
  { what: 'middle', key: blockKey(8), code: 'RAFT_STORE_CORRUPT' },
  { what: 'last', key: blockKey(14), code: 'RAFT_STORE_LOST_DATA' },
])('the $what block gone', async ({ key, code }) => {
  const directory = await usedStore()
  await withLevel(directory, (level) => level.del(key))
  expect(await codeOf(directory)).toBe(code)
})

test('a block in the place of another', async () => {
  const directory = await usedStore()
  await withLevel(directory, async (level) => {
    const [a, b] = [await level.get(blockKey(6)), await level.get(blockKey(8))]
    await level.put(blockKey(6), b!)
    await level.put(blockKey(8), a!)
  })
  expect(await codeOf(directory)).toBe('RAFT_STORE_CORRUPT')
})

test.each([
  { what: 'middle', last: 8, code: 'RAFT_STORE_CORRUPT' },
  { what: 'last', last: 14, code: 'RAFT_STORE_LOST_DATA' },
])('the $what block replaced by an intact one with other entries', async ({ last, code }) => {
  const directory = await usedStore()
  await withLevel(directory, async (level) => {
    const { previousChecksum } = decodeBlock((await level.get(blockKey(last)))!, last)
    const batch = entries(last - 1, 2, 0, ENTRY_SIZE)
    const other = encodeBlock([{ batch, start: 0, end: 2 }], previousChecksum)
    await level.put(blockKey(last), other.value)
  })
  expect(await codeOf(directory)).toBe(code)
})

test('a block that does not follow what was removed', async () => {
  const directory = await usedStore()
  const store = await LevelStore.open(directory)
  await store.truncatePrefix(14)
  await store.close()
  await putBlock(directory, 15, 12345)
  expect((await refusalOf(directory)).message).toContain('the one that the log begins with')
})

test('a block that leaves out an index', async () => {
  const directory = await usedStore()
  const { checksum } = await blockAt(directory, 14)
  await putBlock(directory, 19, checksum)
  expect((await refusalOf(directory)).message).toContain('entry 14 is followed by entry 19')
})

test('a block that follows, written after the boundary file was', async () => {
  const directory = await usedStore()
  const { checksum } = await blockAt(directory, 14)
  await putBlock(directory, 15, checksum)
  await using store = await LevelStore.open(directory)
  expect((await store.bounds()).lastIndex).toBe(15)
})

test.each([
  { what: 'term and vote', key: HARD_STATE_KEY },
  { what: 'the revision', key: REVISION_KEY },
  { what: 'the identity', key: IDENTITY_KEY },
  { what: 'a value', key: valueKey('name') },
  { what: 'the commit index', key: COMMIT_KEY },
])('$what damaged', async ({ key }) => {
  const directory = await usedStore()
  await damageValue(directory, key)
  expect(await codeOf(directory)).toBe('RAFT_STORE_CORRUPT')
})

test.each([
  { what: 'term and vote', key: HARD_STATE_KEY, code: 'RAFT_STORE_LOST_DATA' },
  { what: 'the revision', key: REVISION_KEY, code: 'RAFT_STORE_CORRUPT' },
  { what: 'the identity', key: IDENTITY_KEY, code: 'RAFT_STORE_FOREIGN' },
  { what: 'a value', key: valueKey('name'), code: 'RAFT_STORE_CORRUPT' },
])('$what gone', async ({ key, code }) => {
  const directory = await usedStore()
  await withLevel(directory, (level) => level.del(key))
  expect(await codeOf(directory)).toBe(code)
})

test.each([
  { what: 'an older term', state: { term: 0 } },
  { what: 'no vote', state: { term: 1 } },
  { what: 'another vote', state: { term: 1, votedFor: { id: 'b', address: 'b:1' } } },
])('$what in place of the stored one', async ({ state }) => {
  const directory = await usedStore()
  await withLevel(directory, (level) => level.put(HARD_STATE_KEY, sealHardState(state)))
  expect(await codeOf(directory)).toBe('RAFT_STORE_LOST_DATA')
})

test('an older term, with a revision that the boundary file does not know of', async () => {
  const directory = await usedStore()
  await withLevel(directory, async (level) => {
    const { valuesChecksum } = unsealRevision((await level.get(REVISION_KEY))!)
    await level.put(HARD_STATE_KEY, sealHardState({ term: 0 }))
    await level.put(REVISION_KEY, sealRevision({ revision: 99, valuesChecksum }))
  })
  expect(await codeOf(directory)).toBe('RAFT_STORE_LOST_DATA')
})

test('a store without a commit index, as made before there was one: nothing is known to be committed', async () => {
  const directory = await usedStore()
  await withLevel(directory, (level) => level.del(COMMIT_KEY))
  await using store = await LevelStore.open(directory)
  expect(await store.commitIndex()).toBe(0)
  expect((await store.bounds()).lastIndex).toBe(14)
  await store.append([entries(15, 1)], { commitIndex: 14 })
  expect(await store.commitIndex()).toBe(14)
})

test('a value in place of another', async () => {
  const directory = await usedStore()
  await withLevel(directory, (level) =>
    level.put(valueKey('name'), sealBytes('other', Buffer.of(7))),
  )
  expect(await codeOf(directory)).toBe('RAFT_STORE_CORRUPT')
})

test('a key among those of the log that is none of them', async () => {
  const directory = await usedStore()
  await withLevel(directory, (level) => level.put(Buffer.of(0x6c, 0, 0, 1), Buffer.of(1)))
  expect(await codeOf(directory)).toBe('RAFT_STORE_CORRUPT')
})

/** Adds a block of one entry. */
async function putBlock(directory: string, index: number, previous: number): Promise<void> {
  const part = { batch: entries(index, 1), start: 0, end: 1 }
  const { value } = encodeBlock([part], previous)
  await withLevel(directory, (level) => level.put(blockKey(index), value))
}

function blockAt(directory: string, lastIndex: number): Promise<Block> {
  return withLevel(directory, async (level) =>
    decodeBlock((await level.get(blockKey(lastIndex)))!, lastIndex),
  )
}
