import assert from 'node:assert/strict'
import type { StableStore } from '@raftkit/interface'
import { watched } from '../occasion.ts'
import { rejectsWith } from '../rejection.ts'
import { assertSameBytes, sampleBytes } from '../sample-bytes.ts'
import type { Workbench } from '../store-bench.ts'
import { TORN_ENDS } from '../torn-end.ts'
import type { TornEnd } from '../torn-end.ts'
import { assertHardState, assertValue, vote } from './case.ts'
import type { StableStoreCase } from './case.ts'

/** Cases about closing. */
export function closeCases(test: StableStoreCase): void {
  test('closes twice, one after the other and at once', async (store) => {
    await store.saveHardState(vote)
    await Promise.all([store.close(), store.close()])
    await store.close()
  })

  test('settles the save and the loads that are under way when closed', async (store) => {
    await store.saveHardState({ term: 1 })
    const saving = store.saveHardState(vote)
    const calls = [store.loadHardState(), store.get('key'), saving].map((call) =>
      watched<unknown>(call),
    )
    await store.close()
    for (const call of calls)
      await call.catch((error: unknown) => rejectsWith(Promise.reject(error), 'RAFT_STORE_CLOSED'))
    await assertClosed(store)
  })

  test('refuses every call after close, and never says "nothing saved"', async (store) => {
    await store.saveHardState(vote)
    await store.close()
    await assertClosed(store)
  })
}

/** Cases for stores whose data outlives them. */
export function reopenCases(test: StableStoreCase): void {
  test('finds everything when reopened', findsEverything)

  test('has no hard state when reopened without one', async (store, bench) => {
    await store.set('key', sampleBytes(5))
    assert.equal(await (await bench.reopen(store)).loadHardState(), undefined)
  })

  test('waits in close for the save that is under way', async (store, bench) => {
    const saving = store.saveHardState(vote)
    await Promise.all([saving, store.close()])
    await assertHardState(await bench.reopen(store), vote)
  })

  test('finds the largest term, and what has no bytes, when reopened', async (store, bench) => {
    const largest = { term: Number.MAX_SAFE_INTEGER, votedFor: { id: 'größer', address: '' } }
    await store.saveHardState(largest)
    await store.set('', sampleBytes(0))
    const again = await bench.reopen(await bench.reopen(store))
    await assertHardState(again, largest)
    await assertValue(again, '', sampleBytes(0))
  })
}

/** The proof of `reopen`. */
export async function findsEverything(
  store: StableStore,
  bench: Workbench<StableStore>,
): Promise<void> {
  await store.saveHardState(vote)
  await store.set('key', sampleBytes(50))
  const again = await bench.reopen(store)
  await assertHardState(again, vote)
  await assertValue(again, 'key', sampleBytes(50))
  await again.saveHardState({ term: 8 })
  await assertHardState(await bench.reopen(again), { term: 8 })
  await assertClosed(store)
}

/** Cases for stores whose changes survive a crash once their promise resolved. */
export function durableCases(test: StableStoreCase): void {
  test('has every acknowledged change after a crash', survivesCrash)
}

/** The proof of `durable`. */
export async function survivesCrash(
  store: StableStore,
  bench: Workbench<StableStore>,
): Promise<void> {
  await store.saveHardState(vote)
  await assertHardState(await bench.crash(store), vote)
  await store.saveHardState({ term: 8 })
  await store.set('key', sampleBytes(9))
  const after = await bench.crash(store)
  await assertHardState(after, { term: 8 })
  await assertValue(after, 'key', sampleBytes(9))
}

/** Ways to damage a store, of a suite's options. */
export interface StableDamage {
  corrupt?(store: StableStore): Promise<void>
  tear?(store: StableStore, end: TornEnd): Promise<void>
}

/** A damaged term or vote must be found out. */
export function corruptionCases(test: StableStoreCase, hooks: StableDamage): void {
  test('finds a damaged term or vote out', (store, bench) => findsDamageOut(store, bench, hooks))
}

/** The proof of `checksums`. */
export async function findsDamageOut(
  store: StableStore,
  bench: Workbench<StableStore>,
  hooks: StableDamage,
): Promise<void> {
  await store.saveHardState(vote)
  await store.close()
  await hooks.corrupt?.(store)
  const loading = (async () => (await bench.reopen(store)).loadHardState())()
  await rejectsWith(loading, 'RAFT_STORE_CORRUPT')
}

/** Cases for stores that notice a write of which only a part reached the disk. */
export function tornCases(test: StableStoreCase, hooks: StableDamage): void {
  for (const end of TORN_ENDS)
    test(`has the term before or does not open when the last ${end.bytes} bytes are ${WORDS[end.how]}`, (store, bench) =>
      bearsTornEnd(store, bench, hooks, end))
}

const WORDS = { cut: 'cut off', zeros: 'zeros' } as const

/** The proof of `tornWrites`, one of them. */
export async function bearsTornEnd(
  store: StableStore,
  bench: Workbench<StableStore>,
  hooks: StableDamage,
  end: TornEnd,
): Promise<void> {
  const last = { term: 8, votedFor: { id: 'x'.repeat(400), address: 'y'.repeat(400) } }
  await store.set('key', sampleBytes(900))
  await store.saveHardState(vote)
  await store.saveHardState(last)
  await store.close()
  await hooks.tear?.(store, end)
  const loading = (async () => {
    const again = await bench.reopen(store)
    return { state: await again.loadHardState(), value: await again.get('key') }
  })()
  const found = await loading.catch(async () => {
    await rejectsWith(loading)
    return undefined
  })
  if (!found) return
  const { state, value } = found
  assert.ok(value, 'a value that was written before is gone')
  assertSameBytes(value, sampleBytes(900), 'the value that was written before')
  assert.deepEqual(state?.term === 8 ? last : vote, { ...state })
}

async function assertClosed(store: StableStore): Promise<void> {
  for (const call of [
    () => store.loadHardState(),
    () => store.saveHardState({ term: 9 }),
    () => store.get('key'),
    () => store.set('key', sampleBytes(1)),
  ])
    await rejectsWith(call(), 'RAFT_STORE_CLOSED')
}
