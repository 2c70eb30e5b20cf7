// A snapshot from outside takes the place of the leader's log.
import type { Effect } from '@raftkit/raft-core/consensus'
import { expect, test } from 'vitest'
import { indexed, all, LoneServer, only, success } from '../lone-server.ts'

function leader(): LoneServer {
  const server = new LoneServer({ timing: { leaderLeaseTimeoutMs: 100_000 } })
  server.leadAndCommit()
  return server
}

/** A leader of term 2 whose log was 1..2 and ends at the restored 11 now, not installed yet. */
function restoring(): LoneServer {
  const server = leader()
  server.step({ type: 'restore-requested', restoreId: 1, index: 10 })
  server.step({ type: 'restore-received', restoreId: 1 })
  return server
}

const toPeers = (effects: readonly Effect[]): readonly string[] =>
  effects
    .filter(({ type }) => ['read-entries', 'send-entries', 'send-snapshot'].includes(type))
    .map(({ type }) => type)

test('it gets an index after the log and after its own, the present term and configuration', () => {
  for (const [atLeast, index] of [
    [0, 3],
    [2, 3],
    [10, 11],
  ] as const) {
    const server = leader()
    const effects = server.step({ type: 'restore-requested', restoreId: 7, index: atLeast })
    expect(effects).toEqual([
      {
        type: 'receive-restore',
        restoreId: 7,
        index,
        term: 2,
        configuration: indexed(1, ['n1', 'n2', 'n3']),
      },
    ])
  }
})

test('nothing has changed while it is received, but proposals are refused', () => {
  const server = leader()
  const before = server.status
  server.step({ type: 'restore-requested', restoreId: 1, index: 10 })
  expect(server.status).toEqual(before)
  expect(only(server.step({ type: 'proposed', count: 1 }), 'proposals-refused').reason).toBe(
    'restore-in-progress',
  )
  const transfer = server.step({ type: 'transfer-requested', transferId: 1 })
  expect(only(transfer, 'transfer-ended').refusal).toBe('restore-in-progress')
  const change = { type: 'add-nonvoter', id: 'n4', address: 'n4:1' } as const
  expect(
    all(
      server.turn({ type: 'change-requested', changeId: 1, change, prevIndex: 0 }),
      'append-configuration',
    ),
  ).toEqual([])
  server.step({ type: 'restore-withdrawn', restoreId: 1 })
  expect(all(server.turn(), 'append-configuration')).toHaveLength(1)
})

test('once it is received the log ends with it, and nobody is sent anything until it is installed', () => {
  const server = restoring()
  expect(server.status).toMatchObject({
    lastIndex: 11,
    lastTerm: 2,
    commitIndex: 11,
    snapshot: { index: 11, term: 2 },
  })
  server.now += 20
  const effects = server.turn()
  expect(toPeers(effects)).toEqual([])
  expect(all(effects, 'send').length).toBeGreaterThan(0)
  const installed = server.turn({ type: 'restore-installed', restoreId: 1 })
  expect(only(installed, 'append-noop')).toMatchObject({ index: 12, term: 2 })
  expect(toPeers(installed)).toEqual(['send-snapshot', 'send-snapshot'])
})

test('it ends when the no-op after it is committed', () => {
  const server = restoring()
  const sent = all(server.turn({ type: 'restore-installed', restoreId: 1 }), 'send-snapshot')
  // The own disk alone is no quorum.
  expect(all(server.sync([]), 'restore-ended')).toEqual([])
  server.answered(sent[0]!, { type: 'install-snapshot', term: 2, success: true })
  const [noop] = server.read(server.turn())
  expect(noop).toMatchObject({ prevLogIndex: 11, prevLogTerm: 2 })
  const effects = server.answered(noop!, success(2, 12))
  expect(only(effects, 'commit').index).toBe(12)
  expect(only(effects, 'restore-ended')).toEqual({ type: 'restore-ended', restoreId: 1 })
  expect(all(server.turn({ type: 'proposed', count: 1 }), 'append-proposals')).toHaveLength(1)
})

test('what was durable of the old log proves nothing about the new one', () => {
  const server = restoring()
  server.step({ type: 'entries-durable', index: 2, term: 2 })
  expect(server.status.durableIndex).toBeLessThan(11)
  server.step({ type: 'restore-installed', restoreId: 1 })
  expect(server.status.durableIndex).toBe(11)
})

