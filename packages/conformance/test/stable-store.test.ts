import { testStableStore } from '@raftkit/conformance'
import type { Runner, StoreManifest } from '@raftkit/conformance'
import { describe, expect, it } from 'vitest'
import { runStableStep } from '../src/stable-store/killed.ts'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { killedInPlace } from './reference/killed-in-place.ts'
import { copyOf, emptyData, MapStore } from './reference/map-store.ts'

const everything: StoreManifest = {
  reopen: true,
  durable: true,
  checksums: true,
  tornWrites: true,
}

type Defect = (store: MapStore) => Partial<MapStore>

/** Registers the suite on the plain store, with a defect or without. */
function register(
  runner: Runner,
  defect: Defect = () => ({}),
  supports: StoreManifest = everything,
): void {
  const broken = (store: MapStore): MapStore => withMethods(store, defect(store))
  testStableStore({
    runner,
    name: 'MapStore',
    supports,
    open: async () => broken(new MapStore()),
    reopen: async (store) => {
      await store.close()
      return broken(new MapStore(store.data))
    },
    crash: async (store) => broken(new MapStore(copyOf(store.data))),
    kill: killedInPlace(broken, runStableStep),
    corrupt: async (store) => {
      store.data.corrupt = true
    },
    tear: async (store) => {
      store.data.hardState = { term: 8, votedFor: { id: 'x'.repeat(400), address: '' } }
      store.data.corrupt = true
    },
  })
}

describe('testStableStore', () => {
  register({ describe, it })

  it.each<readonly [defect: string, caughtBy: string, Defect]>([
    ['starts at term 0', 'has no hard state at first', termZero],
    ['keeps the vote of an earlier term', 'replaces term and vote together', stickyVote],
    ['forgets the address of the vote', 'with a vote', withoutAddress],
    ['uses 32 bits for terms', 'keeps term 4294967297', in32Bits],
    ['gives an empty value for a missing one', 'has no value at first', neverMissing],
    ['takes an empty value for a missing one', 'keeps a value of 0 bytes', emptyIsMissing],
    ['takes values of any size', 'refuses a value above 64 KiB', unlimited],
    ['ignores case', 'tells keys apart', caseless],
    ['gives out its own bytes', 'shares no memory', sharing],
    ['says "nothing saved" after close', 'refuses every call after close', emptyWhenClosed],
    ['loses the vote when reopened', 'finds everything when reopened', inMemoryVote],
    ['does not wait in close', 'waits in close for the save', hastyClose],
    ['acknowledges before it writes', 'has every acknowledged change after a crash', lazy],
    ['does not check', 'finds a damaged term or vote out', unchecked],
    ['takes a torn vote for whole', 'last 20 bytes are zeros', unchecked],
    ['starts anew when damaged', 'last 200 bytes are cut off', emptyWhenDamaged],
    ['fails with any error when damaged', 'last 20 bytes are cut off', untypedDamage],
    ['writes some time later', 'when its process is killed', writesLater],
    ['writes the vote after the term', 'when killed while voting', voteAfterTerm],
    ['loads a term with the vote before', 'while others are saved', voteAfterTerm],
    ['keeps only the latest values', 'keeps hundreds of values', fewValues],
    ['never settles a save', 'settles the save and the loads', hangsWhenClosed],
    ['forgets large terms', 'finds the largest term', forgetsLargeTerms],
  ])('finds a store out that %s', async (_defect, caughtBy, defect) => {
    const failed = await failuresOf((runner) => register(runner, defect), caughtBy)
    expect([...failed.keys()]).not.toEqual([])
  })

  it.each(['reopen', 'durable', 'checksums', 'tornWrites'] as const)(
    'refutes a manifest that denies %s when the store has it',
    async (flag) => {
      const denied = { ...everything, [flag]: false }
      if (flag === 'reopen') denied.durable = false
      const failed = await failuresOf((runner) => register(runner, () => ({}), denied), 'manifest')
      expect(String([...failed.values()][0])).toContain(`supports.${flag} is false, but that works`)
    },
  )
})

