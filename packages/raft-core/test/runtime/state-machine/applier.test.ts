import {
  type Configuration,
  type EntryBatch,
  type LogEntry,
  LogType,
  type StateMachine,
} from '@raftkit/interface'
import { InmemStore } from '@raftkit/store-inmem'
import { encodeConfiguration, encodeEntries } from '@raftkit/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { Applier } from '../../../src/runtime/state-machine/applier.ts'
import { LogTail } from '../../../src/runtime/log/log-tail.ts'
import { LogWriter } from '../../../src/runtime/log/log-writer.ts'
import { ServerLog } from '../../../src/runtime/log/server-log.ts'
import { numbered } from '../../support/batches.ts'
import { ControlledStore } from '../../support/controlled-store.ts'
import { rejection } from '../../support/rejection.ts'
import { textOf } from '../../support/text-machine.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const none = { configuration: { servers: [] }, index: 0 }
const origin = { index: 0, term: 0, configuration: none }
const limits = { maxApplyTurnMs: 8, maxApplyBatch: 100 }
const ignore = (): void => {}

let clock: VirtualClock
let store: ControlledStore
let log: ServerLog
let applied: string[]
let told: { from: number; to: number; responses: unknown[] }[]
let failures: { code: string; details: object }[]

beforeEach(() => {
  clock = new VirtualClock()
  store = new ControlledStore(new InmemStore())
  applied = []
  told = []
  failures = []
  const stores = { logStore: store, stableStore: store }
  const tail = new LogTail(1e9)
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
  log = new ServerLog(store, tail, writer)
})

const machine: StateMachine<string> = {
  apply(entry) {
    applied.push(textOf(entry.data))
    return textOf(entry.data).toUpperCase()
  },
  snapshot: () => ({ persist: async () => {} }),
  restore: async () => {},
}

function create(
  stateMachine: Partial<StateMachine<string>> = {},
  over: Partial<typeof limits> = {},
) {
  return new Applier<string>(
    clock,
    { ...limits, ...over },
    log,
    { ...machine, ...stateMachine },
    origin,
    {
      onApplied: (_, from, to, responses) => told.push({ from, to, responses: [...responses] }),
      onFailed: ({ code, details }) => failures.push({ code, details }),
    },
  )
}

const append = (...batches: EntryBatch[]): void => {
  for (const batch of batches) log.append(batch)
}

