import assert from 'node:assert/strict'
import type { HardState, StableStore } from '@raftkit/interface'
import { assertHonest } from './manifest.ts'
import type { StoreManifest } from './manifest.ts'
import { rejectsWith } from './rejection.ts'
import type { Runner } from './runner.ts'
import { assertSameBytes, sampleBytes } from './sample-bytes.ts'
import { onWorkbench } from './store-bench.ts'
import type { StoreHooks, Workbench } from './store-bench.ts'

/** What {@link testStableStore} needs. */
export interface StableStoreSuite<S extends StableStore> extends StoreHooks<S> {
  readonly runner: Runner
  /** The implementation, as the tests are to call it. */
  readonly name: string
  readonly supports: StoreManifest
  /**
   * Damages the stored term and vote; the store is closed, and reopened afterwards. Given if and only if the
   * manifest says `checksums`; needs `reopen`.
   */
  corrupt?(store: S): Promise<void>
}

type StableStoreCase = (
  title: string,
  body: (store: StableStore, bench: Workbench<StableStore>) => Promise<void>,
) => void

const MAX_VALUE_BYTES = 64 * 1024
const vote: HardState = { term: 7, votedFor: { id: 'server-1', address: '10.0.0.1:7000' } }

/** Registers what every StableStore must do. */
export function testStableStore<S extends StableStore>(suite: StableStoreSuite<S>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a StableStore`, () => {
    runner.it('supports what its manifest says', async () => assertHonest(supports, suite))
    const test: StableStoreCase = (title, body) =>
      runner.it(title, () => onWorkbench<StableStore>(suite, (store) => store.close(), body))
    hardStateCases(test)
    valueCases(test)
    closeCases(test)
    if (supports.reopen) reopenCases(test)
    if (supports.durable) durableCases(test)
    if (supports.checksums) corruptionCases(test, suite)
  })
}

function hardStateCases(test: StableStoreCase): void {
  test('has no hard state at first', async (store) => {
    assert.equal(await store.loadHardState(), undefined)
  })

  for (const state of [
    { term: 0 },
    { term: 1 },
    vote,
    { term: 2 ** 32 + 1, votedFor: { id: 'größer 服务器', address: '' } },
    { term: Number.MAX_SAFE_INTEGER, votedFor: { id: 'x'.repeat(300), address: '[::1]:1' } },
  ])
    test(`keeps term ${state.term} ${state.votedFor ? 'with' : 'without'} a vote`, async (store) => {
      await store.saveHardState(state)
      await assertHardState(store, state)
    })

  test('replaces term and vote together', async (store) => {
    await store.saveHardState(vote)
    await store.saveHardState({ term: 8 })
    await assertHardState(store, { term: 8 })
    await store.saveHardState({ term: 8, votedFor: { id: 'b', address: 'b:1' } })
    await assertHardState(store, { term: 8, votedFor: { id: 'b', address: 'b:1' } })
  })

  test('gives out a hard state that later saves do not change', async (store) => {
    await store.saveHardState(vote)
    const loaded = await store.loadHardState()
    await store.saveHardState({ term: 9 })
    assert.equal(loaded?.term, 7)
    assert.equal(loaded.votedFor?.id, 'server-1')
  })
}

function valueCases(test: StableStoreCase): void {
  test('has no value at first', async (store) => {
    assert.equal(await store.get('anything'), undefined)
  })

  for (const size of [0, 1, 1000, MAX_VALUE_BYTES])
    test(`keeps a value of ${size} bytes`, async (store) => {
      await store.set('key', sampleBytes(size))
      await assertValue(store, 'key', sampleBytes(size))
    })

  test('refuses a value above 64 KiB and keeps the one before', async (store) => {
    await store.set('key', sampleBytes(10))
    await rejectsWith(
      store.set('key', sampleBytes(MAX_VALUE_BYTES + 1)),
      'RAFT_LIMIT_EXCEEDED',
      'RAFT_INVALID_ARGUMENT',
    )
    await assertValue(store, 'key', sampleBytes(10))
  })

  test('tells keys apart, whatever they look like', async (store) => {
    const keys = [
      'a',
      'A',
      'ab',
      'a/b',
      'a\u0000b',
      '../a',
      'ключ',
      'term',
      'CurrentTerm',
      '\uffff',
      '',
    ]
    await store.saveHardState(vote)
    for (const [i, key] of keys.entries()) await store.set(key, sampleBytes(8, i + 1))
    for (const [i, key] of keys.entries()) await assertValue(store, key, sampleBytes(8, i + 1))
    assert.equal(await store.get('b'), undefined)
    await assertHardState(store, vote)
  })

  test('replaces a value by a shorter one', async (store) => {
    await store.set('key', sampleBytes(100))
    await store.set('key', sampleBytes(3, 2))
    await assertValue(store, 'key', sampleBytes(3, 2))
  })

  test('shares no memory with what it was given or gives out', async (store) => {
    const value = sampleBytes(20)
    await store.set('key', value)
    value.fill(0)
    await assertValue(store, 'key', sampleBytes(20))
    const got = await store.get('key')
    got?.fill(0)
    await assertValue(store, 'key', sampleBytes(20))
  })
}

function closeCases(test: StableStoreCase): void {
  test('closes twice, one after the other and at once', async (store) => {
    await store.saveHardState(vote)
    await Promise.all([store.close(), store.close()])
    await store.close()
  })

  test('refuses every call after close, and never says "nothing saved"', async (store) => {
    await store.saveHardState(vote)
    await store.close()
    await assertClosed(store)
  })
}

function reopenCases(test: StableStoreCase): void {
  test('finds everything when reopened', async (store, bench) => {
    await store.saveHardState(vote)
    await store.set('key', sampleBytes(50))
    const again = await bench.reopen(store)
    await assertHardState(again, vote)
    await assertValue(again, 'key', sampleBytes(50))
    await again.saveHardState({ term: 8 })
    await assertHardState(await bench.reopen(again), { term: 8 })
    await assertClosed(store)
  })

  test('has no hard state when reopened without one', async (store, bench) => {
    await store.set('key', sampleBytes(5))
    assert.equal(await (await bench.reopen(store)).loadHardState(), undefined)
  })

  test('waits in close for the save that is under way', async (store, bench) => {
    const saving = store.saveHardState(vote)
    await Promise.all([saving, store.close()])
    await assertHardState(await bench.reopen(store), vote)
  })
}

function durableCases(test: StableStoreCase): void {
  test('has every acknowledged change after a crash', async (store, bench) => {
    await store.saveHardState(vote)
    await assertHardState(await bench.crash(store), vote)
    await store.saveHardState({ term: 8 })
    await store.set('key', sampleBytes(9))
    const after = await bench.crash(store)
    await assertHardState(after, { term: 8 })
    await assertValue(after, 'key', sampleBytes(9))
  })
}

function corruptionCases(
  test: StableStoreCase,
  hooks: { corrupt?(store: StableStore): Promise<void> },
): void {
  test('finds a damaged term or vote out', async (store, bench) => {
    await store.saveHardState(vote)
    await store.close()
    await hooks.corrupt?.(store)
    const loading = (async () => (await bench.reopen(store)).loadHardState())()
    await rejectsWith(loading, 'RAFT_STORE_CORRUPT')
  })
}

async function assertHardState(store: StableStore, expected: HardState): Promise<void> {
  const actual = await store.loadHardState()
  assert.ok(actual, `term ${expected.term} was saved, nothing was loaded`)
  assert.equal(actual.term, expected.term)
  assert.equal(actual.votedFor?.id, expected.votedFor?.id)
  assert.equal(actual.votedFor?.address, expected.votedFor?.address)
}

async function assertValue(store: StableStore, key: string, value: Uint8Array): Promise<void> {
  const actual = await store.get(key)
  assert.ok(actual, `'${key}' was set, nothing was got`)
  assertSameBytes(actual, value, `value of '${key}'`)
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
