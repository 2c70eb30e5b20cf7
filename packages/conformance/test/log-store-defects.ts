// Ways in which a log store can be wrong; each is a few methods that replace those of a sound one.

import { EntryBatch, RaftError } from '@raftkit/interface'
import { emptyData, MapStore, packed } from './reference/map-store.ts'

/** What a broken store does instead. */
export type Defect = (store: MapStore) => Partial<MapStore>

export function withoutGapCheck(store: MapStore): Partial<MapStore> {
  return { append: async (batches) => batches.forEach((batch) => store.put(batch)) }
}

export function partialAppend(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches) => {
      for (const batch of batches) await store.append([batch])
    },
  }
}

export function poisoned(store: MapStore): Partial<MapStore> {
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

export function unlimited(store: MapStore): Partial<MapStore> {
  return { read: (from, to) => store.read(from, to, { maxBytes: Infinity }) }
}

export function strict(store: MapStore): Partial<MapStore> {
  return {
    read: async (from, to, limits) => {
      const batch = await store.read(from, to, limits)
      if (batch.byteLength > limits.maxBytes) throw new RaftError('RAFT_LOG_NOT_FOUND', 'too large')
      return batch
    },
  }
}

export function exclusive(store: MapStore): Partial<MapStore> {
  return { read: (from, to, { maxBytes }) => store.read(from, to, { maxBytes: maxBytes - 1 }) }
}

export function suffixOffByOne(store: MapStore): Partial<MapStore> {
  return { truncateSuffix: async (from) => store.drop((index) => index > from) }
}

export function prefixOffByOne(store: MapStore): Partial<MapStore> {
  return { truncatePrefix: async (to) => store.drop((index) => index <= to + 1) }
}

export function swapping(store: MapStore): Partial<MapStore> {
  return {
    truncatePrefix: async (to) => {
      store.drop((index) => index <= to && index !== 77)
    },
  }
}

export function in32Bits(store: MapStore): Partial<MapStore> {
  return {
    bounds: async () => {
      const { firstIndex, lastIndex } = await store.bounds()
      return { firstIndex: firstIndex >>> 0, lastIndex: lastIndex >>> 0 }
    },
  }
}

export function sortedAsText(store: MapStore): Partial<MapStore> {
  return {
    bounds: async () => {
      await store.bounds()
      const keys = [...store.data.entries.keys()].map(String).toSorted()
      return { firstIndex: Number(keys[0] ?? 0), lastIndex: Number(keys.at(-1) ?? 0) }
    },
  }
}

export function entryByEntry(store: MapStore): Partial<MapStore> {
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

export function sharedBuffer(store: MapStore): Partial<MapStore> {
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

export function typeless(store: MapStore): Partial<MapStore> {
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

export function withoutEmpty(store: MapStore): Partial<MapStore> {
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

export function immortal(): Partial<MapStore> {
  return { close: async () => {} }
}

export function closesOnce(store: MapStore): Partial<MapStore> {
  return {
    close: async () => {
      if (store.closed) throw new RaftError('RAFT_STORE_CLOSED', 'closed already')
      store.closed = true
    },
  }
}

export function hastyClose(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches) => {
      await new Promise((resolve) => setImmediate(resolve))
      return store.append(batches)
    },
  }
}

export function rememberingBounds(store: MapStore): Partial<MapStore> {
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

export function lazy(store: MapStore): Partial<MapStore> {
  const written = new MapStore(emptyData())
  return {
    get data() {
      return written.data
    },
    truncateSuffix: (from) => store.truncateSuffix(from),
  }
}

export function emptyWhenDamaged(store: MapStore): Partial<MapStore> {
  return {
    bounds: async () => (store.data.corrupt ? { firstIndex: 0, lastIndex: 0 } : store.bounds()),
  }
}

export function untypedDamage(store: MapStore): Partial<MapStore> {
  return {
    bounds: async () => {
      if (store.data.corrupt) throw new TypeError('cannot read properties of undefined')
      return store.bounds()
    },
  }
}

/** Acknowledges what it writes when the event loop has gone round. */
export function writesLater(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches) => void setImmediate(() => void store.append(batches).catch(() => {})),
  }
}

export function fromTheStart(store: MapStore): Partial<MapStore> {
  return {
    truncateSuffix: async (from) => {
      const { lastIndex } = store.heldNow()
      for (let index = from; index <= lastIndex; index++) {
        await new Promise((resolve) => setImmediate(resolve))
        store.data.entries.delete(index)
      }
    },
  }
}

export function withoutIndexCheck(store: MapStore): Partial<MapStore> {
  return { append: async (batches) => batches.forEach((batch) => store.put(batch)) }
}

export function withoutSizeCheck(store: MapStore): Partial<MapStore> {
  return { append: (batches) => store.append(batches, {}, Infinity) }
}

export function smallerLimit(store: MapStore): Partial<MapStore> {
  return { append: (batches) => store.append(batches, {}, 8_999_999) }
}

export function emptyIsAbsent(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches) => {
      await store.append(batches)
      const held = [...store.data.entries.values()]
      if (held.every((entry) => entry.bytes.length === 0)) store.drop(() => true)
    },
  }
}

