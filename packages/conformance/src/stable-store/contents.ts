import assert from 'node:assert/strict'
import type { HardState } from '@raftkit/interface'
import { nextTurn } from '../occasion.ts'
import { rejectsWith } from '../rejection.ts'
import { sampleBytes } from '../sample-bytes.ts'
import { assertHardState, assertValue, vote } from './case.ts'
import type { StableStoreCase } from './case.ts'

const MAX_VALUE_BYTES = 64 * 1024

/** Cases about term and vote. */
export function hardStateCases(test: StableStoreCase): void {
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

  test('loads term and vote as they were saved together while others are saved', async (store) => {
    const stateOf = (term: number): HardState =>
      term % 3 === 0 ? { term } : { term, votedFor: { id: `id ${term}`, address: `at ${term}` } }
    await store.saveHardState(stateOf(1))
    let done = false
    const saving = async (): Promise<void> => {
      try {
        for (let term = 2; term <= 60; term++) await store.saveHardState(stateOf(term))
      } finally {
        done = true
      }
    }
    const loading = async (): Promise<void> => {
      while (!done) {
        await nextTurn()
        const term = (await store.loadHardState())?.term ?? 0
        await Promise.all([store.get('nothing'), store.loadHardState().then(assertTogether)])
        assert.ok(term >= 1)
      }
    }
    const assertTogether = (state: HardState | undefined): void => {
      assert.ok(state)
      assert.equal(state.votedFor?.id, stateOf(state.term).votedFor?.id)
      assert.equal(state.votedFor?.address, stateOf(state.term).votedFor?.address)
    }
    await Promise.all([saving(), loading()])
    await assertHardState(store, stateOf(60))
  })

  test('gives out a hard state that later saves do not change', async (store) => {
    await store.saveHardState(vote)
    const loaded = await store.loadHardState()
    await store.saveHardState({ term: 9 })
    assert.equal(loaded?.term, 7)
    assert.equal(loaded.votedFor?.id, 'server-1')
  })
}

/** Cases about values by name. */
export function valueCases(test: StableStoreCase): void {
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

  test('keeps hundreds of values', async (store) => {
    for (let i = 0; i < 300; i++) await store.set(`key ${i}`, sampleBytes(i, i))
    for (let i = 0; i < 300; i++) await assertValue(store, `key ${i}`, sampleBytes(i, i))
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
