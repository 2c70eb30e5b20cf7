// The leader's side of AppendEntries (§5.3).
import { expect, test } from 'vitest'
import type { ConsensusTiming, Effect, PeerStatus } from '@raftkit/raft-core/consensus'
import {
  all,
  LoneServer,
  mismatch,
  only,
  success,
  type EffectOf,
  type LoneOptions,
} from '../lone-server.ts'

function peerOf(server: LoneServer, id = 'n2'): PeerStatus {
  return server.status.peers.find((peer) => peer.id === id)!
}

/** The one AppendEntries to n2 among the effects, its entries read. */
function toN2(server: LoneServer, effects: readonly Effect[]): readonly EffectOf<'send-entries'>[] {
  return server.read(effects).filter(({ to }) => to.id === 'n2')
}

function leader(timing: Partial<ConsensusTiming> = {}, options: LoneOptions = {}): LoneServer {
  const server = new LoneServer({ ...options, timing })
  server.leadAndCommit()
  return server
}

function propose(server: LoneServer, count: number): readonly Effect[] {
  return server.turn({ type: 'proposed', count })
}

test('proposals of a turn go out together when it ends, before the own disk has them', () => {
  const server = leader()
  const effects = [
    ...server.step({ type: 'proposed', count: 2 }),
    ...server.step({ type: 'proposed', count: 1 }),
  ]
  expect(effects).toEqual([
    { type: 'append-proposals', firstIndex: 3, count: 2, term: 2 },
    { type: 'append-proposals', firstIndex: 5, count: 1, term: 2 },
  ])
  const reads = all(server.turn(), 'read-entries')
  expect(reads.map(({ peer, from, to }) => [peer, from, to])).toEqual([
    ['n2', 3, 5],
    ['n3', 3, 5],
  ])
  const [sent] = toN2(server, reads)
  expect(sent).toMatchObject({
    lane: 'pipeline',
    prevLogIndex: 2,
    prevLogTerm: 2,
    leaderCommit: 2,
    term: 2,
  })
  expect(sent).not.toHaveProperty('after')
})

test('a new leader probes with one request at a time', () => {
  const server = new LoneServer()
  const [sent] = server.lead()
  expect(sent).toMatchObject({ lane: 'probe', prevLogIndex: 1 })
  expect(sent).toHaveProperty('readId')
  expect(toN2(server, propose(server, 1))).toEqual([])
  expect(peerOf(server)).toMatchObject({ state: 'probe', nextIndex: 2, inflightAppends: 1 })
})

test('a success proves what was sent, whatever the peer says of its log', () => {
  const server = new LoneServer()
  const [sent] = server.lead()
  server.answered(sent!, success(2, 99))
  expect(peerOf(server)).toMatchObject({
    state: 'pipeline',
    matchIndex: 2,
    nextIndex: 3,
    inflightAppends: 0,
  })
})

test('the window is limited by the number of requests', () => {
  const server = leader({ maxAppendEntries: 1, maxInflightAppends: 2 })
  const sent = toN2(server, propose(server, 5))
  expect(sent.map(({ prevLogIndex }) => prevLogIndex)).toEqual([2, 3])
  server.answered(sent[0]!, success(2))
  expect(toN2(server, server.turn()).map(({ prevLogIndex }) => prevLogIndex)).toEqual([4])
})

test('the window is limited by bytes; one large append still goes alone', () => {
  const server = leader({ maxAppendEntries: 1, maxAppendBytes: 60, maxInflightBytes: 150 })
  const sent = toN2(server, propose(server, 3))
  expect(sent).toHaveLength(1)
  expect(peerOf(server).inflightBytes).toBe(100)
  server.answered(sent[0]!, success(2))
  expect(peerOf(server).inflightBytes).toBe(0)
  expect(toN2(server, server.turn())).toHaveLength(1)
})

