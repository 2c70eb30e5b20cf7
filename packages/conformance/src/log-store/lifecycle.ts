import type { Index, LogStore } from '@raftkit/interface'
import { rejectsWith } from '../rejection.ts'
import { batchOf, sampleEntries } from '../sample-entries.ts'
import { append, assertHolds, NO_LIMIT } from './case.ts'
import type { LogStoreCase } from './case.ts'

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
}

/** Cases for stores whose data outlives them. */
export function reopenCases(test: LogStoreCase): void {
  test('finds everything when reopened', async (store, bench) => {
    await append(store, 2 ** 32 - 3, held)
    const again = await bench.reopen(store)
    await assertHolds(again, 2 ** 32 - 3, held)
    await append(again, 2 ** 32 + 3, sampleEntries(2, 2))
    await assertHolds(again, 2 ** 32 - 3, [...held, ...sampleEntries(2, 2)])
    await assertClosed(store)
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

/** Cases for stores whose changes survive a crash once their promise resolved. */
export function durableCases(test: LogStoreCase): void {
  test('has every acknowledged change after a crash', async (store, bench) => {
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
  })
}

/** One damaged entry must be found out, at the latest when it is read. */
export function corruptionCases(
  test: LogStoreCase,
  hooks: { corrupt?(store: LogStore, index: Index): Promise<void> },
): void {
  test('finds a damaged entry out', async (store, bench) => {
    await append(store, 1, held)
    await store.close()
    await hooks.corrupt?.(store, 4)
    const reading = (async () => {
      const again = await bench.reopen(store)
      await again.read(1, 6, NO_LIMIT)
    })()
    await rejectsWith(reading, 'RAFT_STORE_CORRUPT')
  })
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
