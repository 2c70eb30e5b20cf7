import {
  type AppendEntriesRequest,
  type AppendEntriesResponse,
  type AppendPipeline,
  RaftError,
  silentLogger,
  type Transport,
} from '@raftkit/interface'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ConsensusEvent } from '../../../src/consensus/events.ts'
import { Replicator } from '../../../src/runtime/network/replicator.ts'
import { headerOf } from '../../../src/runtime/network/rpc-messages.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const header = headerOf('a', 'a:1')
const request: AppendEntriesRequest = {
  type: 'append-entries',
  header,
  term: 1,
  prevLogIndex: 0,
  prevLogTerm: 0,
  leaderCommit: 0,
  entries: [],
}
const response: AppendEntriesResponse = {
  type: 'append-entries',
  header: headerOf('b', 'b:1'),
  term: 1,
  lastLogIndex: 0,
  success: true,
  noRetryBackoff: false,
}

interface Sent {
  readonly answer: (response: AppendEntriesResponse) => void
  readonly fail: (error: RaftError) => void
}

/** A pipeline whose answers the test gives. */
class FakePipeline implements AppendPipeline {
  readonly sent: Sent[] = []
  readonly writable = true
  closed = false

  send(): Promise<AppendEntriesResponse> {
    return new Promise((resolve, reject) => this.sent.push({ answer: resolve, fail: reject }))
  }

  close(): void {
    this.closed = true
    for (const { fail } of this.sent) fail(new RaftError('RAFT_PIPELINE_CLOSED', 'closed'))
  }
}

let clock: VirtualClock
let events: ConsensusEvent[]
let pipelines: FakePipeline[]
let dialled: string[]
let openError: RaftError | undefined
let callError: RaftError | undefined
let replicator: Replicator

beforeEach(() => {
  clock = new VirtualClock()
  events = []
  pipelines = []
  dialled = []
  openError = undefined
  callError = undefined
  const transport = {
    call: async () => {
      if (callError !== undefined) throw callError
      return response
    },
    openPipeline: async ({ address }: { readonly address: string }) => {
      dialled.push(address)
      if (openError !== undefined) throw openError
      pipelines.push(new FakePipeline())
      return pipelines.at(-1)!
    },
  } as Partial<Transport> as Transport
  replicator = new Replicator(
    { id: 'b', address: 'b:1' },
    {
      transport,
      clock,
      rpcTimeoutMs: 100,
      logger: silentLogger,
      submit: (event) => events.push(event),
    },
  )
})

const failed = (sendId: number, failure: string) => ({
  type: 'send-failed',
  peer: 'b',
  sendId,
  failure,
})

describe('Replicator', () => {
  it('reports the answer to a probe', async () => {
    replicator.probe(7, request)
    await clock.settle()
    expect(events).toEqual([
      {
        type: 'answered',
        peer: 'b',
        sendId: 7,
        isRaftkit: true,
        answer: {
          type: 'append-entries',
          term: 1,
          success: true,
          lastLogIndex: 0,
          noRetryBackoff: false,
        },
      },
    ])
  })

  it.each([
    ['RAFT_RPC_UNSUPPORTED', 'unsupported'],
    ['RAFT_REMOTE_ERROR', 'refused'],
    ['RAFT_DIAL_FAILED', 'unreachable'],
    ['RAFT_RPC_TIMEOUT', 'unreachable'],
    ['RAFT_TRANSPORT_CLOSED', 'unreachable'],
  ] as const)('reports %s as %s', async (code, failure) => {
    callError = new RaftError(code, 'no')
    replicator.probe(7, request)
    await clock.settle()
    expect(events).toEqual([failed(7, failure)])
  })

  it('opens one pipeline for what is sent meanwhile, and keeps the order', async () => {
    replicator.send(1, request)
    replicator.send(2, request)
    await clock.settle()
    replicator.send(3, request)
    expect(dialled).toEqual(['b:1'])
    expect(pipelines[0]!.sent).toHaveLength(3)
    for (const { answer } of pipelines[0]!.sent) answer(response)
    await clock.settle()
    expect(events.map((event) => event.type === 'answered' && event.sendId)).toEqual([1, 2, 3])
  })

  it('fails everything that waited when the pipeline cannot be opened', async () => {
    openError = new RaftError('RAFT_DIAL_FAILED', 'no')
    replicator.send(1, request)
    replicator.send(2, request)
    await clock.settle()
    expect(events).toEqual([failed(1, 'unreachable'), failed(2, 'unreachable')])
  })

  it('opens a new pipeline after one broke', async () => {
    replicator.send(1, request)
    await clock.settle()
    pipelines[0]!.close()
    await clock.settle()
    replicator.send(2, request)
    await clock.settle()
    expect(events).toEqual([failed(1, 'unreachable')])
    expect(pipelines).toHaveLength(2)
    expect(pipelines[1]!.sent).toHaveLength(1)
  })

  it('gives up a pipeline that answers nothing for rpcTimeoutMs', async () => {
    replicator.send(1, request)
    await clock.advance(90)
    expect(events).toEqual([])
    await clock.advance(10)
    expect(events).toEqual([failed(1, 'unreachable')])
  })

  it('keeps a slow pipeline that still answers', async () => {
    for (let sendId = 1; sendId <= 5; sendId++) replicator.send(sendId, request)
    for (let answered = 0; answered < 5; answered++) {
      await clock.advance(80)
      pipelines[0]!.sent[answered]!.answer(response)
    }
    await clock.advance(1000)
    expect(events.map(({ type }) => type)).toEqual(Array.from({ length: 5 }, () => 'answered'))
    expect(pipelines[0]!.closed).toBe(false)
  })

  it('goes to the new address of a peer that moved', async () => {
    replicator.send(1, request)
    await clock.settle()
    replicator.peer = { id: 'b', address: 'b:2' }
    replicator.send(2, request)
    await clock.settle()
    expect(dialled).toEqual(['b:1', 'b:2'])
    expect(pipelines[0]!.closed).toBe(true)
  })

  it('closes a pipeline that opens too late', async () => {
    replicator.send(1, request)
    replicator.close()
    await clock.settle()
    expect(pipelines[0]!.closed).toBe(true)
    expect(events).toEqual([])
    expect(clock.timers).toBe(0)
  })
})
