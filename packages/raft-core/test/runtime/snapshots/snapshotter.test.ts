import type { SnapshotMeta, StateMachine } from '@raftkit/interface'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { beforeEach, describe, expect, it } from 'vitest'
import { Applier } from '../../../src/runtime/state-machine/applier.ts'
import { LogTail } from '../../../src/runtime/log/log-tail.ts'
import { LogWriter } from '../../../src/runtime/log/log-writer.ts'
import { ServerLog } from '../../../src/runtime/log/server-log.ts'
import { Snapshotter } from '../../../src/runtime/snapshots/snapshotter.ts'
import { numbered } from '../../support/batches.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { rejection } from '../../support/rejection.ts'
import { onCancel } from '../../support/sinks.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const INTERVAL_MS = 100
const configuration = {
  configuration: { servers: [{ suffrage: 'voter' as const, id: 'a', address: 'a:1' }] },
  index: 1,
}
const ignore = (): void => {}

let clock: VirtualClock
let store: InmemSnapshotStore
let logger: MemoryLogger
let applier: Applier<null>
let snapshotter: Snapshotter<null>
let saved: SnapshotMeta[]
/** Ends the writing of a snapshot. */
let finish: (() => void)[]
let isHeld: boolean
let timersBefore: number

beforeEach(() => {
  clock = new VirtualClock()
  store = new InmemSnapshotStore()
  logger = new MemoryLogger()
  saved = []
  finish = []
  isHeld = false
  const data = new InmemStore()
  const stores = { logStore: data, stableStore: data }
  const writer = new LogWriter(
    clock,
    1e9,
    stores,
    { firstIndex: 0, lastIndex: 0 },
    {
      onEntriesDurable: ignore,
      onHardStateDurable: ignore,
      onReset: ignore,
      onStalled: ignore,
      onRecovered: ignore,
      onFailed: ignore,
    },
  )
  const log = new ServerLog(data, new LogTail(1e9), writer)
  log.append(numbered(1, 1, 1000))
  const stateMachine: StateMachine<null> = {
    apply: () => null,
    restore: async () => {},
    snapshot: () => ({
      persist: async (sink) => {
        if (isHeld) await new Promise<void>((resolve) => finish.push(resolve))
        await sink.write(new Uint8Array(3))
      },
    }),
  }
  const limits = { maxApplyTurnMs: 100, maxApplyBatch: 100 }
  applier = new Applier<null>(
    clock,
    limits,
    log,
    stateMachine,
    { index: 0, term: 0, configuration },
    {
      onApplied: ignore,
      onFailed: ignore,
    },
  )
  snapshotter = new Snapshotter<null>(
    {
      clock,
      random: { next: () => 0.5 },
      config: { snapshotIntervalMs: INTERVAL_MS, snapshotThreshold: 10 },
      applier,
      store,
      logger,
      whenDurable: (index) => writer.whenDurable(index),
      onSaved: (meta) => saved.push(meta),
    },
    0,
  )
  timersBefore = clock.timers
})

function apply(to: number): void {
  applier.commit(to)
  applier.run()
}

const indexes = (): number[] => saved.map(({ index }) => index)

describe('Snapshotter', () => {
  it('looks once per interval, at a random moment of it', async () => {
    snapshotter.start()
    apply(10)
    await clock.advance(INTERVAL_MS * 1.5 - 1)
    expect(indexes()).toEqual([])
    await clock.advance(1)
    expect(indexes()).toEqual([10])
  })

  it('takes none below the threshold', async () => {
    snapshotter.start()
    apply(9)
    await clock.advance(INTERVAL_MS * 10)
    expect(indexes()).toEqual([])
    apply(10)
    await clock.advance(INTERVAL_MS * 2)
    expect(indexes()).toEqual([10])
  })

  it('takes the next at once when so much was applied while one was written', async () => {
    isHeld = true
    snapshotter.start()
    apply(10)
    await clock.advance(INTERVAL_MS * 1.5)
    apply(50)
    isHeld = false
    finish.shift()!()
    await clock.settle()
    expect(indexes()).toEqual([10, 50])
  })

  it('writes one at a time', async () => {
    isHeld = true
    snapshotter.start()
    apply(10)
    await clock.advance(INTERVAL_MS * 1.5)
    apply(30)
    await clock.advance(INTERVAL_MS * 10)
    expect(finish).toHaveLength(1)
  })

  it("gives up what a leader's snapshot made useless", async () => {
    isHeld = true
    apply(10)
    const abandoned = rejection(snapshotter.take())
    await clock.settle()
    snapshotter.superseded(200)
    finish.shift()!()
    await clock.settle()
    expect((await abandoned).code).toBe('RAFT_SNAPSHOT_FAILED')
    expect(await store.list()).toEqual([])
  })

  it("counts a leader's snapshot as its last", async () => {
    snapshotter.start()
    snapshotter.superseded(95)
    apply(100)
    await clock.advance(INTERVAL_MS * 3)
    expect(indexes()).toEqual([])
    apply(105)
    await clock.advance(INTERVAL_MS * 3)
    expect(indexes()).toEqual([105])
  })

  it('removes what it wrote of a snapshot that fails', async () => {
    let cancelled = 0
    onCancel(store, () => cancelled++)
    isHeld = true
    apply(10)
    const failed = rejection(snapshotter.take())
    await clock.settle()
    snapshotter.superseded(10)
    finish.shift()!()
    await clock.settle()
    await failed
    expect(cancelled).toBe(1)
  })

  it('logs what fails by itself, and tries again', async () => {
    const create = store.create.bind(store)
    store.create = () => Promise.reject(new Error('disk full'))
    snapshotter.start()
    apply(10)
    await clock.advance(INTERVAL_MS * 1.5)
    expect(logger.at('warn')).toMatchObject([{ message: 'the snapshot could not be taken' }])
    store.create = create
    await clock.advance(INTERVAL_MS * 2)
    expect(indexes()).toEqual([10])
  })

  it('ends what is being written when it is closed', async () => {
    isHeld = true
    snapshotter.start()
    apply(10)
    const ended = rejection(snapshotter.take())
    await clock.settle()
    const closed = snapshotter.close()
    finish.shift()!()
    await closed
    expect((await ended).code).toBe('RAFT_SHUTDOWN')
    expect(await store.list()).toEqual([])
    expect((await rejection(snapshotter.take())).code).toBe('RAFT_SHUTDOWN')
    expect(clock.timers).toBe(timersBefore)
  })
})