export function onePage(store: MapStore): Partial<MapStore> {
  return {
    read: (from, to, { maxBytes }) =>
      store.read(from, to, { maxBytes: Math.min(maxBytes, 1024 * 1024) }),
  }
}

export function in16Bits(store: MapStore): Partial<MapStore> {
  return {
    put: () => {},
    append: async (batches) => {
      await store.append(batches)
      for (const [index, entry] of store.data.entries)
        if (entry.bytes.length >= 2 ** 16 && entry.bytes.length < 2 ** 17)
          store.data.entries.set(index, { ...entry, bytes: entry.bytes.subarray(0, 2 ** 16 - 1) })
    },
  }
}

/** Puts entries aside while it truncates. */
export function movesEntries(store: MapStore): Partial<MapStore> {
  return {
    truncatePrefix: async (to) => {
      const all = [...store.data.entries]
      store.drop(() => true)
      await new Promise((resolve) => setImmediate(resolve))
      for (const [index, entry] of all) if (index > to) store.data.entries.set(index, entry)
    },
  }
}

export function hangsWhenClosed(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches) => {
      await new Promise((resolve) => setImmediate(resolve))
      if (store.closed) await new Promise(() => {})
      await store.append(batches)
    },
  }
}

export function dropsCommitIndex(store: MapStore): Partial<MapStore> {
  return { append: (batches) => store.append(batches) }
}

export function takesAnyCommitIndex(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches, options) => {
      await store.append(batches)
      store.data.commitIndex = options?.commitIndex ?? store.data.commitIndex
    },
  }
}

/** Stages the commit index by itself, whatever comes of the entries. */
export function stagesCommitIndex(store: MapStore): Partial<MapStore> {
  return {
    append: (batches, options) => {
      const { lastIndex } = store.heldNow()
      const staged = Math.min(options?.commitIndex ?? 0, lastIndex)
      store.data.commitIndex = Math.max(store.data.commitIndex, staged)
      return store.append(batches, options)
    },
  }
}

/** Clamps what it tells, and remembers what it was told. */
export function remembersCommitIndex(store: MapStore): Partial<MapStore> {
  let told = 0
  return {
    append: async (batches, options) => {
      await store.append(batches, options)
      told = Math.max(told, options?.commitIndex ?? 0)
    },
    commitIndex: async () => Math.min(told, (await store.bounds()).lastIndex),
  }
}

/** Writes the commit index after the entries. */
export function commitIndexApart(store: MapStore): Partial<MapStore> {
  return {
    append: async (batches, options) => {
      await store.append(batches)
      await new Promise((resolve) => setImmediate(resolve))
      const { lastIndex } = store.heldNow()
      const { commitIndex = 0 } = options ?? {}
      store.data.commitIndex = Math.max(store.data.commitIndex, Math.min(commitIndex, lastIndex))
    },
  }
}

export function forgetsLargeIndexes(store: MapStore): Partial<MapStore> {
  return {
    close: async () => {
      if (!store.closed) store.drop((index) => index > 2 ** 52)
      await store.close()
    },
  }
}
