// Ways in which a snapshot store can be wrong; each is a few methods that replace those of a sound one.

import { RaftError } from '@raftkit/interface'
import { withMethods } from './collecting-runner.ts'
import { MapSink, pieces } from './reference/map-snapshot-store.ts'
import type { MapSnapshotStore } from './reference/map-snapshot-store.ts'

/** What a broken store does instead. */
export type Defect = (store: MapSnapshotStore) => Partial<MapSnapshotStore>

/** A defect in the sinks. */
export function inSinks(change: (sink: MapSink) => Partial<MapSink>): Defect {
  return (store) => ({
    create: async (description) => {
      const sink = await store.create(description)
      return sink instanceof MapSink ? withMethods(sink, change(sink)) : sink
    },
  })
}

export function eager(sink: MapSink): Partial<MapSink> {
  sink.store.keep(sink.finished())
  return {}
}

export function cancelIsClose(sink: MapSink): Partial<MapSink> {
  return { cancel: async () => void (sink.ended || (await sink.close())) }
}

export function cancelRemoves(sink: MapSink): Partial<MapSink> {
  return {
    cancel: async () => {
      sink.store.stored = sink.store.stored.filter(({ meta }) => meta.id !== sink.id)
      await sink.cancel()
    },
  }
}

export function neverEnds(sink: MapSink): Partial<MapSink> {
  return { write: async (chunk) => void sink.chunks.push(chunk.slice()) }
}

export function sharing(sink: MapSink): Partial<MapSink> {
  return { write: async (chunk) => void sink.chunks.push(chunk) }
}

export function wrongSize(sink: MapSink): Partial<MapSink> {
  return { close: async () => ({ ...(await sink.close()), size: sink.chunks.length }) }
}

export function halfConfiguration(sink: MapSink): Partial<MapSink> {
  return {
    close: async () => {
      const meta = await sink.close()
      const { servers } = meta.configuration
      return { ...meta, configuration: { servers } }
    },
  }
}

export function shortConfiguration(sink: MapSink): Partial<MapSink> {
  return {
    close: async () => {
      const meta = await sink.close()
      const servers = meta.configuration.servers.slice(1)
      return { ...meta, configuration: { servers } }
    },
  }
}

export function reusedNames(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    create: async (description) =>
      new MapSink(store, `${description.term}-${description.index}`, description),
  }
}

export function keepsAll(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  Object.defineProperty(store, 'retain', { value: 1000 })
  return {}
}

export function keepsTwo(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  Object.defineProperty(store, 'retain', { value: 2 })
  return {}
}

export function oldestFirst(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return { list: async () => (await store.list()).toReversed() }
}

export function ordersAsText(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  const key = (meta: { term: number; index: number }): string => `${meta.term}-${meta.index}`
  return {
    list: async () => (await store.list()).toSorted((a, b) => (key(a) < key(b) ? 1 : -1)),
  }
}

export function makesRoom(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    create: (description) => {
      store.stored.length = Math.min(store.stored.length, store.retain - 1)
      return store.create(description)
    },
  }
}

export function mixed(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  const chunks: Uint8Array[] = []
  return inSinks((sink) => {
    sink.chunks = chunks
    return {}
  })(store)
}

export function shared(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    open: async (id) => {
      const { meta, bytes } = store.find(id)
      return { meta, state: asOne(bytes), close: async () => {} }
    },
  }
}

async function* asOne(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

export function oneReader(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  let opened: ReturnType<MapSnapshotStore['open']> | undefined
  return { open: (id) => (opened ??= store.open(id)) }
}

export function unchecked(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    open: (id) => {
      store.find(id).corrupt = false
      return store.open(id)
    },
  }
}

export function shortened(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    open: async (id) => {
      const { bytes, meta } = store.find(id)
      return { meta, state: pieces(bytes.subarray(1)), close: async () => {} }
    },
  }
}

export function unknownIsEmpty(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    open: async (id) => {
      const known = store.stored[0]?.meta
      if (store.stored.some(({ meta }) => meta.id === id) || !id) return store.open(id)
      if (known) throw new RaftError('RAFT_SNAPSHOT_NOT_FOUND', id)
      const configuration = { servers: [] }
      const meta = {
        id,
        version: 1,
        index: 0,
        term: 0,
        configuration,
        configurationIndex: 0,
        size: 0,
      }
      return { meta, state: pieces(new Uint8Array(0)), close: async () => {} }
    },
  }
}

export function allOrNothing(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    open: async (id) => {
      if (store.stored.some(({ corrupt }) => corrupt))
        throw new RaftError('RAFT_SNAPSHOT_CORRUPT', 'one is damaged')
      return store.open(id)
    },
  }
}

/** Lists a snapshot with its first chunk, and the rest of it two turns later. */
export function early(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return inSinks((sink) => ({
    close: async () => {
      const { meta } = sink.finished()
      const half = { meta, bytes: sink.chunks[0] ?? new Uint8Array(0), corrupt: false }
      store.keep(half)
      for (let turn = 0; turn < 9; turn++) await new Promise((resolve) => setImmediate(resolve))
      store.stored = store.stored.filter((each) => each !== half)
      return sink.close()
    },
  }))(store)
}

export function later(sink: MapSink): Partial<MapSink> {
  return {
    close: async () => {
      const { meta } = sink.finished()
      setImmediate(() => void sink.close().catch(() => {}))
      return meta
    },
  }
}

export function failsTwice(sink: MapSink): Partial<MapSink> {
  return {
    close: async () => {
      if (sink.ended) throw new TypeError('the file is closed')
      return sink.close()
    },
  }
}

export function revived(sink: MapSink): Partial<MapSink> {
  return {
    write: async (chunk) => {
      await new Promise((resolve) => setImmediate(resolve))
      sink.ended = false
      await sink.write(chunk)
    },
  }
}

export function deniesItself(sink: MapSink): Partial<MapSink> {
  return {
    close: async () => {
      await sink.close()
      throw new RaftError('RAFT_SNAPSHOT_FAILED', 'something went wrong')
    },
  }
}

export function exclusive(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  const begun = new Set<string>()
  return {
    create: async (description) => {
      const entries = `${description.term}-${description.index}`
      if (begun.has(entries)) throw new RaftError('RAFT_SNAPSHOT_FAILED', `${entries} is begun`)
      begun.add(entries)
      return store.create(description)
    },
  }
}

export function forgetsOne(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  if (store.stored.length > 2) store.stored.length = 2
  return {}
}

export function forgetsEmpty(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  store.stored = store.stored.filter(({ bytes }) => bytes.length > 0)
  return {}
}
