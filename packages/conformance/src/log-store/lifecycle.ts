import assert from 'node:assert/strict'
import type { Index, LogStore } from '@raftkit/interface'
import { watched } from '../occasion.ts'
import { rejectsWith } from '../rejection.ts'
import { sampleBytes } from '../sample-bytes.ts'
import { batchOf, sampleEntries } from '../sample-entries.ts'
import type { Workbench } from '../store-bench.ts'
import { TORN_ENDS } from '../torn-end.ts'
import type { TornEnd } from '../torn-end.ts'
import { append, assertHolds, assertReads, NO_LIMIT } from './case.ts'
import type { LogStoreCase } from './case.ts'
import { contentOf, describeContent, isSameContent } from './content.ts'

const held = sampleEntries(6, 1)

/** Cases about closing. */
export function closeCases(test: LogStoreCase): void {
  test('closes twice, one after the other and at once', async (store) => {
    await append(store, 1, held)
    await Promise.all([store.close(), store.close()])
    await store.close()
  })

  test('refuses every call after close', async (store) => {
    await append(store, 1, held)
    await store.close()
    await assertClosed(store)
  })

  test('settles the append and the reads that are under way when closed', async (store) => {
    await append(store, 1, held)
    const reading = [1, 2, 3].map((from) =>
      watched(assertReads(store, from, 6, held.slice(from - 1))),
    )
    const appending = watched(append(store, 7, sampleEntries(300, 2)))
    await store.close()
    for (const call of [...reading, appending])
      await call.catch((error: unknown) => rejectsWith(Promise.reject(error), 'RAFT_STORE_CLOSED'))
    await assertClosed(store)
  })
}

/** Cases for stores whose data outlives them. */
export function reopenCases(test: LogStoreCase): void {
  test('finds everything when reopened', findsEverything)

  for (const first of [2 ** 53 - 6, 2 ** 33, 1])
    test(`finds the entries from ${first} on when reopened, again and again`, async (store, bench) => {
      const entries = sampleEntries(4, Number.MAX_SAFE_INTEGER, 3)
      await append(store, first, entries.slice(0, 3))
      const again = await bench.reopen(store)
      await assertHolds(again, first, entries.slice(0, 3))
      await append(again, first + 3, entries.slice(3))
      const third = await bench.reopen(await bench.reopen(again))
      await assertHolds(third, first, entries)
      await third.truncatePrefix(first)
      await third.truncateSuffix(first + 3)
      await assertHolds(await bench.reopen(third), first + 1, entries.slice(1, 3))
    })

  test('finds nothing when reopened empty', async (store, bench) => {
    await assertHolds(await bench.reopen(store), 1, [])
  })

  test('waits in close for the append that is under way', async (store, bench) => {
    const appending = append(store, 1, held)
    await Promise.all([appending, store.close()])
    await assertHolds(await bench.reopen(store), 1, held)
  })

  test('finds the log as truncated when reopened', async (store, bench) => {
    await append(store, 5, held)
    await store.truncatePrefix(6)
    await store.truncateSuffix(9)
    await append(store, 9, sampleEntries(1, 2))
    const again = await bench.reopen(store)
    await assertHolds(again, 7, [held[2]!, held[3]!, ...sampleEntries(1, 2)])
    await again.truncatePrefix(20)
    await assertHolds(await bench.reopen(again), 1, [])
  })

  test('starts anywhere when reopened after everything was truncated', async (store, bench) => {
    await append(store, 5, held)
    await store.truncatePrefix(10)
    const again = await bench.reopen(store)
    await append(again, 2, held)
    const third = await bench.reopen(again)
    await assertHolds(third, 2, held)
    await third.truncateSuffix(2)
    const fourth = await bench.reopen(third)
    await append(fourth, 1000, held)
    await assertHolds(await bench.reopen(fourth), 1000, held)
  })
}

