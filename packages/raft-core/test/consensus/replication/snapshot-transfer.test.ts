// The leader's side of InstallSnapshot (§7), and what it keeps of the log.
import { expect, test } from 'vitest'
import type { Index } from '@raftkit/interface/protocol'
import type { Answer, Effect, PeerStatus } from '@raftkit/raft-core/consensus'
import { all, indexed, LoneServer, mismatch, only, success, type EffectOf } from '../lone-server.ts'

const done: Answer = { type: 'install-snapshot', term: 2, success: true }

/** A leader with entries 11 and 12 after a snapshot up to 10; n2 needs the snapshot. */
function leader(): { server: LoneServer; sent: EffectOf<'send-snapshot'> } {
  const server = new LoneServer({
    snapshot: { index: 10, term: 1 },
    log: [1],
    timing: { trailingLogs: 3, leaderLeaseTimeoutMs: 100_000, commitTimeoutMs: 100_000 },
  })
  const [second, third] = server.lead()
  server.answered(third!, success(2))
  server.answered(second!, mismatch(2, 3))
  return { server, sent: only(server.turn(), 'send-snapshot') }
}

function peerOf(server: LoneServer): PeerStatus {
  return server.status.peers.find(({ id }) => id === 'n2')!
}

function toN2(server: LoneServer, effects: readonly Effect[]): readonly EffectOf<'send-entries'>[] {
  return server.read(effects).filter(({ to }) => to.id === 'n2')
}

function save(server: LoneServer, index: Index): readonly Effect[] {
  server.step({ type: 'applied', index })
  const term = server.consensus.termAt(index)!
  return server.step({
    type: 'snapshot-saved',
    snapshot: { index, term, configuration: indexed(1, ['n1', 'n2', 'n3']) },
  })
}

function proposeAndCommit(server: LoneServer, count: number): void {
  const sent = server.read(server.turn({ type: 'proposed', count }))
  server.sync([])
  for (const send of sent) if (send.to.id === 'n3') server.answered(send, success(2))
  for (const send of server.read(server.turn()))
    if (send.to.id === 'n3') server.answered(send, success(2))
}

test('a peer that needs compacted entries gets a snapshot, and nothing else meanwhile', () => {
  const { server, sent } = leader()
  expect(sent).toMatchObject({ to: { id: 'n2' }, term: 2 })
  expect(peerOf(server).state).toBe('snapshot')
  expect(toN2(server, server.turn({ type: 'proposed', count: 1 }))).toEqual([])
  expect(all(server.turnAt(server.now + 50), 'send-snapshot')).toEqual([])
})

test('then it is probed after the snapshot', () => {
  const { server, sent } = leader()
  server.answered(sent, done)
  expect(peerOf(server)).toMatchObject({ state: 'probe', matchIndex: 10, nextIndex: 11 })
  expect(toN2(server, server.turn())[0]).toMatchObject({
    lane: 'probe',
    prevLogIndex: 10,
    prevLogTerm: 1,
  })
})

test('the snapshot that was opened counts, when it is a newer one', () => {
  const { server, sent } = leader()
  server.step({ type: 'snapshot-opened', peer: 'n2', sendId: sent.sendId + 1, index: 99, term: 2 })
  server.step({ type: 'snapshot-opened', peer: 'n2', sendId: sent.sendId, index: 11, term: 1 })
  server.answered(sent, done)
  expect(peerOf(server)).toMatchObject({ matchIndex: 11, nextIndex: 12 })
})

test('a snapshot that fails or is refused is sent again after a pause', () => {
  for (const answer of [
    undefined,
    { ...done, success: false },
    { type: 'error', message: 'busy' },
  ] as const) {
    const { server, sent } = leader()
    if (answer === undefined) server.failed(sent)
    else server.answered(sent, answer)
    expect(all(server.turn(), 'send-snapshot')).toEqual([])
    expect(all(server.turnAt(server.now + 10), 'send-snapshot')).toHaveLength(1)
  }
})

test('late answers to an earlier snapshot change nothing', () => {
  const { server, sent } = leader()
  server.failed(sent)
  server.turnAt(server.now + 10)
  server.answered(sent, done)
  server.failed(sent)
  expect(peerOf(server)).toMatchObject({ state: 'snapshot', matchIndex: 0 })
})

test('entries that vanished from the store are replaced by a snapshot', () => {
  const { server, sent } = leader()
  server.answered(sent, done)
  const [read] = all(server.turn(), 'read-entries')
  save(server, 11)
  const effects = server.step({
    type: 'entries-unavailable',
    peer: 'n2',
    readId: read!.readId,
    reason: 'compacted',
  })
  expect(only(effects, 'send-snapshot').to.id).toBe('n2')
})

test('after a snapshot of its own a server keeps some entries for slow peers', () => {
  const server = new LoneServer({
    log: Array.from({ length: 10 }, () => 1),
    timing: { trailingLogs: 3 },
  })
  server.append({ term: 1, prev: [10, 1], commit: 10 })
  expect(save(server, 9)).toEqual([{ type: 'compact-log', to: 7 }])
  expect([6, 7, 8, 9].map((index) => server.consensus.termAt(index))).toEqual([undefined, 1, 1, 1])
  // Nothing new, nothing to do.
  expect(save(server, 9)).toEqual([])
})

test('never more than the snapshot covers', () => {
  const server = new LoneServer({ log: [1, 1, 1, 1], timing: { trailingLogs: 0 } })
  server.append({ term: 1, prev: [4, 1], commit: 3 })
  expect(save(server, 2)).toEqual([{ type: 'compact-log', to: 2 }])
})

test('while a snapshot is sent, the entries after it are kept, up to four times the usual', () => {
  const { server, sent } = leader()
  proposeAndCommit(server, 8)
  expect(server.status.commitIndex).toBe(20)
  expect(save(server, 20)).toEqual([])
  proposeAndCommit(server, 10)
  expect(save(server, 30)).toEqual([{ type: 'compact-log', to: 18 }])
  server.answered(sent, done)
  // It took too long: entry 11 is gone, the next snapshot follows.
  expect(all(server.turn(), 'send-snapshot')).toHaveLength(1)
})

test('a snapshot of what was not applied, or of another log, stops the server', () => {
  const ahead = new LoneServer({ log: [1, 1] })
  const saved = (term: number): readonly Effect[] =>
    ahead.step({
      type: 'snapshot-saved',
      snapshot: { index: 2, term, configuration: indexed(1, ['n1']) },
    })
  expect(saved(1).at(-1)?.type).toBe('fatal')
  const other = new LoneServer({ log: [1, 1] })
  other.append({ term: 1, prev: [2, 1], commit: 2 })
  other.step({ type: 'applied', index: 2 })
  const effects = other.step({
    type: 'snapshot-saved',
    snapshot: { index: 2, term: 7, configuration: indexed(1, ['n1']) },
  })
  expect(effects.at(-1)?.type).toBe('fatal')
})
