import { rejectsWith } from '../rejection.ts'
import { sampleEntries } from '../sample-entries.ts'
import { append, assertHolds, NO_LIMIT } from './case.ts'
import type { LogStoreCase } from './case.ts'

const FIRST = 5
const held = sampleEntries(6, 1) // 5..10

/** Cases about truncation at both ends. */
export function truncateCases(test: LogStoreCase): void {
  suffixCases(test)
  prefixCases(test)
  bothEndsCases(test)
}

function suffixCases(test: LogStoreCase): void {
  for (const from of [10, 9, 7, 6])
    test(`removes the suffix from ${from} on out of 5..10`, async (store) => {
      await append(store, FIRST, held)
      await store.truncateSuffix(from)
      await assertHolds(store, FIRST, held.slice(0, from - FIRST))
      const other = sampleEntries(3, 2, 7)
      await append(store, from, other)
      await assertHolds(store, FIRST, [...held.slice(0, from - FIRST), ...other])
    })

  for (const from of [11, 12, 2 ** 33])
    test(`changes nothing when the suffix from ${from} on is removed out of 5..10`, async (store) => {
      await append(store, FIRST, held)
      await store.truncateSuffix(from)
      await assertHolds(store, FIRST, held)
    })

  for (const from of [5, 4, 1])
    test(`is empty when the suffix from ${from} on is removed out of 5..10`, async (store) => {
      await append(store, FIRST, held)
      await store.truncateSuffix(from)
      await assertHolds(store, FIRST, [])
      await append(store, 3, held)
      await assertHolds(store, 3, held)
    })
}

function prefixCases(test: LogStoreCase): void {
  for (const to of [5, 6, 8, 9])
    test(`removes the prefix up to ${to} out of 5..10`, async (store) => {
      await append(store, FIRST, held)
      await store.truncatePrefix(to)
      await assertHolds(store, to + 1, held.slice(to + 1 - FIRST))
      await append(store, 11, sampleEntries(2, 2))
      await assertHolds(store, to + 1, [...held.slice(to + 1 - FIRST), ...sampleEntries(2, 2)])
    })

  for (const to of [0, 1, 4])
    test(`changes nothing when the prefix up to ${to} is removed out of 5..10`, async (store) => {
      await append(store, FIRST, held)
      await store.truncatePrefix(to)
      await assertHolds(store, FIRST, held)
    })

  for (const [to, next] of [
    [10, 11],
    [10, 2],
    [10, 100],
    [11, 12],
    [2 ** 33, 11],
  ] as const)
    test(`is empty when the prefix up to ${to} is removed out of 5..10, and starts anew at ${next}`, async (store) => {
      await append(store, FIRST, held)
      await store.truncatePrefix(to)
      await assertHolds(store, FIRST, [])
      await rejectsWith(store.read(10, 10, NO_LIMIT), 'RAFT_LOG_NOT_FOUND')
      await append(store, next, held)
      await assertHolds(store, next, held)
    })
}

function bothEndsCases(test: LogStoreCase): void {
  test('truncates an empty store at both ends without complaint', async (store) => {
    await store.truncateSuffix(1)
    await store.truncatePrefix(10)
    await assertHolds(store, 1, [])
    await append(store, 4, held)
    await assertHolds(store, 4, held)
  })

  test('truncates both ends until one entry is left, then none', async (store) => {
    await append(store, FIRST, held)
    await store.truncatePrefix(6)
    await store.truncateSuffix(9)
    await store.truncatePrefix(7)
    await assertHolds(store, 8, held.slice(3, 4))
    await store.truncateSuffix(8)
    await assertHolds(store, 8, [])
  })

  test('does not bring back a removed suffix behind a shorter one', async (store) => {
    await append(store, FIRST, held)
    await store.truncateSuffix(6)
    await append(store, 6, sampleEntries(1, 2))
    await assertHolds(store, FIRST, [held[0]!, ...sampleEntries(1, 2)])
    await rejectsWith(store.read(7, 7, NO_LIMIT), 'RAFT_LOG_NOT_FOUND')
    await append(store, 7, sampleEntries(1, 3))
    await assertHolds(store, FIRST, [held[0]!, ...sampleEntries(1, 2), ...sampleEntries(1, 3)])
  })

  test('overwrites the same place again and again', async (store) => {
    await append(store, FIRST, held)
    for (let term = 2; term < 12; term++) {
      await store.truncateSuffix(7)
      await append(store, 7, sampleEntries(term, term, term))
      await assertHolds(store, FIRST, [...held.slice(0, 2), ...sampleEntries(term, term, term)])
    }
  })
}