function termZero(store: MapStore): Partial<MapStore> {
  return { loadHardState: async () => (await store.loadHardState()) ?? { term: 0 } }
}

function stickyVote(store: MapStore): Partial<MapStore> {
  return {
    saveHardState: async (state) => {
      const votedFor = state.votedFor ?? store.data.hardState?.votedFor
      await store.saveHardState(votedFor ? { term: state.term, votedFor } : state)
    },
  }
}

function withoutAddress(store: MapStore): Partial<MapStore> {
  return {
    saveHardState: ({ term, votedFor }) =>
      store.saveHardState(
        votedFor ? { term, votedFor: { id: votedFor.id, address: '' } } : { term },
      ),
  }
}

function in32Bits(store: MapStore): Partial<MapStore> {
  return {
    saveHardState: (state) => store.saveHardState({ ...state, term: state.term >>> 0 }),
  }
}

function neverMissing(store: MapStore): Partial<MapStore> {
  return { get: async (key) => (await store.get(key)) ?? new Uint8Array(0) }
}

function emptyIsMissing(store: MapStore): Partial<MapStore> {
  return {
    get: async (key) => {
      const value = await store.get(key)
      return value?.length === 0 ? undefined : value
    },
  }
}

function unlimited(store: MapStore): Partial<MapStore> {
  return { set: async (key, value) => void store.data.values.set(key, value) }
}

function caseless(store: MapStore): Partial<MapStore> {
  return {
    get: (key) => store.get(key.toLowerCase()),
    set: (key, value) => store.set(key.toLowerCase(), value),
  }
}

function sharing(store: MapStore): Partial<MapStore> {
  return { get: async (key) => store.data.values.get(key) }
}

function emptyWhenClosed(store: MapStore): Partial<MapStore> {
  return { loadHardState: async () => (store.closed ? undefined : store.loadHardState()) }
}

function inMemoryVote(): Partial<MapStore> {
  const memory = new MapStore()
  return {
    loadHardState: () => memory.loadHardState(),
    saveHardState: (state) => memory.saveHardState(state),
  }
}

function hastyClose(store: MapStore): Partial<MapStore> {
  return {
    saveHardState: async (state) => {
      await new Promise((resolve) => setImmediate(resolve))
      return store.saveHardState(state)
    },
  }
}

function lazy(): Partial<MapStore> {
  return { data: emptyData() }
}

function unchecked(store: MapStore): Partial<MapStore> {
  return { loadHardState: async () => store.data.hardState }
}

function emptyWhenDamaged(store: MapStore): Partial<MapStore> {
  return {
    loadHardState: async () => (store.data.corrupt ? undefined : store.loadHardState()),
  }
}

function untypedDamage(store: MapStore): Partial<MapStore> {
  return {
    loadHardState: async () => {
      if (store.data.corrupt) throw new TypeError('cannot read properties of undefined')
      return store.loadHardState()
    },
  }
}

function writesLater(store: MapStore): Partial<MapStore> {
  return { set: async (key, value) => void setImmediate(() => void store.set(key, value)) }
}

function voteAfterTerm(store: MapStore): Partial<MapStore> {
  return {
    saveHardState: async (state) => {
      const votedFor = store.data.hardState?.votedFor
      await store.saveHardState(votedFor ? { term: state.term, votedFor } : { term: 0 })
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
      await store.saveHardState(state)
    },
  }
}

function fewValues(store: MapStore): Partial<MapStore> {
  return {
    set: async (key, value) => {
      await store.set(key, value)
      const [oldest] = store.data.values.keys()
      if (store.data.values.size > 256) store.data.values.delete(oldest!)
    },
  }
}

function hangsWhenClosed(store: MapStore): Partial<MapStore> {
  return {
    saveHardState: async (state) => {
      await new Promise((resolve) => setImmediate(resolve))
      if (store.closed) await new Promise(() => {})
      await store.saveHardState(state)
    },
  }
}

function forgetsLargeTerms(store: MapStore): Partial<MapStore> {
  return {
    close: async () => {
      const state = store.data.hardState
      if (state && state.term > 2 ** 52) store.data.hardState = { ...state, term: 2 ** 52 }
      await store.close()
    },
  }
}
