import type { InstallSnapshotRequest, StateMachine } from '@raftkit/interface'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { encodeConfiguration } from '@raftkit/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ConsensusEvent } from '../../../src/consensus/events.ts'
import { Applier } from '../../../src/runtime/state-machine/applier.ts'
import { LogTail } from '../../../src/runtime/log/log-tail.ts'
import { LogWriter } from '../../../src/runtime/log/log-writer.ts'
import { headerOf } from '../../../src/runtime/network/rpc-messages.ts'
import { ServerLog } from '../../../src/runtime/log/server-log.ts'
import { loadPendingRestore } from '../../../src/runtime/snapshots/pending-restore.ts'
import {
  SnapshotReceiver,
  type SnapshotReceiverParts,
} from '../../../src/runtime/snapshots/snapshot-receiver.ts'
import { numbered } from '../../support/batches.ts'
import { onCancel } from '../../support/sinks.ts'
import { ControlledStore } from '../../support/controlled-store.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const STALL_MS = 100
const configuration = { servers: [{ suffrage: 'voter' as const, id: 'a', address: 'a:1' }] }
const ignore = (): void => {}
const request: InstallSnapshotRequest = {
  type: 'install-snapshot',
  header: headerOf('b', 'b:1'),
  snapshotVersion: 1,
  term: 4,
  lastLogIndex: 20,
  lastLogTerm: 3,
  peers: new Uint8Array(0),
  configuration: encodeConfiguration(configuration),
  configurationIndex: 2,
  size: 4,
}

let clock: VirtualClock
let data: InmemStore
let disk: ControlledStore
let snapshots: InmemSnapshotStore
let logger: MemoryLogger
let applier: Applier<null>
let parts: SnapshotReceiverParts<null>
let receiver: SnapshotReceiver<null>
let events: ConsensusEvent[]
let order: string[]
let restored: number[]
let failRestore: boolean
let timersBefore: number
let cancelled: number

beforeEach(async () => {
  clock = new VirtualClock()
  data = new InmemStore()
  disk = new ControlledStore(data)
  snapshots = new InmemSnapshotStore()
  cancelled = 0
  onCancel(snapshots, () => cancelled++)
  logger = new MemoryLogger()
  events = []
  order = []
  restored = []
  failRestore = false
  const writer = new LogWriter(
    clock,
    1e9,
    { logStore: disk, stableStore: disk },
    { firstIndex: 0, lastIndex: 0 },
    {
      onEntriesDurable: ignore,
      onHardStateDurable: ignore,
      onReset: ignore,
      onStalled: ignore,
      onRecovered: ignore,
      onFailed: ({ code }) => order.push(code),
    },
  )
  const log = new ServerLog(disk, new LogTail(1e9), writer)
  log.append(numbered(1, 1, 5))
  await clock.settle()
  disk.operations.length = 0
  const stateMachine: StateMachine<null> = {
    apply: () => null,
    snapshot: () => ({ persist: async () => {} }),
    restore: async (state) => {
      order.push(
        `restore, log ${JSON.stringify(await data.bounds())}, ${(await snapshots.list()).length} saved`,
      )
      if (failRestore) throw new Error('unknown format')
      for await (const chunk of state) restored.push(...chunk)
    },
  }
  const limits = { maxApplyTurnMs: 100, maxApplyBatch: 100 }
  const start = { index: 0, term: 0, configuration: { configuration, index: 0 } }
  applier = new Applier<null>(clock, limits, log, stateMachine, start, {
    onApplied: ignore,
    onFailed: ignore,
  })
  parts = {
    store: snapshots,
    stateMachine,
    applier,
    log,
    keepsState: false,
    clock,
    stallMs: STALL_MS,
    logger,
    submit: (event) => events.push(event),
    onInstalled: ({ index }) => order.push(`installed ${index}`),
    onFailed: ({ code }) => order.push(code),
  }
  receiver = new SnapshotReceiver<null>(parts)
  timersBefore = clock.timers
})

async function* chunks(...bytes: readonly number[][]): AsyncGenerator<Uint8Array> {
  for (const chunk of bytes) yield Uint8Array.from(chunk)
}

function install(state: AsyncIterable<Uint8Array>, keepLogAfter = false): void {
  receiver.install({ type: 'install-snapshot', requestId: 7, keepLogAfter }, { request, state })
}

const failed = (message: string) => [
  {
    type: 'snapshot-install-failed',
    requestId: 7,
    message: expect.stringContaining(message) as string,
  },
]

