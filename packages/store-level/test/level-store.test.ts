import { setImmediate } from 'node:timers/promises'
import type { EntryBatch, RaftError } from '@raftkit/interface'
import { LevelStore } from '@raftkit/store-level'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentsOf, entries } from './entries.ts'
import { rejectionOf } from './refusal.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const ALL = { maxBytes: Infinity }

/** What a log must do, the slow way. */
class PlainLog {
  firstIndex = 0
  texts: string[] = []

  get lastIndex(): number {
    return this.texts.length === 0 ? 0 : this.firstIndex + this.texts.length - 1
  }

  append(first: number, texts: readonly string[]): void {
    if (this.texts.length === 0) this.firstIndex = first
    this.texts.push(...texts)
  }

  truncateSuffix(from: number): void {
    this.texts.length = Math.min(this.texts.length, Math.max(0, from - this.firstIndex))
    if (this.texts.length === 0) this.firstIndex = 0
  }

  truncatePrefix(to: number): void {
    const removed = Math.max(0, Math.min(this.texts.length, to - this.firstIndex + 1))
    this.texts.splice(0, removed)
    this.firstIndex = this.texts.length === 0 ? 0 : this.firstIndex + removed
  }
}

type Step =
  | { readonly kind: 'append'; readonly counts: readonly number[]; readonly size: number }
  | { readonly kind: 'suffix' | 'prefix'; readonly at: number }
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'reopen' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      counts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
      size: fc.constantFrom(20, 900, 5000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('suffix' as const, 'prefix' as const),
      at: fc.double({ min: -0.2, max: 1.2, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      to: fc.constantFrom(1, 3, 500, 2 ** 31 - 5, 2 ** 32 - 5, 2 ** 53 - 2000),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'reopen' as const }) },
)

test('does what a plain list does, whatever the order of changes and openings', async () => {
  const property = fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.constantFrom(0, 10),
      async (steps, boundaryDelayMs) => {
        const directory = await temporaryDirectory()
        const options = { boundaryDelayMs, maxBlockBytes: 4096 }
        const plain = new PlainLog()
        let store = await LevelStore.open(directory, options)
        let term = 1
        let next = 1
        for (const given of steps) {
          const { firstIndex, lastIndex } = plain
          if (given.kind === 'append') {
            const batches = given.counts.map((count) => {
              const batch = entries(next, count, term++, given.size)
              next += count
              plain.append(batch.firstIndex, contentsOf(batch))
              return batch
            })
            await store.append(batches)
          } else if (given.kind === 'reopen') {
            await store.close()
            store = await LevelStore.open(directory, options)
          } else if (given.kind === 'jump') {
            await store.truncatePrefix(Number.MAX_SAFE_INTEGER)
            plain.truncatePrefix(Number.MAX_SAFE_INTEGER)
            next = given.to
          } else {
            const at = Math.floor(firstIndex + given.at * (lastIndex - firstIndex))
            if (given.kind === 'suffix') {
              await store.truncateSuffix(at)
              plain.truncateSuffix(at)
              if (plain.lastIndex > 0) next = plain.lastIndex + 1
            } else {
              await store.truncatePrefix(at)
              plain.truncatePrefix(at)
            }
          }
          const { texts } = plain
          expect(await foundIn(store)).toEqual({
            firstIndex: plain.firstIndex,
            lastIndex: plain.lastIndex,
            texts,
          })
        }
        await store.close()
      },
    ),
    { numRuns: 60 },
  )
  await expect(property).resolves.toBeUndefined()
})

async function foundIn(store: LevelStore) {
  const bounds = await store.bounds()
  const { firstIndex, lastIndex } = bounds
  const texts = lastIndex === 0 ? [] : contentsOf(await store.read(firstIndex, lastIndex, ALL))
  return { ...bounds, texts }
}

test('a read gives as many entries as fit, at least one', async () => {
  await using store = await LevelStore.open(await temporaryDirectory())
  await store.append([entries(1, 3, 1, 100)])
  await store.append([entries(4, 1, 1, 100)])
  await store.append([entries(5, 20, 1, 100)])
  for (const [maxBytes, count] of [
    [0, 1],
    [99, 1],
    [100, 1],
    [199, 1],
    [200, 2],
    [300, 3],
    [400, 4],
    [450, 4],
    [700, 7],
    [2300, 23],
    [9999, 23],
  ] as const)
    expect((await store.read(2, 24, { maxBytes })).count).toBe(count)
  expect(contentsOf(await store.read(4, 4, ALL))).toEqual(contentsOf(entries(4, 1, 1, 100)))
})

