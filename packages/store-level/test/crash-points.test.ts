import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogBounds } from '@raftkit/interface'
import { LevelStore } from '@raftkit/store-level'
import { describe, expect, test } from 'vitest'
import { blockKey, lastIndexOfKey } from '../src/database/keys.ts'
import { withLevel } from './damage.ts'
import { contentsOf, entries } from './entries.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { watchedDisk } from './watched-disk.ts'

/** A change, and what may be there when a crash comes before any of its steps, or after the last. */
interface Change {
  readonly title: string
  readonly prepare?: (store: LevelStore) => Promise<void>
  readonly change: (store: LevelStore) => Promise<void>
  /** Last indexes that may be found; 0 for an empty log. */
  readonly lastIndexes: readonly number[]
  /** First indexes that may be found. */
  readonly firstIndexes?: readonly number[]
  /** Whether an old copy of the database cannot be told any more: the log was emptied. */
  readonly promisesNothing?: boolean
}

const SMALL_BLOCKS = 4096
const big = (first: number, count: number, term = 1) => entries(first, count, term, 3000)

// Before each change the log holds 1..2 (also in the old copy), then 3..10 as one block and 11..12 as another.
const changes: readonly Change[] = [
  {
    title: 'an append',
    change: (store) => store.append([entries(13, 5)]),
    lastIndexes: [12, 17],
  },
  {
    title: 'an append of many blocks',
    change: (store) => store.append([big(13, 40)]),
    lastIndexes: [12, 52],
  },
  {
    title: 'cutting the end inside a block',
    change: (store) => store.truncateSuffix(6),
    lastIndexes: [12, 10, 5],
  },
  {
    title: 'cutting the end between blocks',
    change: (store) => store.truncateSuffix(11),
    lastIndexes: [12, 10],
  },
  {
    title: 'cutting hundreds of blocks off the end',
    prepare: (store) => store.append([big(13, 1100)]),
    change: (store) => store.truncateSuffix(6),
    lastIndexes: [1112, 600, 88, 10, 5],
  },
  {
    title: 'cutting the end and appending other entries',
    async change(store) {
      await store.truncateSuffix(6)
      await store.append([entries(6, 3, 2)])
    },
    lastIndexes: [12, 10, 5, 8],
  },
  {
    title: 'cutting everything off from the end',
    change: (store) => store.truncateSuffix(1),
    lastIndexes: [12, 0],
    firstIndexes: [1, 0],
    promisesNothing: true,
  },
  {
    title: 'removing the beginning up to inside a block',
    change: (store) => store.truncatePrefix(5),
    lastIndexes: [12],
    firstIndexes: [1, 6],
  },
  {
    title: 'removing the beginning up to a block',
    change: (store) => store.truncatePrefix(10),
    lastIndexes: [12],
    firstIndexes: [1, 11],
  },
  {
    title: 'removing hundreds of blocks',
    prepare: (store) => store.append([big(13, 1100)]),
    change: (store) => store.truncatePrefix(1000),
    lastIndexes: [1112],
    firstIndexes: [1, 1001],
  },
  {
    title: 'removing everything',
    change: (store) => store.truncatePrefix(40),
    lastIndexes: [12, 0],
    firstIndexes: [1, 0],
    promisesNothing: true,
  },
  {
    title: 'appending elsewhere after removing everything',
    prepare: (store) => store.truncatePrefix(12),
    change: (store) => store.append([entries(5000, 3)]),
    lastIndexes: [0, 5002],
    firstIndexes: [0, 5000],
    promisesNothing: true,
  },
  {
    title: 'saving term and vote',
    change: (store) => store.saveHardState({ term: 5, votedFor: { id: 'b', address: 'b:1' } }),
    lastIndexes: [12],
  },
  { title: 'setting a value', change: (store) => store.set('a', Buffer.of(2)), lastIndexes: [12] },
]

for (const boundaryDelayMs of [0, 1000])
  describe(`a crash at any step, boundaryDelayMs ${boundaryDelayMs}:`, () => {
    const options = { boundaryDelayMs, maxBlockBytes: SMALL_BLOCKS }

    test.each(changes)('$title leaves a store that opens', async (given) => {
      const { images, done } = await crashImages(given, options)
      expect(images.length).toBeGreaterThan(1)
      const firstIndexAfter = given.firstIndexes?.at(-1) ?? 1
      expect(await blocksBefore(images.at(-1)!, firstIndexAfter || Infinity)).toEqual([])
      const found: LogBounds[] = []
      const leftovers: number[] = []
      for (const image of images) {
        const store = await LevelStore.open(image, options)
        found.push(await store.bounds())
        await checkContents(store)
        const { firstIndex } = await store.bounds()
        await store.close()
        leftovers.push(...(await blocksBefore(image, firstIndex)))
      }
      expect(leftovers).toEqual([])
      for (const { firstIndex, lastIndex } of found) {
        expect(given.lastIndexes).toContain(lastIndex)
        expect(given.firstIndexes ?? [1]).toContain(firstIndex)
      }
      expect(found.at(-1)!.lastIndex).toBe(given.lastIndexes.at(-1))
      await done()
    })
  })