describe('SnapshotReceiver', () => {
  it('notes that a state machine that keeps its state is to be given the snapshot, until it was', async () => {
    const { stateMachine } = parts
    const noted: number[] = []
    const restore = async (state: AsyncIterable<Uint8Array>): Promise<void> => {
      noted.push(await loadPendingRestore(data))
      await stateMachine.restore(state)
    }
    receiver = new SnapshotReceiver<null>({
      ...parts,
      stateMachine: { ...stateMachine, restore },
      keepsState: true,
    })
    install(chunks([1, 2, 3, 4]), true)
    await clock.settle()
    expect(events).toEqual([{ type: 'snapshot-installed', requestId: 7 }])
    expect([...noted, await loadPendingRestore(data)]).toEqual([20, 0])
  })

  it('has installed a snapshot that it cannot close: state and log are those of the snapshot', async () => {
    const open = snapshots.open.bind(snapshots)
    snapshots.open = async (id) => ({
      ...(await open(id)),
      close: () => Promise.reject(new Error('input/output error')),
    })
    install(chunks([1, 2, 3, 4]))
    await clock.settle()
    expect(events).toEqual([{ type: 'snapshot-installed', requestId: 7 }])
    expect(order.at(-1)).toBe('installed 20')
    expect(logger.at('warn')).toMatchObject([{ message: 'a snapshot could not be closed' }])
  })

  it('stores, restores, and only then removes the log', async () => {
    install(chunks([1, 2], [3, 4]))
    await clock.settle()
    expect(order).toEqual(['restore, log {"firstIndex":1,"lastIndex":5}, 1 saved', 'installed 20'])
    expect(restored).toEqual([1, 2, 3, 4])
    expect(disk.operations).toEqual(['set snapshot-floor', 'truncatePrefix 5'])
    expect(events).toEqual([{ type: 'snapshot-installed', requestId: 7 }])
    expect([applier.appliedIndex, applier.commitIndex]).toEqual([20, 20])
    expect(await snapshots.list()).toMatchObject([
      { index: 20, term: 3, configuration, configurationIndex: 2, size: 4 },
    ])
    expect(clock.timers).toBe(timersBefore)
  })

  it('tells how far a long transfer is, every ten seconds', async () => {
    async function* slow(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 300; sent++) {
        await new Promise<void>((resolve) => clock.setTimer(80, resolve))
        yield Uint8Array.of(sent & 255)
      }
    }
    const large = { ...request, size: 300 }
    const state = slow()
    receiver.install(
      { type: 'install-snapshot', requestId: 7, keepLogAfter: false },
      { request: large, state },
    )
    await clock.until(() => events.length > 0)
    expect(events).toEqual([{ type: 'snapshot-installed', requestId: 7 }])
    const told = logger.lines.filter(({ message }) => message === 'receiving a snapshot')
    expect(told.map(({ fields }) => fields)).toEqual([
      { index: 20, bytes: 300 },
      { received: 125, bytes: 300 },
      { received: 250, bytes: 300 },
    ])
  })

  it('keeps the log when it agrees with the snapshot', async () => {
    install(chunks([1, 2, 3, 4]), true)
    await clock.settle()
    expect(disk.operations).toEqual([])
    expect(events).toEqual([{ type: 'snapshot-installed', requestId: 7 }])
  })

  it('tells of the installation only when the log is gone', async () => {
    disk.hang()
    install(chunks([1, 2, 3, 4]))
    await clock.settle()
    expect(events).toEqual([])
    disk.release()
    await clock.settle()
    expect(events).toEqual([{ type: 'snapshot-installed', requestId: 7 }])
  })

  it.each([
    ['too short', [1, 2, 3]],
    ['too long', [1, 2, 3, 4, 5]],
  ])('refuses a state that is %s, and leaves everything as it was', async (_, bytes) => {
    install(chunks(bytes))
    await clock.settle()
    expect(events).toEqual(failed('short read'))
    expect(order).toEqual([])
    expect(await snapshots.list()).toEqual([])
    expect(disk.operations).toEqual([])
    expect(applier.appliedIndex).toBe(0)
  })

  it('refuses a state whose transfer breaks', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1)
      throw new Error('connection lost')
    }
    install(broken())
    await clock.settle()
    expect(events).toEqual(failed('connection lost'))
    expect(await snapshots.list()).toEqual([])
  })

  it.each([0, 1, 3])('gives up a transfer that stops after %d bytes', async (count) => {
    async function* stuck(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < count; sent++) yield Uint8Array.of(1)
      await new Promise(() => {})
    }
    install(stuck())
    await clock.settle()
    await clock.advance(STALL_MS - 1)
    expect(events).toEqual([])
    await clock.advance(1)
    expect(events).toEqual(failed('made no progress'))
    expect(await snapshots.list()).toEqual([])
    expect(cancelled).toBe(1)
  })

  it('stops the server when the state machine fails in the middle', async () => {
    failRestore = true
    install(chunks([1, 2, 3, 4]))
    await clock.settle()
    expect(order.at(-1)).toBe('RAFT_STATE_MACHINE_FAILED')
    expect(events).toEqual([])
    expect(disk.operations).toEqual([])
  })

  it('fails when the store cannot begin a snapshot', async () => {
    snapshots.create = () => Promise.reject(new Error('disk full'))
    install(chunks([1, 2, 3, 4]))
    await clock.settle()
    expect(events).toEqual(failed('disk full'))
  })

  it('ends when it is closed', async () => {
    async function* stuck(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1)
      await new Promise(() => {})
    }
    install(stuck())
    await clock.settle()
    await receiver.close()
    expect(await snapshots.list()).toEqual([])
    expect(clock.timers).toBe(timersBefore)
  })

  it('logs the progress of a long transfer', async () => {
    async function* slow(): AsyncGenerator<Uint8Array> {
      for (const byte of [1, 2, 3, 4]) {
        clock.freeze(9000)
        yield Uint8Array.of(byte)
      }
    }
    install(slow())
    await clock.settle()
    const lines = logger.at('info').map(({ message, fields }) => [message, fields['received']])
    expect(lines).toContainEqual(['receiving a snapshot', 2])
  })
})