test('a read of one block shares its buffer, a read of several copies once', async () => {
  await using store = await LevelStore.open(await temporaryDirectory())
  await store.append([entries(1, 3)])
  await store.append([entries(4, 3)])
  expect((await store.read(2, 3, ALL)).offsets[0]).toBeGreaterThan(0)
  expect((await store.read(2, 5, ALL)).bytes.length).toBe(4 * 20)
})

test('reads while it appends, and never gives half of a batch', async () => {
  await using store = await LevelStore.open(await temporaryDirectory())
  const appending = (async () => {
    for (let first = 1; first < 1000; first += 10) await store.append([entries(first, 10)])
  })()
  const unlike: string[] = []
  for (let lastIndex = 0; lastIndex < 1000; { lastIndex } = await store.bounds()) {
    await setImmediate()
    if (lastIndex === 0) continue
    const from = Math.max(1, lastIndex - 25)
    const found = contentsOf(await store.read(from, lastIndex, ALL)).join()
    if (found !== contentsOf(entries(from, lastIndex - from + 1)).join()) unlike.push(found)
    if (lastIndex % 10 !== 0) unlike.push(`ends at ${lastIndex}`)
  }
  await appending
  expect(unlike).toEqual([])
})

test('reads that overlap truncation give what was there, or say that it is not', async () => {
  await using store = await LevelStore.open(await temporaryDirectory())
  const outcomes = new Set<string>()
  for (let round = 0; round < 20; round++) {
    const { lastIndex } = await store.bounds()
    await store.append([entries(lastIndex + 1, 5), entries(lastIndex + 6, 5)])
    const changing = [store.truncatePrefix(lastIndex + 3), store.truncateSuffix(lastIndex + 8)]
    const all = Promise.all(changing)
    let isDone = false
    void all.then(() => (isDone = true))
    for (let i = 0; !isDone; i++) {
      const from = lastIndex + 1 + (i % 10)
      outcomes.add(await outcomeOf(store.read(from, lastIndex + 10, ALL), from))
      await setImmediate()
    }
    await all
    const removed = store.read(lastIndex + 3, lastIndex + 10, ALL)
    outcomes.add(await outcomeOf(removed, lastIndex + 3))
  }
  expect(outcomes).toEqual(new Set(['as written', 'RAFT_LOG_NOT_FOUND']))
})

async function outcomeOf(reading: Promise<EntryBatch>, from: number): Promise<string> {
  try {
    const read = await reading
    const expected = contentsOf(entries(from, read.count))
    return contentsOf(read).join() === expected.join() ? 'as written' : 'otherwise'
  } catch (error) {
    return (error as RaftError).code
  }
}

test('changes asked for at once are made one after the other', async () => {
  const directory = await temporaryDirectory()
  const store = await LevelStore.open(directory)
  const results = await Promise.allSettled([
    store.append([entries(1, 5)]),
    store.saveHardState({ term: 3 }),
    store.append([entries(6, 5)]),
    store.append([entries(20, 5)]),
    store.truncateSuffix(8),
    store.set('a', Buffer.of(1)),
    store.append([entries(8, 1)]),
    store.close(),
  ])
  expect(results.map(({ status }) => status === 'fulfilled')).toEqual([
    true,
    true,
    true,
    false,
    true,
    true,
    true,
    true,
  ])
  await using again = await LevelStore.open(directory)
  expect(await again.bounds()).toEqual({ firstIndex: 1, lastIndex: 8 })
})

test('a term never goes back', async () => {
  const directory = await temporaryDirectory()
  const store = await LevelStore.open(directory)
  await store.saveHardState({ term: 5, votedFor: { id: 'a', address: 'a:1' } })
  expect((await rejectionOf(store.saveHardState({ term: 4 }))).code).toBe('RAFT_INVARIANT_VIOLATED')
  expect(await store.loadHardState()).toEqual({ term: 5, votedFor: { id: 'a', address: 'a:1' } })
  await store.saveHardState({ term: 5, votedFor: { id: 'b', address: 'b:1' } })
  await store.close()
  await using again = await LevelStore.open(directory)
  expect((await rejectionOf(again.saveHardState({ term: 4 }))).code).toBe('RAFT_INVARIANT_VIOLATED')
  expect((await again.loadHardState())?.votedFor?.id).toBe('b')
})

test('a value that was replaced is the new one after opening again', async () => {
  const directory = await temporaryDirectory()
  const store = await LevelStore.open(directory)
  for (const byte of [1, 2, 3]) await store.set('a', Buffer.of(byte))
  await store.close()
  await using again = await LevelStore.open(directory)
  expect((await again.get('a'))?.[0]).toBe(3)
})

test('a value is copied when it is handed over', async () => {
  await using store = await LevelStore.open(await temporaryDirectory())
  const value = Buffer.of(1)
  const setting = store.set('a', value)
  value[0] = 2
  await setting
  expect((await store.get('a'))?.[0]).toBe(1)
})