test.each(changes.filter((given) => !given.promisesNothing))(
  'a crash at any step of $title leaves no store that takes an old database for its own',
  async (given) => {
    const options = { boundaryDelayMs: 0, maxBlockBytes: SMALL_BLOCKS }
    const { images, old, done } = await crashImages(given, options)
    for (const image of images) {
      await rm(join(image, 'db'), { recursive: true })
      await cp(join(old, 'db'), join(image, 'db'), { recursive: true })
      await expect(LevelStore.open(image, options)).rejects.toMatchObject({
        code: 'RAFT_STORE_LOST_DATA',
      })
    }
    await done()
  },
)

test('a crash at any step of making a store leaves a directory in which one can be made', async () => {
  const directory = join(await temporaryDirectory(), 'a', 'b')
  const images = await temporaryDirectory()
  const steps: string[] = []
  const copying = watchedDisk(async (step) => {
    const image = join(images, `${steps.length}`)
    await cp(join(directory, '..', '..'), image, { recursive: true })
    steps.push(step)
  })
  await (await LevelStore.open(directory, { serverId: 'one' }, copying)).close()
  expect(steps).toEqual([
    'make directory',
    // The database, under another name until it is durable.
    'make directory',
    'open database elsewhere',
    'sync directory',
    'rename to db',
    'sync directory',
    'open database',
    'sync directory',
    // The boundary file: from here on the database must be there.
    'open boundary.new',
    'write boundary.new',
    'sync boundary.new',
    'rename to boundary',
    'sync directory',
    'open boundary',
    'write database',
    'sync directory',
    'write boundary',
    'sync boundary',
    'write boundary',
    'sync boundary',
  ])
  for (const [i] of steps.entries()) {
    const image = join(images, `${i}`, 'a', 'b')
    const store = await LevelStore.open(image, { serverId: 'one' })
    await store.append([entries(1, 2)])
    await store.close()
    const again = await LevelStore.open(image, { serverId: 'one' })
    expect(await again.bounds()).toEqual({ firstIndex: 1, lastIndex: 2 })
    await again.close()
    expect(await readdir(image)).toEqual(['boundary', 'db'])
  }
})

async function crashImages(
  { prepare, change }: Change,
  options: { boundaryDelayMs: number; maxBlockBytes: number },
): Promise<{ images: readonly string[]; old: string; done: () => Promise<void> }> {
  const directory = await temporaryDirectory()
  const elsewhere = await temporaryDirectory()
  const images: string[] = []
  let watching = false
  const copy = async () => {
    const image = join(elsewhere, `image-${images.length}`)
    await cp(directory, image, { recursive: true })
    images.push(image)
  }
  const disk = watchedDisk(async () => {
    if (watching) await copy()
  })
  const store = await LevelStore.open(directory, options, disk)
  await store.append([entries(1, 2)])
  await store.saveHardState({ term: 4 })
  await store.set('a', Buffer.of(1))
  const old = join(elsewhere, 'old')
  await cp(directory, old, { recursive: true })
  await store.append([entries(3, 8)])
  await store.append([entries(11, 2)])
  await prepare?.(store)
  watching = true
  await change(store)
  watching = false
  await copy()
  await store.close()
  return { images, old, done: () => rm(elsewhere, { recursive: true }) }
}

/** Every entry found says what it should; the store can be written to. */
async function checkContents(store: LevelStore): Promise<void> {
  const { firstIndex, lastIndex } = await store.bounds()
  const next = lastIndex + 1
  await store.append([entries(next, 1, 9)])
  const read = await store.read(firstIndex || next, next, { maxBytes: Infinity })
  const texts = contentsOf(read)
  expect(texts).toHaveLength(next - (firstIndex || next) + 1)
  for (const text of texts) expect(text).toMatch(/^(\d+)@(\d+) \2\/\1\//)
  const hardState = await store.loadHardState()
  expect([4, 5]).toContain(hardState?.term)
  expect(hardState?.votedFor?.id).toBe(hardState?.term === 5 ? 'b' : undefined)
  expect([1, 2]).toContain((await store.get('a'))?.[0])
}

/** The last indexes of the blocks that end before an index. */
async function blocksBefore(directory: string, index: number): Promise<readonly number[]> {
  const keys = await withLevel(directory, (level) =>
    level.keys({ gte: blockKey(0), lt: blockKey(Math.min(index, Number.MAX_SAFE_INTEGER)) }).all(),
  )
  return keys.map(lastIndexOfKey)
}