/** The proof of `reopen`. */
export async function findsEverything(store: LogStore, bench: Workbench<LogStore>): Promise<void> {
  await append(store, 2 ** 32 - 3, held)
  const again = await bench.reopen(store)
  await assertHolds(again, 2 ** 32 - 3, held)
  await append(again, 2 ** 32 + 3, sampleEntries(2, 2))
  await assertHolds(again, 2 ** 32 - 3, [...held, ...sampleEntries(2, 2)])
  await assertClosed(store)
}

/** Cases for stores whose changes survive a crash once their promise resolved. */
export function durableCases(test: LogStoreCase): void {
  test('has every acknowledged change after a crash', survivesCrash)
}

/** The proof of `durable`. */
export async function survivesCrash(store: LogStore, bench: Workbench<LogStore>): Promise<void> {
  await append(store, 5, held)
  await assertHolds(await bench.crash(store), 5, held)
  await store.truncateSuffix(9)
  await assertHolds(await bench.crash(store), 5, held.slice(0, 4))
  await append(store, 9, sampleEntries(3, 2))
  const overwritten = [...held.slice(0, 4), ...sampleEntries(3, 2)]
  await assertHolds(await bench.crash(store), 5, overwritten)
  await store.truncatePrefix(7)
  await assertHolds(await bench.crash(store), 8, overwritten.slice(3))
  await store.truncatePrefix(100)
  await assertHolds(await bench.crash(store), 1, [])
}

/** Ways to damage a log, of a suite's options. */
export interface LogDamage {
  corrupt?(store: LogStore, index: Index): Promise<void>
  tear?(store: LogStore, end: TornEnd): Promise<void>
}

/** One damaged entry must be found out, at the latest when it is read. */
export function corruptionCases(test: LogStoreCase, hooks: LogDamage): void {
  for (const index of [1, 4, 6])
    test(`finds entry ${index} of six out when it is damaged`, (store, bench) =>
      findsDamageOut(store, bench, hooks, index))
}

/** The proof of `checksums`. */
export async function findsDamageOut(
  store: LogStore,
  bench: Workbench<LogStore>,
  hooks: LogDamage,
  index: Index,
): Promise<void> {
  for (const [i, entry] of held.entries()) await append(store, 1 + i, [entry])
  await store.close()
  await hooks.corrupt?.(store, index)
  const reading = (async () => {
    const again = await bench.reopen(store)
    await again.read(1, 6, NO_LIMIT)
  })()
  await rejectsWith(reading, 'RAFT_STORE_CORRUPT')
}

/** Cases for stores that notice a write of which only a part reached the disk. */
export function tornCases(test: LogStoreCase, hooks: LogDamage): void {
  for (const end of TORN_ENDS)
    test(`opens with a prefix or not at all when its last ${end.bytes} bytes are ${WORDS[end.how]}`, (store, bench) =>
      bearsTornEnd(store, bench, hooks, end))
}

const WORDS = { cut: 'cut off', zeros: 'zeros' } as const

/** The proof of `tornWrites`, one of them. */
export async function bearsTornEnd(
  store: LogStore,
  bench: Workbench<LogStore>,
  hooks: LogDamage,
  end: TornEnd,
): Promise<void> {
  const last = held.map((entry, i) => ({ ...entry, bytes: sampleBytes(500, i) }))
  await append(store, 5, held)
  await append(store, 11, held)
  await append(store, 17, last)
  await store.close()
  await hooks.tear?.(store, end)
  const opening = (async () => contentOf(await bench.reopen(store)))()
  const found = await opening.catch(async () => {
    await rejectsWith(opening)
    return undefined
  })
  if (!found) return
  const entries = [...held, ...held, ...last].slice(0, found.entries.length)
  assert.ok(
    found.entries.length >= 12 && isSameContent(found, { firstIndex: 5, entries }),
    `5..22 were written and the last write was torn; found was ${describeContent(found)}, or other entries`,
  )
}

async function assertClosed(store: LogStore): Promise<void> {
  for (const call of [
    () => store.bounds(),
    () => store.read(1, 1, NO_LIMIT),
    () => store.append([batchOf(7, sampleEntries(1, 1))]),
    () => store.truncateSuffix(3),
    () => store.truncatePrefix(3),
  ])
    await rejectsWith(call(), 'RAFT_STORE_CLOSED')
}