test('reads wait for the no-op after it, those that were asked for before too', () => {
  const server = leader()
  server.turn({ type: 'read-requested', readId: 1, needsIndex: true })
  server.step({ type: 'restore-requested', restoreId: 1, index: 0 })
  server.step({ type: 'restore-received', restoreId: 1 })
  server.step({ type: 'read-requested', readId: 2, needsIndex: true })
  server.now += 20
  for (const beat of all(server.turn(), 'send'))
    expect(all(server.answered(beat, success(2)), 'read-confirmed')).toEqual([])
  const sent = all(server.turn({ type: 'restore-installed', restoreId: 1 }), 'send-snapshot')
  server.sync([])
  server.answered(sent[0]!, { type: 'install-snapshot', term: 2, success: true })
  const [noop] = server.read(server.turn())
  server.answered(noop!, success(2, 4))
  const confirmed = all(server.turn(), 'send').flatMap((beat) =>
    all(server.answered(beat, success(2)), 'read-confirmed'),
  )
  expect(confirmed.map(({ readId, index }) => [readId, index])).toEqual([
    [1, 4],
    [2, 4],
  ])
})

test('a follower, a leader that is not ready and one with an open change refuse it', () => {
  const refusalOf = (server: LoneServer): string | undefined =>
    only(server.step({ type: 'restore-requested', restoreId: 1, index: 0 }), 'restore-ended')
      .refusal
  expect(refusalOf(new LoneServer())).toBe('not-leader')
  const fresh = new LoneServer()
  fresh.lead()
  expect(refusalOf(fresh)).toBe('configuration-pending')
  const changing = leader()
  const change = { type: 'add-nonvoter', id: 'n4', address: 'n4:1' } as const
  changing.turn({ type: 'change-requested', changeId: 1, change, prevIndex: 0 })
  expect(refusalOf(changing)).toBe('configuration-pending')
  const handing = leader()
  handing.step({ type: 'transfer-requested', transferId: 1, target: 'n2' })
  expect(refusalOf(handing)).toBe('transfer-in-progress')
  const busy = leader()
  busy.step({ type: 'restore-requested', restoreId: 0, index: 0 })
  expect(refusalOf(busy)).toBe('restore-in-progress')
})

test('leadership that is lost while it is received ends it, and nothing has changed', () => {
  const server = leader()
  server.step({ type: 'restore-requested', restoreId: 1, index: 10 })
  const effects = server.heartbeat(3)
  expect(only(effects, 'restore-ended')).toMatchObject({
    refusal: 'leadership-lost',
    hasBegun: false,
  })
  expect(server.step({ type: 'restore-received', restoreId: 1 })).toEqual([])
  expect(server.status.lastIndex).toBe(2)
})

test('leadership that is lost later leaves it open; entries are taken when it is installed', () => {
  const server = restoring()
  const effects = server.heartbeat(3)
  expect(only(effects, 'restore-ended')).toMatchObject({
    refusal: 'leadership-lost',
    hasBegun: true,
  })
  const early = only(server.append({ term: 3, prev: [11, 2], entries: [3] }), 'answer').answer
  expect(early).toMatchObject({ success: false, noRetryBackoff: false })
  // Nor does it campaign with a log that is not on its disk.
  expect(all(server.turnAt(server.now + 1000), 'role-changed')).toEqual([])
  server.step({ type: 'restore-installed', restoreId: 1 })
  const late = server.sync(server.append({ term: 3, prev: [11, 2], entries: [3] }))
  expect(late).toBeDefined()
  expect(server.status).toMatchObject({ role: 'follower', lastIndex: 12, durableIndex: 12 })
})

test('a server with the restored state notices that the cluster went on without it', () => {
  // The next leader has the log up to 2, and an entry of its own where the snapshot is.
  const contradictions = [
    { term: 3, prev: [2, 2], entries: [3] },
    { term: 3, prev: [3, 3] },
    { term: 3, prev: [11, 3], entries: [3] },
  ] as const
  for (const request of contradictions) {
    const server = restoring()
    server.step({ type: 'restore-installed', restoreId: 1 })
    const effects = server.append(request)
    expect(only(effects, 'fatal').message).toMatch(/term 3|and 3 there/)
    expect(all(effects, 'append-received')).toEqual([])
  }
})

test('a stopped server refuses', () => {
  const server = leader()
  server.step({ type: 'storage-failed', message: 'no disk' })
  const effects = server.step({ type: 'restore-requested', restoreId: 1, index: 0 })
  expect(only(effects, 'restore-ended').refusal).toBe('stopped')
})