test('a success frees the window of what was sent before it', () => {
  const server = leader({ maxAppendEntries: 1, maxInflightAppends: 3 })
  const sent = toN2(server, propose(server, 3))
  server.answered(sent[2]!, success(2))
  expect(peerOf(server)).toMatchObject({ matchIndex: 5, inflightAppends: 0, inflightBytes: 0 })
  // The earlier answers come late and change nothing.
  server.answered(sent[0]!, success(2))
  server.failed(sent[1]!)
  expect(peerOf(server)).toMatchObject({ state: 'pipeline', matchIndex: 5, nextIndex: 6 })
})

test('a read that was given up sends nothing', () => {
  const server = leader()
  const { readId, from, to } = all(propose(server, 1), 'read-entries')[0]!
  const read = { type: 'entries-read', peer: 'n2', readId, from, to, bytes: 1 } as const
  server.heartbeat(9, 'n3')
  expect(server.step(read)).toEqual([])
  const again = leader()
  const [pending] = all(propose(again, 1), 'read-entries')
  expect(all(again.step({ ...read, readId: pending!.readId + 1000 }), 'send-entries')).toEqual([])
})

test('a commit index is told with the next entries, or after the commit timeout', () => {
  const server = leader()
  server.read(server.turnAt(server.now + 20))
  for (const sent of server.read(propose(server, 1))) server.answered(sent, success(2))
  const committedAt = server.now
  expect(server.status.commitIndex).toBe(3)
  expect(toN2(server, server.turnAt(committedAt + 4))).toEqual([])
  const [notice] = toN2(server, server.turnAt(committedAt + 5))
  expect(notice).toMatchObject({ prevLogIndex: 3, leaderCommit: 3 })
  expect(notice).not.toHaveProperty('readId')
  expect(toN2(server, server.turnAt(committedAt + 10))).toEqual([])
})

test('a request never names a commit index beyond what it proves', () => {
  // A hashicorp/raft follower would take min(leaderCommit, its last index), which may be another entry.
  const server = new LoneServer({ log: [1, 1, 1], timing: { leaderLeaseTimeoutMs: 100_000 } })
  const [toSecond, toThird] = server.lead()
  server.answered(toThird!, success(2))
  expect(server.status.commitIndex).toBe(4)
  server.answered(toSecond!, mismatch(2, 9))
  expect(toN2(server, server.turn())[0]).toMatchObject({ prevLogIndex: 2, leaderCommit: 4 })
  server.failed({ sendId: 0, to: { id: 'n2' } })
  const failing = new LoneServer({ log: [1, 1, 1], timing: { leaderLeaseTimeoutMs: 100_000 } })
  const [lost, other] = failing.lead()
  failing.answered(other!, success(2))
  failing.failed(lost!)
  expect(toN2(failing, failing.turnAt(failing.now + 10))[0]).toMatchObject({
    prevLogIndex: 3,
    leaderCommit: 3,
  })
})

test('answers of strangers, of other terms and to nobody change nothing', () => {
  const server = leader()
  const before = server.status
  server.answered({ sendId: 12_345, to: { id: 'n2' } }, success(2, 50))
  server.answered({ sendId: 12_345, to: { id: 'n9' } }, success(2, 50))
  server.step({
    type: 'answered',
    peer: 'n2',
    sendId: 7,
    answer: { type: 'error', message: 'x' },
    isRaftkit: true,
  })
  expect(server.status).toEqual(before)
})

test('a higher term in any answer ends leadership at once', () => {
  const server = leader()
  const effects = server.answered({ sendId: 12_345, to: { id: 'n2' } }, success(9))
  expect(only(effects, 'save-hard-state').hardState).toEqual({ term: 9 })
  expect(all(effects, 'drop-sends').map(({ peer }) => peer)).toEqual(['n2', 'n3'])
  expect(only(effects, 'proposals-orphaned').term).toBe(2)
  expect(server.status).toMatchObject({ role: 'follower', term: 9, leader: undefined, peers: [] })
})

test('a follower refuses proposals', () => {
  const server = new LoneServer()
  expect(server.step({ type: 'proposed', count: 3 })).toEqual([
    { type: 'proposals-refused', count: 3, reason: 'not-leader' },
  ])
  expect(server.step({ type: 'proposed', count: 0 })).toEqual([])
})