describe('Applier', () => {
  it('applies what is committed, in order, and no more', () => {
    append(numbered(1, 1, 3), numbered(4, 1, 3))
    const applier = create()
    applier.commit(4)
    applier.run()
    expect(applied).toEqual(['1', '2', '3', '4'])
    expect(told).toEqual([
      { from: 1, to: 3, responses: ['1', '2', '3'] },
      { from: 4, to: 4, responses: ['4'] },
    ])
    expect([applier.appliedIndex, applier.commitIndex]).toEqual([4, 4])
  })

  it('captures nothing once the state machine has failed, not even for who waits already', async () => {
    append(numbered(1, 1, 3))
    let fail = ignore
    const applier = create({
      apply: () =>
        new Promise((_, reject) => {
          fail = () => reject(new Error('half done'))
        }),
    })
    applier.commit(3)
    applier.run()
    const waiting = rejection(applier.capture())
    fail()
    expect((await waiting).code).toBe('RAFT_STOPPED')
    expect((await rejection(applier.capture())).code).toBe('RAFT_STOPPED')
  })

  it('does not apply a replaced entry that shared a batch with committed ones', () => {
    append(numbered(1, 1, 5))
    const applier = create()
    applier.commit(2)
    applier.run()
    log.truncate(3)
    append(encodeEntries(3, 2, [{ type: LogType.command, data: new TextEncoder().encode('new') }]))
    applier.commit(3)
    applier.run()
    expect(applied).toEqual(['1', '2', 'new'])
  })

  it('hands over commands only; a no-op and a barrier have no response', () => {
    const data = new Uint8Array(0)
    append(
      encodeEntries(1, 1, [
        { type: LogType.noop, data },
        { type: LogType.barrier, data },
      ]),
    )
    const applier = create()
    applier.commit(2)
    applier.run()
    expect(applied).toEqual([])
    expect(told).toEqual([{ from: 1, to: 2, responses: [undefined, undefined] }])
  })

  it('gives batches of commands to a state machine that takes them, around other entries', () => {
    const command = { type: LogType.command, data: new TextEncoder().encode('x') }
    const noop = { type: LogType.noop, data: new Uint8Array(0) }
    append(encodeEntries(1, 1, [command, command, noop, command]))
    const batches: number[][] = []
    const applier = create({
      applyBatch: (entries: readonly LogEntry[]) => {
        batches.push(entries.map(({ index }) => index))
        return entries.map(({ index }) => `r${index}`)
      },
    })
    applier.commit(4)
    applier.run()
    expect(batches).toEqual([[1, 2], [4]])
    expect(told).toEqual([{ from: 1, to: 4, responses: ['r1', 'r2', undefined, 'r4'] }])
  })

  it('tells the state machine of committed configurations, in order with the commands', async () => {
    const configuration: Configuration = {
      servers: [{ suffrage: 'voter', id: 'a', address: 'a:1' }],
    }
    append(
      numbered(1, 1, 1),
      encodeEntries(2, 1, [
        { type: LogType.configuration, data: encodeConfiguration(configuration) },
      ]),
      numbered(3, 1, 1),
    )
    const applier = create({
      storeConfiguration: (index, stored) =>
        void applied.push(`${index}: ${stored.servers[0]!.address}`),
    })
    applier.commit(3)
    applier.run()
    expect(applied).toEqual(['1', '2: a:1', '3'])
    const captured = await applier.capture()
    expect(captured.configuration).toEqual({ configuration, index: 2 })
  })

  it('keeps the order of a state machine that answers with promises', async () => {
    append(numbered(1, 1, 5))
    const applier = create({
      apply: async (entry: LogEntry) => {
        const text = textOf(entry.data)
        for (let turns = 6 - entry.index; turns > 0; turns--) await Promise.resolve()
        applied.push(text)
        return text
      },
    })
    applier.commit(5)
    applier.run()
    applier.run()
    await clock.settle()
    expect(applied).toEqual(['1', '2', '3', '4', '5'])
    expect(told.flatMap(({ responses }) => responses)).toEqual(['1', '2', '3', '4', '5'])
  })

  it('leaves the event loop to others when its time is up', async () => {
    append(numbered(1, 1, 300))
    const applier = create({
      apply: (entry) => {
        clock.freeze(1)
        applied.push(`${entry.index}`)
        return ''
      },
    })
    clock.afterInput(() => applied.push('others'))
    applier.commit(300)
    applier.run()
    // 32 entries are between two looks at the clock.
    expect(applied).toHaveLength(32)
    await clock.settle()
    expect(applied.indexOf('others')).toBe(32)
    expect(applied).toHaveLength(301)
  })

  it('reads from the store what is no longer in memory', async () => {
    append(numbered(1, 1, 10), numbered(11, 1, 10))
    await clock.settle()
    log.compact(0)
    const emptied = new ServerLog(store, new LogTail(1), log.writer)
    log = emptied
    const applier = create()
    applier.commit(20)
    applier.run()
    await clock.settle()
    expect(applied).toHaveLength(20)
  })

  it('fails when committed entries cannot be read', async () => {
    append(numbered(1, 1, 3))
    await clock.settle()
    log = new ServerLog(store, new LogTail(1), log.writer)
    store.fail('read')
    const applier = create()
    applier.commit(3)
    applier.run()
    await clock.settle()
    expect(failures).toMatchObject([{ code: 'RAFT_READ_FAILED' }])
  })

  describe('when the state machine fails', () => {
    const poisoned = (at: number) => (entry: LogEntry) => {
      if (entry.index === at) throw new Error('poison')
      applied.push(`${entry.index}`)
      return `${entry.index}`
    }

    it('tells of the entries before, names the entry, and applies nothing more', () => {
      append(numbered(1, 1, 5))
      const applier = create({ apply: poisoned(3) })
      applier.commit(5)
      applier.run()
      applier.run()
      expect(told).toEqual([{ from: 1, to: 2, responses: ['1', '2'] }])
      expect(failures).toMatchObject([{ code: 'RAFT_STATE_MACHINE_FAILED', details: { index: 3 } }])
      expect(applier.appliedIndex).toBe(2)
    })

    it('does the same for a rejected promise', async () => {
      append(numbered(1, 1, 5))
      const applier = create({ apply: async (entry: LogEntry) => poisoned(3)(entry) })
      applier.commit(5)
      applier.run()
      await clock.settle()
      expect(applied).toEqual(['1', '2'])
      expect(failures).toMatchObject([{ details: { index: 3 } }])
    })

    it('counts a wrong number of responses as a failure', () => {
      append(numbered(1, 1, 3))
      const applier = create({ applyBatch: () => ['only one'] })
      applier.commit(3)
      applier.run()
      expect(failures).toMatchObject([{ details: { index: 1 } }])
      expect(told).toEqual([])
    })
  })

  it('lends the state machine between two commands', async () => {
    append(numbered(1, 1, 3))
    let release = ignore
    const applier = create({
      apply: (entry: LogEntry) =>
        new Promise<string>((resolve) => {
          applied.push(`begin ${entry.index}`)
          release = () => {
            applied.push(`end ${entry.index}`)
            resolve('')
          }
        }),
      snapshot: () => {
        applied.push('snapshot')
        return { persist: async () => {} }
      },
    })
    applier.commit(3)
    applier.run()
    const captured = applier.capture()
    await clock.settle()
    expect(applied).toEqual(['begin 1'])
    release()
    expect((await captured).index).toBe(1)
    await clock.settle()
    expect(applied).toEqual(['begin 1', 'end 1', 'snapshot', 'begin 2'])
  })

  it('goes on after a replaced state, not before', async () => {
    append(numbered(1, 1, 5))
    const applier = create()
    applier.commit(5)
    const replaced = applier.replace({ index: 3, term: 1, configuration: none }, async () => {
      applied.push('replaced')
    })
    applier.run()
    expect(applied).toEqual(['replaced'])
    await replaced
    await clock.settle()
    expect(applied).toEqual(['replaced', '4', '5'])
  })

  it('applies nothing once closed', async () => {
    append(numbered(1, 1, 3))
    const applier = create()
    await applier.close()
    applier.commit(3)
    applier.run()
    await clock.settle()
    expect(applied).toEqual([])
  })
})
