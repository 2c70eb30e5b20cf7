import {
  type Configuration,
  LogType,
  RaftError,
  type SnapshotDescription,
  type SnapshotMeta,
} from '@raftkit/interface'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { encodeConfiguration, encodeEntries } from '@raftkit/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { saveSnapshotFloor } from '../../../src/runtime/log/snapshot-floor.ts'
import {
  loadPendingRestore,
  savePendingRestore,
} from '../../../src/runtime/snapshots/pending-restore.ts'
import { load, type Loaded } from '../../../src/runtime/start/start-up.ts'
import { numbered } from '../../support/batches.ts'
import { ControlledStore } from '../../support/controlled-store.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { rejection } from '../../support/rejection.ts'
import { bytesOf, TextMachine } from '../../support/text-machine.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const member = (id: string): Configuration => ({
  servers: [{ suffrage: 'voter', id, address: `${id}:1` }],
})

let data: InmemStore
let store: ControlledStore
let snapshots: InmemSnapshotStore
let machine: TextMachine
let logger: MemoryLogger

beforeEach(() => {
  data = new InmemStore()
  store = new ControlledStore(data)
  snapshots = new InmemSnapshotStore()
  machine = new TextMachine()
  logger = new MemoryLogger()
})

const start = (tailBytes = 1e6): Promise<Loaded> =>
  load(
    { logStore: store, stableStore: store, snapshotStore: snapshots, stateMachine: machine },
    { logTailBytes: tailBytes, logger, clock: new VirtualClock() },
  )

function save(index: number, term: number, texts: string[]): Promise<SnapshotMeta> {
  return saveOf({ index, term, configuration: member('s'), configurationIndex: 1 }, texts)
}

async function saveOf(description: SnapshotDescription, texts: string[]): Promise<SnapshotMeta> {
  const sink = await snapshots.create(description)
  await sink.write(bytesOf(JSON.stringify(texts)))
  return sink.close()
}

