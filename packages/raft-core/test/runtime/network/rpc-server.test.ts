import {
  type AppendEntriesRequest,
  EntryBatch,
  type InstallSnapshotRequest,
  LogType,
  type RpcContext,
  type RpcRequest,
} from '@raftkit/interface'
import { encodeConfiguration, encodeEntries } from '@raftkit/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ConsensusEvent } from '../../../src/consensus/events.ts'
import { headerOf } from '../../../src/runtime/network/rpc-messages.ts'
import { RpcServer } from '../../../src/runtime/network/rpc-server.ts'
import { numbered } from '../../support/batches.ts'

const header = headerOf('b', 'b:1')
const context: RpcContext = { remote: 'test', signal: new AbortController().signal }
const configuration = { servers: [{ suffrage: 'voter' as const, id: 'a', address: 'a:1' }] }
const append: AppendEntriesRequest = {
  type: 'append-entries',
  header,
  term: 3,
  prevLogIndex: 4,
  prevLogTerm: 2,
  leaderCommit: 4,
  entries: [],
}
const install: InstallSnapshotRequest = {
  type: 'install-snapshot',
  header,
  snapshotVersion: 1,
  term: 3,
  lastLogIndex: 9,
  lastLogTerm: 2,
  peers: new Uint8Array(0),
  configuration: encodeConfiguration(configuration),
  configurationIndex: 1,
  size: 0,
}

let events: ConsensusEvent[]
let server: RpcServer

beforeEach(() => {
  events = []
  server = new RpcServer({
    header: headerOf('a', 'a:1'),
    maxInbound: 3,
    entryLimits: { maxEntries: 10, maxBytes: 10_000 },
    submit: (event) => events.push(event),
    onForward: async (request) => ({ ...request, type: 'forward' }),
    onVoteRequested: () => {},
    onLeader: () => {},
  })
})

/** What handling the request ends in: its response's type, or the message of its error. */
async function outcomeOf(request: RpcRequest): Promise<string> {
  try {
    const response = server.handle(request, context)
    return (await response).type
  } catch (error) {
    return (error as Error).message
  }
}

describe('RpcServer', () => {
  it('gives a request to consensus and answers with what it says', async () => {
    const response = server.handle(append, context)
    expect(events).toEqual([
      {
        type: 'received',
        requestId: 1,
        request: {
          type: 'append-entries',
          from: { id: 'b', address: 'b:1', isRaftkit: true },
          term: 3,
          heartbeat: false,
          prevLogIndex: 4,
          prevLogTerm: 2,
          leaderCommit: 4,
        },
      },
    ])
    const answer = { term: 3, success: true, lastLogIndex: 4, noRetryBackoff: false }
    server.answer(1, { type: 'append-entries', ...answer })
    expect(await response).toEqual({
      type: 'append-entries',
      header: headerOf('a', 'a:1'),
      ...answer,
    })
    expect(server.pending).toBe(0)
  })

  it('knows a bare heartbeat, and a sender that is not raftkit', async () => {
    const bare = { ...append, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, entries: null }
    void server.handle(
      { ...bare, header: { protocolVersion: 3, id: 'b', address: 'b:1' } },
      context,
    )
    expect(events[0]).toMatchObject({ request: { heartbeat: true, from: { isRaftkit: false } } })
  })

  it('describes entries by their shape', async () => {
    const changed = encodeEntries(7, 3, [
      { type: LogType.configuration, data: encodeConfiguration(configuration) },
    ])
    void server.handle({ ...append, entries: [numbered(5, 2, 2), changed] }, context)
    expect(events[0]).toMatchObject({
      request: {
        entries: {
          firstIndex: 5,
          lastIndex: 7,
          runs: [
            { firstIndex: 5, term: 2 },
            { firstIndex: 7, term: 3 },
          ],
          configurations: [{ configuration, index: 7 }],
        },
      },
    })
    expect(
      [...server.entries(1, 6, 7)].map(({ firstIndex, lastIndex }) => [firstIndex, lastIndex]),
    ).toEqual([
      [6, 6],
      [7, 7],
    ])
  })

  it('sends an error of consensus back as text', async () => {
    const outcome = outcomeOf(append)
    server.answer(1, { type: 'error', message: 'no' })
    expect(await outcome).toBe('no')
  })

  it('answers once', async () => {
    const outcome = outcomeOf({ type: 'timeout-now', header })
    server.answer(1, { type: 'timeout-now' })
    server.answer(1, { type: 'error', message: 'late' })
    expect(await outcome).toBe('timeout-now')
  })

  it.each([2, 3])('serves protocol version %d', (protocolVersion) => {
    void server.handle({ ...append, header: { ...header, protocolVersion } }, context)
    expect(events).toHaveLength(1)
  })

  it.each([0, 1, 4, 255])('refuses protocol version %d', async (protocolVersion) => {
    const outcome = outcomeOf({ ...append, header: { ...header, protocolVersion } })
    expect(await outcome).toBe('operation not supported with current protocol version')
    expect(events).toEqual([])
  })

  describe('refuses, without telling consensus,', () => {
    const torn = new EntryBatch(5, new Uint8Array([1, 2, 3]), [0, 3], [3], [LogType.configuration])
    const old = encodeEntries(5, 3, [
      { type: LogType.addPeerDeprecated, data: new Uint8Array([0x90]) },
    ])
    it.each<[string, RpcRequest, string]>([
      [
        'entries with a hole',
        { ...append, entries: [numbered(5, 3, 1), numbered(7, 3, 1)] },
        'entry 7 follows entry 5',
      ],
      ['too many entries', { ...append, entries: [numbered(5, 3, 11)] }, '11 entries'],
      [
        'too many bytes',
        { ...append, entries: [encodeEntries(5, 3, [{ type: 0, data: new Uint8Array(20_000) }])] },
        'are more than 10 entries or 10000 bytes',
      ],
      ['a configuration that cannot be decoded', { ...append, entries: [torn] }, ''],
      [
        'a membership change of protocol 1',
        { ...append, entries: [old] },
        'bring the cluster to protocol 3',
      ],
      [
        'a snapshot of another version',
        { ...install, snapshotVersion: 2 },
        'unsupported snapshot version 2',
      ],
      ['a snapshot without a configuration', { ...install, configuration: new Uint8Array(0) }, ''],
    ])('%s', async (_, request, message) => {
      expect(await outcomeOf(request)).toContain(message)
      expect(events).toEqual([])
      expect(server.pending).toBe(0)
    })

    it('more requests than may wait', async () => {
      for (let count = 0; count < 3; count++) void server.handle(append, context)
      expect(await outcomeOf(append)).toContain('more than 3 requests')
      expect(events).toHaveLength(3)
    })
  })

  it('answers everything with an error once it is closed', async () => {
    const waiting = outcomeOf(append)
    server.close()
    expect(await waiting).toBe('raft is already shutdown')
    expect(await outcomeOf(append)).toBe('raft is already shutdown')
  })
})
