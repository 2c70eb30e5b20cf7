import { testLogStore, testStableStore } from '@raftkit/conformance'
import { EntryBatch, RaftError } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { InmemStore } from '../src/index.ts'

const suite = {
  runner: { describe, it },
  name: 'InmemStore',
  supports: {
    reopen: true,
    durable: false,
    checksums: false,
    tornWrites: false,
    commitIndex: true,
  },
  open: async () => new InmemStore(),
  reopen: async (store: InmemStore) => store.reopen(),
}

testLogStore(suite)
testStableStore(suite)

function oneEntry(index: number): EntryBatch {
  return new EntryBatch(index, Uint8Array.of(1, 2), [0, 2], [1], [0])
}

describe('InmemStore', () => {
  it('keeps its own copy of an appended batch', async () => {
    const store = new InmemStore()
    const batch = oneEntry(1)
    await store.append([batch])
    batch.bytes.fill(9)
    expect([...(await store.read(1, 1, { maxBytes: 9 })).view]).toEqual([1, 2])
  })

  it('keeps its own copy of the vote', async () => {
    const store = new InmemStore()
    const votedFor = { id: 'a', address: 'a:1' }
    await store.saveHardState({ term: 1, votedFor })
    votedFor.id = 'b'
    expect(await store.loadHardState()).toEqual({ term: 1, votedFor: { id: 'a', address: 'a:1' } })
  })

  it('refuses what the former owner does after reopen', async () => {
    const before = new InmemStore()
    await before.append([oneEntry(1)])
    const after = before.reopen()
    await expect(before.append([oneEntry(2)])).rejects.toMatchObject({ code: 'RAFT_STORE_CLOSED' })
    expect(await after.bounds()).toEqual({ firstIndex: 1, lastIndex: 1 })
  })

  it.each([0, -1, 2 ** 53])('refuses an entry at index %d', async (index) => {
    const store = new InmemStore()
    await expect(store.append([oneEntry(index)])).rejects.toMatchObject({
      code: 'RAFT_INVALID_ARGUMENT',
    })
    expect(await store.bounds()).toEqual({ firstIndex: 0, lastIndex: 0 })
  })

  it('refuses to read a range that ends before it starts', async () => {
    const store = new InmemStore()
    await store.append([oneEntry(1)])
    const error = await store.read(1, 0, { maxBytes: 9 }).catch((thrown: unknown) => thrown)
    expect(RaftError.is(error, 'RAFT_INVALID_ARGUMENT')).toBe(true)
  })

  it('is closed at the end of an await using block', async () => {
    let store: InmemStore
    {
      await using inner = new InmemStore()
      store = inner
      await store.bounds()
    }
    await expect(store.bounds()).rejects.toMatchObject({ code: 'RAFT_STORE_CLOSED' })
  })
})
