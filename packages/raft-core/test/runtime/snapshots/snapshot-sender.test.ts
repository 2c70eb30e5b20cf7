import {
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
  RaftError,
  type SnapshotStore,
  type Transport,
} from '@raftkit/interface'
import { InmemSnapshotStore } from '@raftkit/store-inmem'
import { decodeConfiguration } from '@raftkit/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ConsensusEvent } from '../../../src/consensus/events.ts'
import { headerOf } from '../../../src/runtime/network/rpc-messages.ts'
import { SnapshotSender } from '../../../src/runtime/snapshots/snapshot-sender.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const STALL_MS = 100
const configuration = { servers: [{ suffrage: 'voter' as const, id: 'b', address: 'b:1' }] }
const effect = {
  type: 'send-snapshot',
  to: { suffrage: 'voter', id: 'b', address: 'b:1' },
  sendId: 7,
  term: 4,
} as const

let clock: VirtualClock
let store: InmemSnapshotStore
let logger: MemoryLogger
let events: ConsensusEvent[]
let request: InstallSnapshotRequest | undefined
/** Takes the next chunk of the snapshot. */
let take: () => Promise<IteratorResult<Uint8Array>>
let answer: (success: boolean) => void
let signal: AbortSignal | undefined
let sender: SnapshotSender
let openSnapshots: number

beforeEach(async () => {
  clock = new VirtualClock()
  store = new InmemSnapshotStore()
  logger = new MemoryLogger()
  events = []
  openSnapshots = 0
  const transport = {
    installSnapshot: (
      _: unknown,
      sent: InstallSnapshotRequest,
      state: AsyncIterable<Uint8Array>,
      options?: { readonly signal?: AbortSignal },
    ) => {
      request = sent
      signal = options?.signal
      const iterator = state[Symbol.asyncIterator]()
      take = () => iterator.next()
      return new Promise<InstallSnapshotResponse>((resolve, reject) => {
        answer = (success) =>
          resolve({ type: 'install-snapshot', header: headerOf('b', 'b:1'), term: 4, success })
        signal?.addEventListener('abort', () => reject(signal?.reason as Error))
      })
    },
  } as Partial<Transport> as Transport
  const counted: SnapshotStore = {
    create: (description) => store.create(description),
    list: () => store.list(),
    open: async (id) => {
      const opened = await store.open(id)
      openSnapshots++
      return {
        ...opened,
        close: async () => {
          openSnapshots--
          await opened.close()
        },
      }
    },
  }
  sender = new SnapshotSender({
    transport,
    store: counted,
    clock,
    stallMs: STALL_MS,
    header: headerOf('a', 'a:1'),
    logger,
    submit: (event) => events.push(event),
  })
  await save(5)
})

async function save(index: number): Promise<void> {
  const sink = await store.create({ index, term: 2, configuration, configurationIndex: 1 })
  await sink.write(new Uint8Array(10))
  await sink.close()
}

describe('SnapshotSender', () => {
  it('sends the newest snapshot, says how far it reaches, and reports the answer', async () => {
    await save(9)
    sender.send(effect)
    await clock.settle()
    expect(request).toMatchObject({
      snapshotVersion: 1,
      term: 4,
      lastLogIndex: 9,
      lastLogTerm: 2,
      configurationIndex: 1,
      size: 10,
    })
    expect(decodeConfiguration(request!.configuration)).toEqual(configuration)
    expect(events).toEqual([{ type: 'snapshot-opened', peer: 'b', sendId: 7, index: 9, term: 2 }])
    answer(true)
    await clock.settle()
    expect(events[1]).toMatchObject({
      type: 'answered',
      sendId: 7,
      answer: { type: 'install-snapshot', term: 4, success: true },
    })
    expect([sender.active, openSnapshots]).toEqual([0, 0])
    expect(clock.timers).toBe(0)
  })

  it('sends an older one when the newest cannot be opened', async () => {
    await save(9)
    const [newest] = await store.list()
    const open = store.open.bind(store)
    store.open = (id) =>
      id === newest!.id
        ? Promise.reject(new RaftError('RAFT_SNAPSHOT_CORRUPT', 'checksum'))
        : open(id)
    sender.send(effect)
    await clock.settle()
    expect(request!.lastLogIndex).toBe(5)
    expect(logger.at('error')).toMatchObject([{ message: 'a snapshot cannot be opened' }])
  })

  it('fails when there is none that could be sent', async () => {
    store.open = () => Promise.reject(new RaftError('RAFT_SNAPSHOT_CORRUPT', 'checksum'))
    sender.send(effect)
    await clock.settle()
    expect(events).toEqual([{ type: 'send-failed', peer: 'b', sendId: 7, failure: 'unreachable' }])
    expect(sender.active).toBe(0)
  })

  it('gives up when the follower takes nothing for too long, and only then', async () => {
    sender.send(effect)
    await clock.settle()
    await clock.advance(STALL_MS - 10)
    await take()
    await clock.advance(STALL_MS - 10)
    expect(events).toHaveLength(1)
    await clock.advance(10)
    expect(events[1]).toMatchObject({ type: 'send-failed', failure: 'unreachable' })
    expect(signal?.aborted).toBe(true)
    expect(openSnapshots).toBe(0)
  })

  it('gives up a follower that does not even take the first byte', async () => {
    sender.send(effect)
    await clock.settle()
    await clock.advance(STALL_MS)
    expect(events[1]).toMatchObject({ type: 'send-failed', failure: 'unreachable' })
  })

  it('gives the follower time to restore after the last byte', async () => {
    sender.send(effect)
    await clock.settle()
    while (!(await take()).done) await clock.advance(STALL_MS - 10)
    await clock.advance(STALL_MS - 10)
    answer(true)
    await clock.settle()
    expect(events.at(-1)?.type).toBe('answered')
  })

  it('stops when it is told that the snapshot is not needed', async () => {
    sender.send(effect)
    await clock.settle()
    sender.drop('b')
    await clock.settle()
    expect(signal?.aborted).toBe(true)
    expect([sender.active, openSnapshots]).toEqual([0, 0])
  })

  it('has one on its way to a peer: a second one ends the first', async () => {
    sender.send(effect)
    await clock.settle()
    const first = signal
    sender.send({ ...effect, sendId: 8 })
    await clock.settle()
    expect([first?.aborted, signal?.aborted, sender.active]).toEqual([true, false, 1])
    expect(openSnapshots).toBe(1)
  })
})
