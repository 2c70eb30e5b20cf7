import { testLogStore } from '@raftkit/conformance'
import type { Runner } from '@raftkit/conformance'
import { EntryBatch, RaftError } from '@raftkit/interface'
import type { LogStore } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { copyOf, emptyData, MapStore, packed } from './reference/map-store.ts'

type Defect = (store: MapStore) => Partial<MapStore>

/** Registers the suite on the plain store, with a defect or without. */
function register(runner: Runner, defect: Defect = () => ({})): void {
  const broken = (store: MapStore): MapStore => withMethods(store, defect(store))
  testLogStore({
    runner,
    name: 'MapStore',
    supports: { reopen: true, durable: true, checksums: true },
    open: async () => broken(new MapStore()),
    reopen: async (store) => {
      await store.close()
      return broken(new MapStore(store.data))
    },
    crash: async (store) => broken(new MapStore(copyOf(store.data))),
    corrupt: async (store, index) => {
      const entry = store.data.entries.get(index)!
      store.data.entries.set(index, { ...entry, bytes: entry.bytes.map((byte) => byte ^ 1) })
      store.data.corrupt = true
    },
  })
}

/** The plain store notices damage when it is read, as one with checksums would. */
const withChecksums: Defect = (store) => ({
  read: async (from, to, limits) => {
    if (store.data.corrupt) throw new RaftError('RAFT_STORE_CORRUPT', 'damaged')
    return store.read(from, to, limits)
  },
})

describe('testLogStore', () => {
  register({ describe, it }, withChecksums)

  it.each<readonly [defect: string, caughtBy: string, Defect]>([
    ['takes any index', 'refuses a batch that leaves a gap behind', withoutGapCheck],
    ['stores some of what it refuses', 'refuses batches with a gap between them', partialAppend],
    ['takes nothing more after a refusal', 'takes the right batch after it refused', poisoned],
    ['returns without limit', 'stops before the entry that would pass maxBytes', unlimited],
    ['gives nothing when the first is too large', 'gives the first entry however small', strict],
    ['counts maxBytes exclusively', 'stops before the entry that would pass maxBytes', exclusive],
    ['removes one too few at the end', 'removes the suffix from 9 on', suffixOffByOne],
    ['removes one too many at the start', 'removes the prefix up to 6', prefixOffByOne],
    ['mixes entries up at times', 'behaves as an array of entries', swapping],
    ['uses 32 bits for indexes', 'starts at index 4294967294 when empty', in32Bits],
    ['sorts indexes as text', 'keeps thousands of entries', sortedAsText],
    ['shows a batch entry by entry', 'reads while it appends', entryByEntry],
    ['gives out its own buffer', 'leaves a batch that was read as it was', sharedBuffer],
    ['forgets the types', 'gives back what was appended', typeless],
    ['drops entries without bytes', 'keeps an entry without bytes', withoutEmpty],
    ['works after close', 'refuses every call after close', immortal],
    ['fails to close twice', 'closes twice', closesOnce],
    ['does not wait in close', 'waits in close for the append', hastyClose],
    ['remembers where it was when emptied', 'is empty when the prefix', rememberingBounds],
    ['acknowledges before it writes', 'has every acknowledged change after a crash', lazy],
    ['does not check', 'finds a damaged entry out', () => ({})],
  ])('finds a store out that %s', async (_defect, caughtBy, defect) => {
    const failed = await failuresOf((runner) => register(runner, defect), caughtBy)
    expect([...failed.keys()]).not.toEqual([])
  })

  it.each([
    [{ reopen: false, durable: false, checksums: false }],
    [{ reopen: true, durable: true, checksums: false }],
    [{ reopen: false, durable: true, checksums: false }],
  ])('finds a manifest out that does not fit: %o', async (supports) => {
    const failed = await failuresOf((runner) =>
      testLogStore({
        runner,
        name: 'MapStore',
        supports,
        open: async () => new MapStore(),
        reopen: async (store) => new MapStore(store.data),
      }),
    )
    expect([...failed.keys()]).toContain('supports what its manifest says')
  })

  it('closes and disposes of every store, also when a case fails', async () => {
    const opened: LogStore[] = []
    const disposed: LogStore[] = []
    await failuresOf((runner) =>
      testLogStore({
        runner,
        name: 'broken',
        supports: { reopen: false, durable: false, checksums: false },
        open: async () => {
          const store = withMethods(new MapStore(), {
            append: () => Promise.reject(new Error('no')),
          })
          opened.push(store)
          return store
        },
        dispose: async (store) => {
          expect(store.closed).toBe(true)
          disposed.push(store)
        },
      }),
    )
    expect(opened.length).toBeGreaterThan(20)
    expect(disposed).toEqual(opened)
  })
})

function withoutGapCheck(store: MapStore): Partial<MapStore> {
  return { append: async (batches) => batches.forEach((batch) => store.put(batch)) }
}

