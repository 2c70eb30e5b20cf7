import { stat } from 'node:fs/promises'
import { LevelStore } from '@raftkit/store-level'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import type { Disk } from '../src/database/disk.ts'
import { blockKey, LAST_BLOCK_KEY, lastIndexOfKey } from '../src/database/keys.ts'
import { entries } from './entries.ts'
import { rejectionOf } from './refusal.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { watchedDisk } from './watched-disk.ts'

/** A database that reads as it should until `broken` is set. */
let broken: Partial<Database> | undefined
let original: Database
let disk: Disk

const ALL = { maxBytes: Infinity }

beforeEach(() => {
  broken = undefined
  disk = watchedDisk(
    () => {},
    (database) => {
      original = database
      return {
        get: (key) => (broken?.get ? broken : database).get!(key),
        scan: (range, step) => (broken?.scan ? broken : database).scan!(range, step),
        keys: (range, order, count) =>
          (broken?.keys ? broken : database).keys!(range, order, count),
      }
    },
  )
})

async function storeOf(blocks: number): Promise<LevelStore> {
  const store = await LevelStore.open(await temporaryDirectory(), {}, disk)
  for (let i = 0; i < blocks; i++) await store.append([entries(1 + 2 * i, 2)])
  await store.set('name', Buffer.of(1))
  return store
}

describe('when LevelDB says that its data is damaged, reading says so, and the store goes on', () => {
  const damage = levelError('LEVEL_CORRUPTION')

  test('of the log', async () => {
    await using store = await storeOf(2)
    broken = { scan: () => failing(damage) }
    expect(await rejectionOf(store.read(1, 2, ALL))).toMatchObject({
      code: 'RAFT_STORE_CORRUPT',
      cause: damage,
    })
    broken = undefined
    expect((await store.read(1, 2, ALL)).count).toBe(2)
  })

  test('of a value', async () => {
    await using store = await storeOf(2)
    broken = { get: () => Promise.reject(damage) }
    expect(await rejectionOf(store.get('name'))).toMatchObject({
      code: 'RAFT_STORE_CORRUPT',
      cause: damage,
    })
  })
})

describe('when a read fails, the store ends', () => {
  const failure = levelError('LEVEL_IO_ERROR')

  test.each<{ what: string; call: (store: LevelStore) => Promise<unknown> }>([
    { what: 'of entries', call: (store) => store.read(1, 2, ALL) },
    { what: 'of a value', call: (store) => store.get('name') },
    { what: 'of what a new value replaces', call: (store) => store.set('name', Buffer.of(2)) },
    { what: 'of where the log is cut', call: (store) => store.truncateSuffix(2) },
    { what: 'of the blocks to delete', call: (store) => store.truncatePrefix(4) },
  ])('$what', async ({ call }) => {
    await using store = await storeOf(2)
    broken = {
      get: () => Promise.reject(failure),
      scan: () => failing(failure),
      keys: () => failing(failure),
    }
    expect(await rejectionOf(call(store))).toMatchObject({
      code: 'RAFT_STORE_FAILED',
      cause: failure,
    })
    broken = undefined
    expect((await rejectionOf(store.bounds())).code).toBe('RAFT_STORE_FAILED')
  })
})

describe('when blocks that were there at opening are gone, reading says so:', () => {
  test.each([
    { gone: [2], says: 'entry 1 is gone; the next one there is 3' },
    { gone: [4], says: 'entry 2 is followed by entry 5' },
    { gone: [6], says: 'entry 5 is gone' },
    { gone: [2, 4, 6], says: 'entry 1 is gone' },
  ])('$gone', async ({ gone, says }) => {
    await using store = await storeOf(3)
    const log = { from: blockKey(0), to: LAST_BLOCK_KEY }
    const records: [Uint8Array, Uint8Array][] = []
    for await (const step of original.scan(log, { count: 9, maxBytes: 1e6 })) records.push(...step)
    broken = {
      async *scan() {
        yield records.filter(([key]) => !gone.includes(lastIndexOfKey(key)))
      },
    }
    const error = await rejectionOf(store.read(1, 6, ALL))
    expect(error.code).toBe('RAFT_STORE_CORRUPT')
    expect(error.message).toContain(says)
  })
})

test('closing waits for the reads under way', async () => {
  const store = await storeOf(2)
  const order: string[] = []
  let openGate: () => void = () => {}
  const gate = new Promise<void>((resolve) => (openGate = resolve))
  broken = {
    async *scan(range, step) {
      await gate
      yield* original.scan(range, step)
    },
  }
  const reading = store.read(1, 4, ALL).then(({ count }) => order.push(`read ${count}`))
  const closing = store.close().then(() => order.push('closed'))
  expect((await rejectionOf(store.read(1, 4, ALL))).code).toBe('RAFT_STORE_CLOSED')
  // Time enough to close, if it did not wait.
  for (let i = 0; i < 50; i++) await stat(store.directory)
  openGate()
  await Promise.all([reading, closing])
  expect(order).toEqual(['read 4', 'closed'])
})

function levelError(code: string): Error {
  return Object.assign(new Error('no'), { code })
}

function failing(error: Error): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) }
}
