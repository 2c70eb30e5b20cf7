import { RaftError } from '@raftkit/interface'
import { InmemStore } from '@raftkit/store-inmem'
import { encodeEntries } from '@raftkit/wire'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { LogWriter } from '../../../src/runtime/log/log-writer.ts'
import { Outbox } from '../../../src/runtime/network/outbox.ts'
import { loadSnapshotFloor } from '../../../src/runtime/log/snapshot-floor.ts'
import { numbered } from '../../support/batches.ts'
import { ControlledStore } from '../../support/controlled-store.ts'
import { rejection } from '../../support/rejection.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const STALL_MS = 100
let clock: VirtualClock
let data: InmemStore
let store: ControlledStore
let writer: LogWriter
let told: string[]
let outbox: Outbox

beforeEach(() => {
  clock = new VirtualClock()
  data = new InmemStore()
  store = new ControlledStore(data)
  told = []
  const stores = { logStore: store, stableStore: store }
  writer = new LogWriter(
    clock,
    STALL_MS,
    stores,
    { firstIndex: 0, lastIndex: 0 },
    {
      onEntriesDurable: (index, term) => told.push(`durable ${index} (term ${term})`),
      onHardStateDurable: (sequence) => told.push(`hard state ${sequence}`),
      onReset: () => outbox.truncated(0),
      onStalled: (forMs) => told.push(`stalled for ${forMs}`),
      onRecovered: () => told.push('recovered'),
      onFailed: (error) => told.push(error.code),
    },
    true,
  )
  outbox = new Outbox(writer)
})