function partialAppend(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches) => {
      for (const batch of batches) await store.append([batch])
    },
  }
}

function poisoned(store: MapStore): Partial<MapStore> {
  let refused = false
  return {
    append: async (batches) => {
      if (refused) throw new RaftError('RAFT_STORE_FAILED', 'no more')
      try {
        await store.append(batches)
      } catch (error) {
        refused = true
        throw error
      }
    },
  }
}

function unlimited(store: MapStore): Partial<MapStore> {
  return { read: (from, to) => store.read(from, to, { maxBytes: Infinity }) }
}

function strict(store: MapStore): Partial<MapStore> {
  return {
    read: async (from, to, limits) => {
      const batch = await store.read(from, to, limits)
      if (batch.byteLength > limits.maxBytes) throw new RaftError('RAFT_LOG_NOT_FOUND', 'too large')
      return batch
    },
  }
}

function exclusive(store: MapStore): Partial<MapStore> {
  return { read: (from, to, { maxBytes }) => store.read(from, to, { maxBytes: maxBytes - 1 }) }
}

function suffixOffByOne(store: MapStore): Partial<MapStore> {
  return { truncateSuffix: async (from) => store.drop((index) => index > from) }
}

function prefixOffByOne(store: MapStore): Partial<MapStore> {
  return { truncatePrefix: async (to) => store.drop((index) => index <= to + 1) }
}

function swapping(store: MapStore): Partial<MapStore> {
  return {
    truncatePrefix: async (to) => {
      store.drop((index) => index <= to && index !== 77)
    },
  }
}

function in32Bits(store: MapStore): Partial<MapStore> {
  return {
    bounds: async () => {
      const { firstIndex, lastIndex } = await store.bounds()
      return { firstIndex: firstIndex >>> 0, lastIndex: lastIndex >>> 0 }
    },
  }
}

function sortedAsText(store: MapStore): Partial<MapStore> {
  return {
    bounds: async () => {
      await store.bounds()
      const keys = [...store.data.entries.keys()].map(String).toSorted()
      return { firstIndex: Number(keys[0] ?? 0), lastIndex: Number(keys.at(-1) ?? 0) }
    },
  }
}

function entryByEntry(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches) => {
      for (const batch of batches)
        for (let index = batch.firstIndex; index <= batch.lastIndex; index++) {
          await store.append([batch.slice(index, index)])
          await new Promise((resolve) => setImmediate(resolve))
        }
    },
  }
}

function sharedBuffer(store: MapStore): Partial<MapStore> {
  const buffer = new Uint8Array(32 * 1024 * 1024)
  return {
    read: async (from, to, limits) => {
      const batch = await store.read(from, to, limits)
      buffer.set(batch.view)
      return new EntryBatch(from, buffer, batch.offsets, batch.terms, batch.types)
    },
    append: (batches) => {
      for (const batch of batches) buffer.set(batch.view)
      return store.append(batches)
    },
  }
}

function typeless(store: MapStore): Partial<MapStore> {
  return {
    read: async (from, to, limits) => {
      const { bytes, offsets, terms } = await store.read(from, to, limits)
      return new EntryBatch(
        from,
        bytes,
        offsets,
        terms,
        terms.map(() => 0),
      )
    },
  }
}

function withoutEmpty(store: MapStore): Partial<MapStore> {
  return {
    read: async (from, to, limits) => {
      await store.read(from, to, limits)
      const all = [...store.data.entries].filter(([index]) => index >= from && index <= to)
      const found = all.map(([, entry]) => entry).filter((entry) => entry.bytes.length > 0)
      if (found.length === 0) throw new RaftError('RAFT_LOG_NOT_FOUND', 'nothing')
      return packed(from, found)
    },
  }
}

function immortal(): Partial<MapStore> {
  return { close: async () => {} }
}

function closesOnce(store: MapStore): Partial<MapStore> {
  return {
    close: async () => {
      if (store.closed) throw new RaftError('RAFT_STORE_CLOSED', 'closed already')
      store.closed = true
    },
  }
}

function hastyClose(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches) => {
      await new Promise((resolve) => setImmediate(resolve))
      return store.append(batches)
    },
  }
}

function rememberingBounds(store: MapStore): Partial<MapStore> {
  let last = 0
  return {
    append: async (batches) => {
      const first = batches[0]
      if (last > 0 && first && first.firstIndex !== last + 1)
        throw new RaftError('RAFT_LOG_GAP', `${first.firstIndex} after ${last}`)
      await store.append(batches)
      last = batches.at(-1)?.lastIndex ?? last
    },
  }
}

function lazy(store: MapStore): Partial<MapStore> {
  const written = new MapStore(emptyData())
  return {
    get data() {
      return written.data
    },
    truncateSuffix: (from) => store.truncateSuffix(from),
  }
}
