import { testSnapshotStore } from '@raftkit/conformance'
import type { Runner, SnapshotStoreManifest } from '@raftkit/conformance'
import { RaftError } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { runSnapshotStep } from '../src/snapshot-store/killed.ts'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { MapSink, MapSnapshotStore, pieces } from './reference/map-snapshot-store.ts'

const everything: SnapshotStoreManifest = {
  retain: 3,
  reopen: true,
  durable: true,
  checksums: true,
  tornWrites: true,
}

type Defect = (store: MapSnapshotStore) => Partial<MapSnapshotStore>

/** Registers the suite on the plain store, with a defect or without. */
function register(
  runner: Runner,
  defect: Defect = () => ({}),
  supports: SnapshotStoreManifest = everything,
): void {
  const broken = (store: MapSnapshotStore): MapSnapshotStore => withMethods(store, defect(store))
  testSnapshotStore({
    runner,
    name: 'MapSnapshotStore',
    supports,
    open: async () => broken(new MapSnapshotStore()),
    reopen: async (store) => broken(new MapSnapshotStore(store.stored)),
    crash: async (store) => broken(new MapSnapshotStore(store.stored)),
    kill: async ({ steps, moment }) => {
      const store = broken(new MapSnapshotStore())
      const last = moment ? steps - 1 : steps
      for (let step = 0; step < last; step++) await runSnapshotStep(store, step)
      if (moment && 'turns' in moment) {
        void runSnapshotStep(store, last)
        for (let turn = 0; turn < moment.turns; turn++)
          await new Promise((resolve) => setImmediate(resolve))
      }
      const left = broken(new MapSnapshotStore(store.stored))
      return { store: left, acknowledged: last, diskCalls: Array.from({ length: last }, () => 0) }
    },
    corrupt: async (store, id) => {
      store.find(id).corrupt = true
    },
    tear: async (store, id) => {
      store.find(id).corrupt = true
    },
  })
}

/** A defect in the sinks. */
function inSinks(change: (sink: MapSink) => Partial<MapSink>): Defect {
  return (store) => ({
    create: async (description) => {
      const sink = await store.create(description)
      return sink instanceof MapSink ? withMethods(sink, change(sink)) : sink
    },
  })
}

describe('testSnapshotStore', () => {
  register(
    { describe, it },
    inSinks(() => ({})),
  )

  it.each<readonly [defect: string, caughtBy: string, Defect]>([
    ['lists a snapshot before it is written', 'lists nothing before close', inSinks(eager)],
    ['keeps a cancelled snapshot', 'leaves nothing of a cancelled', inSinks(cancelIsClose)],
    ['removes a finished one on cancel', 'does nothing when a finished', inSinks(cancelRemoves)],
    ['writes to a finished one', 'refuses to write to a finished', inSinks(neverEnds)],
    ['keeps the buffer it was given', 'keeps its own copy', inSinks(sharing)],
    ['counts chunks for bytes', 'describes a finished snapshot', inSinks(wrongSize)],
    ['forgets an entry of the configuration', 'gives back exactly', inSinks(shortConfiguration)],
    ['reuses names', 'gives every sink a name of its own', reusedNames],
    ['keeps everything', 'lists the newest first and keeps 3', keepsAll],
    ['keeps one too few', 'lists the newest first and keeps 3', keepsTwo],
    ['lists the oldest first', 'lists the newest first', oldestFirst],
    ['orders as text', 'orders by term and index as numbers', ordersAsText],
    ['makes room when a snapshot is begun', 'removes nothing when', makesRoom],
    ['mixes two sinks', 'writes two snapshots at once', mixed],
    ['gives out its own bytes', 'gives every reader bytes of its own', shared],
    ['lets only one read', 'lets two read the same snapshot', oneReader],
    ['does not check', 'refuses to open a snapshot whose state is damaged', unchecked],
    ['takes a torn one for whole', 'whose last 20 bytes are cut off', unchecked],
    ['opens nothing when one is damaged', 'whose state is damaged', allOrNothing],
    ['lists it before it is whole', 'when killed while one of 600000 bytes is finished', early],
    ['keeps what was abandoned', 'killed while one of 90000 bytes is abandoned', inSinks(eager)],
    ['finishes some time later', 'when its process is killed', inSinks(later)],
    ['finishes twice', 'finishes once when it is closed twice', inSinks(failsTwice)],
    ['goes on when cancelled', 'cancelled in the middle of a write', inSinks(revived)],
    ['keeps what it says is gone', 'cancelled while it is closed', inSinks(deniesItself)],
    ['has one sink for the same entries', 'others of the same entries lie abandoned', exclusive],
    ['lists what is half there', 'has whole snapshots in its list', early],
    ['forgets when reopened', 'keeps as many as before when reopened', forgetsOne],
    ['forgets what is empty', 'finds a snapshot without bytes', forgetsEmpty],
    ['gives a shortened state', 'gives back exactly the bytes', shortened],
    ['gives nothing for an unknown name', 'holds nothing at first', unknownIsEmpty],
  ])('finds a store out that %s', async (_defect, caughtBy, defect) => {
    const failed = await failuresOf((runner) => register(runner, defect), caughtBy)
    expect([...failed.keys()]).not.toEqual([])
  })

  it('finds a store out that forgets when it says that it keeps', async () => {
    const forgetful: Defect = (store) => ({ list: async () => (await store.list()).slice(0, 0) })
    const failed = await failuresOf((runner) => register(runner, forgetful), 'when reopened, and')
    expect([...failed.keys()]).toEqual(['finds finished snapshots when reopened, and no others'])
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

  it('finds a store out that keeps when it says that it forgets', async () => {
    const failed = await failuresOf((runner) =>
      testSnapshotStore({
        runner,
        name: 'MapSnapshotStore',
        supports: {
          retain: 0,
          reopen: false,
          durable: false,
          checksums: false,
          tornWrites: false,
        },
        open: async () => new MapSnapshotStore(),
      }),
    )
    expect([...failed.keys()]).toEqual(['forgets a snapshot that was finished'])
  })
})

function eager(sink: MapSink): Partial<MapSink> {
  sink.store.keep(sink.finished())
  return {}
}

function cancelIsClose(sink: MapSink): Partial<MapSink> {
  return { cancel: async () => void (sink.ended || (await sink.close())) }
}

function cancelRemoves(sink: MapSink): Partial<MapSink> {
  return {
    cancel: async () => {
      sink.store.stored = sink.store.stored.filter(({ meta }) => meta.id !== sink.id)
      await sink.cancel()
    },
  }
}

function neverEnds(sink: MapSink): Partial<MapSink> {
  return { write: async (chunk) => void sink.chunks.push(chunk.slice()) }
}

function sharing(sink: MapSink): Partial<MapSink> {
  return { write: async (chunk) => void sink.chunks.push(chunk) }
}

function wrongSize(sink: MapSink): Partial<MapSink> {
  return { close: async () => ({ ...(await sink.close()), size: sink.chunks.length }) }
}

function shortConfiguration(sink: MapSink): Partial<MapSink> {
  return {
    close: async () => {
      const meta = await sink.close()
      const servers = meta.configuration.servers.slice(1)
      return { ...meta, configuration: { servers } }
    },
  }
}

function reusedNames(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    create: async (description) =>
      new MapSink(store, `${description.term}-${description.index}`, description),
  }
}

function keepsAll(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  Object.defineProperty(store, 'retain', { value: 1000 })
  return {}
}

function keepsTwo(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  Object.defineProperty(store, 'retain', { value: 2 })
  return {}
}

function oldestFirst(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return { list: async () => (await store.list()).toReversed() }
}

function ordersAsText(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  const key = (meta: { term: number; index: number }): string => `${meta.term}-${meta.index}`
  return {
    list: async () => (await store.list()).toSorted((a, b) => (key(a) < key(b) ? 1 : -1)),
  }
}

function makesRoom(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    create: (description) => {
      store.stored.length = Math.min(store.stored.length, store.retain - 1)
      return store.create(description)
    },
  }
}