describe('load', () => {
  it('knows the joint configurations that its log still holds before the snapshot’s', async () => {
    const entry = (configuration: Configuration): Uint8Array => encodeConfiguration(configuration)
    const joint = { ...member('a'), next: member('s').servers }
    await data.append([
      encodeEntries(1, 1, [
        { type: LogType.configuration, data: entry(joint) },
        { type: LogType.configuration, data: entry(member('s')) },
        { type: LogType.noop, data: new Uint8Array(0) },
      ]),
    ])
    await data.saveHardState({ term: 1 })
    await saveOf({ index: 3, term: 1, configuration: member('s'), configurationIndex: 2 }, [])
    const { consensus } = await start()
    expect(consensus.configurations).toEqual([
      { index: 1, configuration: joint },
      { index: 2, configuration: member('s') },
    ])
  })

  it('finds nothing on a new server', async () => {
    const { consensus, applied, bounds } = await start()
    expect(consensus).toEqual({
      hardState: { term: 0 },
      mayHaveHeardLeader: false,
      snapshot: { index: 0, term: 0 },
      logFirstIndex: 0,
      lastIndex: 0,
      runs: [],
      configurations: [],
    })
    expect([applied.index, bounds]).toEqual([0, { firstIndex: 0, lastIndex: 0 }])
  })

  it('finds terms, configurations and the recent entries of the log', async () => {
    const changed = encodeEntries(3, 2, [{ type: 5, data: encodeConfiguration(member('a')) }])
    await data.append([numbered(1, 1, 2), changed, numbered(4, 2, 3), numbered(7, 5, 1)])
    await data.saveHardState({ term: 5 })
    const { consensus, tail } = await start()
    expect(consensus).toMatchObject({
      logFirstIndex: 1,
      lastIndex: 7,
      runs: [
        { firstIndex: 1, term: 1 },
        { firstIndex: 3, term: 2 },
        { firstIndex: 7, term: 5 },
      ],
      configurations: [{ configuration: member('a'), index: 3 }],
    })
    expect([tail.firstIndex, tail.lastIndex]).toEqual([1, 7])
  })

  it('refuses to start from an older snapshot than the one that took the place of the log', async () => {
    await data.append([numbered(1, 1, 5)])
    await data.saveHardState({ term: 1 })
    await save(3, 1, ['a', 'b', 'c'])
    const newest = await save(5, 1, ['a', 'b', 'c', 'd', 'e'])
    await saveSnapshotFloor(data, newest.index)
    await data.truncatePrefix(5)
    expect((await start()).consensus.lastIndex).toBe(5)
    snapshots = new InmemSnapshotStore()
    await save(3, 1, ['a', 'b', 'c'])
    expect(RaftError.is(await rejection(start()), 'RAFT_STORE_LOST_DATA')).toBe(true)
  })

  it('reads a long log in pieces, and keeps no more of it in memory than it may', async () => {
    const large = 'x'.repeat(1000)
    const texts = Array.from({ length: 5000 }, () => large)
    await data.append([
      encodeEntries(
        1,
        1,
        texts.map((text) => ({ type: 0, data: bytesOf(text) })),
      ),
    ])
    await data.saveHardState({ term: 1 })
    const { consensus, tail } = await start(2_000_000)
    expect(consensus).toMatchObject({ lastIndex: 5000, runs: [{ firstIndex: 1, term: 1 }] })
    expect(tail.lastIndex).toBe(5000)
    expect(tail.bytes).toBeLessThanOrEqual(2_000_000)
  })

  it('restores the newest snapshot, and takes its configuration before those of the log', async () => {
    await save(2, 1, ['old'])
    await save(4, 1, ['new'])
    const changed = encodeEntries(6, 1, [{ type: 5, data: encodeConfiguration(member('b')) }])
    await data.append([numbered(3, 1, 3), changed])
    await data.saveHardState({ term: 1 })
    const { consensus, applied } = await start()
    expect(machine.texts).toEqual(['new'])
    expect(consensus.snapshot).toEqual({ index: 4, term: 1 })
    expect(consensus.configurations.map(({ index }) => index)).toEqual([1, 6])
    expect(applied).toEqual({
      index: 4,
      term: 1,
      configuration: { configuration: member('s'), index: 1 },
    })
  })

  it('passes over a snapshot that cannot be opened, with a warning', async () => {
    await save(2, 1, ['old'])
    const newest = await save(4, 1, ['new'])
    await data.append([numbered(3, 1, 3)])
    await data.saveHardState({ term: 1 })
    const open = snapshots.open.bind(snapshots)
    snapshots.open = (id) =>
      id === newest.id
        ? Promise.reject(new RaftError('RAFT_SNAPSHOT_CORRUPT', 'checksum'))
        : open(id)
    const { consensus } = await start()
    expect(consensus.snapshot.index).toBe(2)
    expect(machine.texts).toEqual(['old'])
    expect(logger.at('warn')).toMatchObject([
      { fields: { snapshot: newest.id, error: 'checksum' } },
    ])
  })

  it('passes over a snapshot that the state machine cannot take up', async () => {
    await save(2, 1, ['old'])
    await save(4, 1, ['new'])
    await data.append([numbered(3, 1, 3)])
    await data.saveHardState({ term: 1 })
    const restore = machine.restore.bind(machine)
    let isFirst = true
    machine.restore = (state) => {
      if (!isFirst) return restore(state)
      isFirst = false
      return Promise.reject(new Error('unknown format'))
    }
    expect((await start()).consensus.snapshot.index).toBe(2)
  })

  it('never starts empty when there are snapshots and none can be used', async () => {
    await save(4, 1, ['new'])
    snapshots.open = () => Promise.reject(new RaftError('RAFT_SNAPSHOT_CORRUPT', 'checksum'))
    expect((await rejection(start())).code).toBe('RAFT_SNAPSHOT_CORRUPT')
  })

  it.each([
    ['after the snapshot', 4, 6],
    ['without a snapshot', 0, 2],
  ])('refuses a gap before the log %s', async (_, snapshotIndex, firstIndex) => {
    if (snapshotIndex > 0) await save(snapshotIndex, 1, ['s'])
    await data.append([numbered(firstIndex, 1, 3)])
    await data.saveHardState({ term: 1 })
    expect(await rejection(start())).toMatchObject({
      code: 'RAFT_LOG_GAP',
      details: { firstIndex, snapshotIndex },
    })
  })

  it('refuses a saved term below that of the log: it might vote twice', async () => {
    await data.append([numbered(1, 3, 1)])
    await data.saveHardState({ term: 2 })
    expect((await rejection(start())).code).toBe('RAFT_STORE_CORRUPT')
  })

  it('refuses a log whose terms go down', async () => {
    await data.append([numbered(1, 3, 1), numbered(2, 2, 1)])
    await data.saveHardState({ term: 3 })
    expect((await rejection(start())).message).toContain('the term goes down at entry 2')
  })

  it.each(['loadHardState', 'bounds', 'read'] as const)(
    'never takes a failed %s for an empty store',
    async (operation) => {
      await data.append([numbered(1, 1, 1)])
      await data.saveHardState({ term: 1 })
      store.fail(operation)
      await expect(start()).rejects.toThrow('input/output error')
    },
  )

  describe('after a crash between a snapshot of the leader and the removal of the log', () => {
    it.each([
      ['ends before the snapshot', numbered(1, 1, 5), 8, 2],
      ['has another entry at its place', numbered(1, 1, 12), 8, 2],
    ])('removes a log that %s', async (_, batch, index, term) => {
      await data.append([batch])
      await data.saveHardState({ term: 2 })
      await save(index, term, ['s'])
      const { consensus, bounds } = await start()
      expect(consensus).toMatchObject({ logFirstIndex: 0, lastIndex: index, runs: [] })
      expect(bounds).toEqual({ firstIndex: 0, lastIndex: 0 })
      expect(await data.bounds()).toEqual({ firstIndex: 0, lastIndex: 0 })
    })

    it('keeps a log that agrees with the snapshot', async () => {
      await data.append([numbered(1, 2, 12)])
      await data.saveHardState({ term: 2 })
      await save(8, 2, ['s'])
      const { consensus } = await start()
      expect(consensus).toMatchObject({ logFirstIndex: 1, lastIndex: 12 })
    })
  })

  it('tells how far a long restore is, every ten seconds', async () => {
    const meta = await save(5, 2, ['1'])
    const clock = new VirtualClock()
    const restore = machine.restore.bind(machine)
    machine.restore = async (state) => {
      await restore(state)
      await new Promise<void>((resolve) => clock.setTimer(25_000, resolve))
    }
    const stores = { logStore: store, stableStore: store, snapshotStore: snapshots }
    await clock.wait(load({ ...stores, stateMachine: machine }, { logTailBytes: 1, logger, clock }))
    const told = logger.lines.filter(({ message }) => message === 'restoring a snapshot')
    const { id: snapshot, size: bytes } = meta
    expect(told.map(({ fields }) => fields)).toEqual([
      { snapshot, restored: bytes, bytes },
      { snapshot, restored: bytes, bytes },
    ])
    expect(clock.timers).toBe(0)
  })

  it('leaves the state machine as it is when that keeps its state by itself', async () => {
    await save(5, 2, ['1'])
    const stores = { logStore: store, stableStore: store, snapshotStore: snapshots }
    const clock = new VirtualClock()
    const options = { logTailBytes: 1, logger, clock, restoreSnapshotOnStart: false }
    const { consensus, applied } = await load({ ...stores, stateMachine: machine }, options)
    expect(machine.restores).toBe(0)
    expect(consensus.snapshot).toEqual({ index: 5, term: 2 })
    expect(consensus.configurations).toEqual([{ configuration: member('s'), index: 1 }])
    expect(applied).toMatchObject({ index: 5, term: 2 })
  })

  it.each([
    ['is given it', 5, 1],
    ['is not, when it never came', 6, 0],
  ])('that was about to be given a snapshot before a crash %s', async (_, pending, restores) => {
    await save(5, 2, ['1'])
    await savePendingRestore(store, pending)
    const stores = { logStore: store, stableStore: store, snapshotStore: snapshots }
    const clock = new VirtualClock()
    const options = { logTailBytes: 1, logger, clock, restoreSnapshotOnStart: false }
    const { applied } = await load({ ...stores, stateMachine: machine }, options)
    expect(machine.restores).toBe(restores)
    expect(applied).toMatchObject({ index: 5, term: 2 })
    // Not a second time.
    await load({ ...stores, stateMachine: machine }, options)
    expect(machine.restores).toBe(restores)
  })

  it('is not started on a pending restore that raftkit did not write', async () => {
    await store.set('restore-pending', new TextEncoder().encode('5x'))
    expect(await rejection(loadPendingRestore(store))).toMatchObject({ code: 'RAFT_STORE_CORRUPT' })
  })
})