describe('LogWriter', () => {
  it('says what is durable, by index and term, when it is', async () => {
    store.hang()
    writer.append(numbered(1, 7, 3))
    await clock.settle()
    expect([writer.durableIndex, told]).toEqual([0, []])
    store.release()
    await clock.settle()
    expect([writer.durableIndex, told]).toEqual([3, ['durable 3 (term 7)']])
  })

  it('makes one write of everything that arrives while one is under way', async () => {
    store.hang()
    writer.append(numbered(1, 1, 1))
    for (let index = 2; index <= 10; index++) writer.append(numbered(index, 1, 1))
    store.release()
    await clock.settle()
    expect(store.operations).toEqual(['append 1..1', 'append 2..10'])
    expect(told).toEqual(['durable 1 (term 1)', 'durable 10 (term 1)'])
  })

  it('tells the store what is committed with the next append, no further than the log goes', async () => {
    writer.append(numbered(1, 1, 3))
    await clock.settle()
    writer.commit(2)
    await clock.settle()
    expect(await data.commitIndex()).toBe(0)
    writer.append(numbered(4, 1, 1))
    writer.commit(4)
    await clock.settle()
    expect(await data.commitIndex()).toBe(2)
    writer.commit(9)
    writer.append(numbered(5, 1, 1))
    await clock.settle()
    expect(await data.commitIndex()).toBe(5)
  })

  it('calls nothing committed that a truncation behind the write removes', async () => {
    writer.append(numbered(1, 1, 5))
    await clock.settle()
    store.hang()
    writer.saveHardState(1, { term: 2 })
    writer.append(numbered(6, 1, 2))
    writer.truncate(3)
    writer.append(numbered(3, 2, 4))
    // Entries 3..6 of term 2 are; those of term 1 are on the disk until the truncation.
    writer.commit(6)
    const kept: number[] = []
    const append = data.append.bind(data)
    data.append = async (batches, options) => {
      await append(batches, options)
      kept.push(await data.commitIndex())
    }
    store.release()
    await clock.settle()
    expect(store.operations.slice(1)).toEqual([
      'saveHardState 2',
      'append 6..7',
      'truncateSuffix 3',
      'append 3..6',
    ])
    expect(kept).toEqual([2, 6])
  })

  it('splits what waits into writes of bounded size', async () => {
    const size = 3 * 1024 * 1024
    store.hang()
    writer.append(numbered(1, 1, 1))
    for (let index = 2; index <= 5; index++)
      writer.append(encodeEntries(index, 1, [{ type: 0, data: new Uint8Array(size) }]))
    store.release()
    await clock.settle()
    expect(store.operations).toEqual(['append 1..1', 'append 2..3', 'append 4..5'])
  })

  it('keeps term, vote and truncations in order with the appends', async () => {
    store.hang()
    writer.append(numbered(1, 1, 3))
    writer.saveHardState(1, { term: 2 })
    writer.truncate(2)
    writer.append(numbered(2, 2, 1))
    store.release()
    await clock.settle()
    expect(store.operations).toEqual([
      'append 1..3',
      'saveHardState 2',
      'truncateSuffix 2',
      'append 2..2',
    ])
    expect(told).toEqual(['durable 1 (term 1)', 'hard state 1', 'durable 2 (term 2)'])
  })

  it('saves only the newest of terms and votes that wait', async () => {
    store.hang()
    writer.append(numbered(1, 1, 1))
    writer.saveHardState(1, { term: 2 })
    writer.saveHardState(2, { term: 3 })
    store.release()
    await clock.settle()
    expect(store.operations).toEqual(['append 1..1', 'saveHardState 3'])
    expect(told.at(-1)).toBe('hard state 2')
    expect(writer.durableSequence).toBe(2)
  })

  it('never calls truncated entries durable, though their write ends later', async () => {
    store.hang()
    writer.append(numbered(1, 1, 2))
    writer.append(numbered(3, 1, 2))
    writer.truncate(2)
    store.release()
    await clock.settle()
    expect(told).toEqual(['durable 1 (term 1)'])
    expect(writer.durableIndex).toBe(1)
    expect(await data.bounds()).toEqual({ firstIndex: 1, lastIndex: 1 })
  })

  it('takes durability back with a truncation at once', async () => {
    writer.append(numbered(1, 1, 5))
    await clock.settle()
    store.hang()
    writer.truncate(3)
    expect(writer.durableIndex).toBe(2)
    store.release()
  })

  it('says when a write hangs, and when that is over', async () => {
    store.hang()
    writer.append(numbered(1, 1, 1))
    await clock.advance(STALL_MS - 1)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual([`stalled for ${STALL_MS}`])
    store.release()
    await clock.settle()
    expect(told).toEqual([`stalled for ${STALL_MS}`, 'recovered', 'durable 1 (term 1)'])
  })

  it('does not take a long series of short writes for a hanging one', async () => {
    for (let index = 1; index <= 30; index++) {
      writer.append(numbered(index, 1, 1))
      await clock.advance(STALL_MS / 3)
    }
    expect(told.filter((line) => line.startsWith('stalled'))).toEqual([])
  })

  it('writes nothing more after a failure', async () => {
    store.fail('append')
    writer.append(numbered(1, 1, 1))
    await clock.settle()
    writer.saveHardState(1, { term: 5 })
    await clock.settle()
    expect(told).toEqual(['RAFT_STORE_FAILED'])
    expect(store.operations).toEqual([])
    await writer.whenIdle()
  })

  it('does not try a failed write again, though the disk may work by now', async () => {
    const append = vi.spyOn(store, 'append').mockRejectedValueOnce(new Error('input/output error'))
    writer.append(numbered(1, 1, 1))
    await clock.settle()
    expect(append).toHaveBeenCalledTimes(1)
    expect([writer.durableIndex, told]).toEqual([0, ['RAFT_STORE_FAILED']])
  })

  it('rejects what waits for durability when a write fails', async () => {
    store.fail('append')
    writer.append(numbered(1, 1, 1))
    const durable = rejection(writer.whenDurable(1))
    await clock.settle()
    expect((await durable).code).toBe('RAFT_STORE_FAILED')
  })

  it('compacts in slices, with appends in between', async () => {
    writer.append(numbered(1, 1, 10_000))
    await clock.settle()
    store.hang()
    writer.append(numbered(10_001, 1, 1))
    writer.compact(9000)
    writer.append(numbered(10_002, 1, 1))
    store.release()
    await clock.settle()
    expect(store.operations).toEqual([
      'append 1..10000',
      'append 10001..10001',
      'set snapshot-floor',
      'truncatePrefix 4096',
      'append 10002..10002',
      'truncatePrefix 8192',
      'truncatePrefix 9000',
    ])
  })

  it('removes the whole log for a snapshot, after the writes before it', async () => {
    writer.append(numbered(1, 1, 5))
    const reset = writer.reset(20)
    writer.append(numbered(21, 3, 1))
    await reset
    await clock.settle()
    expect(store.operations).toEqual([
      'append 1..5',
      'set snapshot-floor',
      'truncatePrefix 5',
      'append 21..21',
    ])
    expect(await loadSnapshotFloor(data)).toBe(20)
    expect(told).toEqual(['durable 21 (term 3)'])
    expect(await data.bounds()).toEqual({ firstIndex: 21, lastIndex: 21 })
  })

  it('saves how far a snapshot takes the place of the log before entries leave it', async () => {
    writer.append(numbered(1, 1, 5))
    await clock.settle()
    store.fail('truncatePrefix')
    writer.compact(4)
    await clock.settle()
    expect(await loadSnapshotFloor(data)).toBe(4)
  })

  it('removes nothing when that cannot be saved', async () => {
    writer.append(numbered(1, 1, 5))
    await clock.settle()
    store.fail('set')
    writer.compact(4)
    await clock.settle()
    expect(await data.bounds()).toEqual({ firstIndex: 1, lastIndex: 5 })
    expect(told.at(-1)).toBe('RAFT_STORE_FAILED')
  })

  it('rejects a removal that cannot be carried out', async () => {
    writer.append(numbered(1, 1, 5))
    store.fail('truncatePrefix')
    expect(RaftError.is(await rejection(writer.reset(20)), 'RAFT_STORE_FAILED')).toBe(true)
  })

  it('rejects a removal that is asked for after a write has failed: it never comes', async () => {
    store.fail('append')
    writer.append(numbered(1, 1, 5))
    await clock.settle()
    const refused = rejection(writer.reset(20))
    await clock.settle()
    expect(RaftError.is(await refused, 'RAFT_STORE_FAILED')).toBe(true)
  })

  // Simulator, seed 699: an acknowledgement of entries that a snapshot had replaced was held, and could have left later:
  // the durable index was that of the snapshot, and nothing told the two apart.
  it('lets nobody take an entry for durable that a snapshot threw away', async () => {
    store.hang()
    writer.append(numbered(1, 3, 5))
    const answers: string[] = []
    outbox.pass(
      { entry: { index: 5, term: 3 } },
      () => answers.push('accepted'),
      () => answers.push('replaced'),
    )
    const reset = writer.reset(20)
    expect(answers).toEqual(['replaced'])
    store.release()
    await clock.settle()
    await reset
    outbox.durable()
    expect([answers, outbox.length]).toEqual([['replaced'], 0])
  })
})