function mixed(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  const chunks: Uint8Array[] = []
  return inSinks((sink) => {
    sink.chunks = chunks
    return {}
  })(store)
}

function shared(store: MapSnapshotStore): Partial<MapSnapshotStore> {
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

function oneReader(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  let opened: ReturnType<MapSnapshotStore['open']> | undefined
  return { open: (id) => (opened ??= store.open(id)) }
}

function unchecked(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    open: (id) => {
      store.find(id).corrupt = false
      return store.open(id)
    },
  }
}

function shortened(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    open: async (id) => {
      const { bytes, meta } = store.find(id)
      return { meta, state: pieces(bytes.subarray(1)), close: async () => {} }
    },
  }
}

function unknownIsEmpty(store: MapSnapshotStore): Partial<MapSnapshotStore> {
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

function allOrNothing(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  return {
    open: async (id) => {
      if (store.stored.some(({ corrupt }) => corrupt))
        throw new RaftError('RAFT_SNAPSHOT_CORRUPT', 'one is damaged')
      return store.open(id)
    },
  }
}

/** Lists a snapshot with its first chunk, and the rest of it two turns later. */
function early(store: MapSnapshotStore): Partial<MapSnapshotStore> {
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

function later(sink: MapSink): Partial<MapSink> {
  return {
    close: async () => {
      const { meta } = sink.finished()
      setImmediate(() => void sink.close().catch(() => {}))
      return meta
    },
  }
}

function failsTwice(sink: MapSink): Partial<MapSink> {
  return {
    close: async () => {
      if (sink.ended) throw new TypeError('the file is closed')
      return sink.close()
    },
  }
}

function revived(sink: MapSink): Partial<MapSink> {
  return {
    write: async (chunk) => {
      await new Promise((resolve) => setImmediate(resolve))
      sink.ended = false
      await sink.write(chunk)
    },
  }
}

function deniesItself(sink: MapSink): Partial<MapSink> {
  return {
    close: async () => {
      await sink.close()
      throw new RaftError('RAFT_SNAPSHOT_FAILED', 'something went wrong')
    },
  }
}

function exclusive(store: MapSnapshotStore): Partial<MapSnapshotStore> {
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

function forgetsOne(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  if (store.stored.length > 2) store.stored.length = 2
  return {}
}

function forgetsEmpty(store: MapSnapshotStore): Partial<MapSnapshotStore> {
  store.stored = store.stored.filter(({ bytes }) => bytes.length > 0)
  return {}
}
