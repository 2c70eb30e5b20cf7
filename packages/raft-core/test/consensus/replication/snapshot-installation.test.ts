// The follower's side of InstallSnapshot (§7).
import { expect, test } from 'vitest'
import type { Index, ServerId, Term } from '@raftkit/interface/protocol'
import type { Effect, ReceivedInstallSnapshot } from '@raftkit/raft-core/consensus'
import { all, indexed, LoneServer, only, sender } from '../lone-server.ts'

const restored = indexed(4, ['n1', 'n2', 'n3', 'n4'])

function snapshotRequest(
  term: Term,
  index: Index,
  snapshotTerm: Term,
  from: ServerId = 'n2',
): ReceivedInstallSnapshot {
  return {
    type: 'install-snapshot',
    from: sender(from),
    term,
    snapshot: {
      index,
      term: snapshotTerm,
      configuration: index < 4 ? indexed(1, ['n1']) : restored,
    },
  }
}

function answered(effects: readonly Effect[]): unknown {
  const { answer } = only(effects, 'answer')
  return answer.type === 'install-snapshot' ? answer.success : answer.type
}

function install(server: LoneServer, request: ReceivedInstallSnapshot): readonly Effect[] {
  const { requestId } = only(server.receive(request), 'install-snapshot')
  return server.step({ type: 'snapshot-installed', requestId })
}

test('a log that conflicts or ends before goes as a whole (rule 7)', () => {
  for (const log of [
    [1, 1],
    [1, 1, 1, 1, 1, 1, 1, 1],
  ]) {
    const server = new LoneServer({ log })
    const effects = server.receive(snapshotRequest(3, 6, 2))
    expect(only(effects, 'install-snapshot').keepLogAfter).toBe(false)
    expect(all(effects, 'answer')).toEqual([])
    const done = server.step({ type: 'snapshot-installed', requestId: 1 })
    expect(answered(done)).toBe(true)
    expect(server.status).toMatchObject({
      lastIndex: 6,
      lastTerm: 2,
      commitIndex: 6,
      appliedIndex: 6,
      durableIndex: 6,
      snapshot: { index: 6, term: 2 },
      latest: { index: 4 },
      committed: { index: 4 },
    })
  }
})

test('entries that continue the snapshot stay (rule 6), and stay as durable as they were', () => {
  const server = new LoneServer({ log: [1, 1, 1, 1, 1] })
  const configurations = [indexed(7, ['n1', 'n2'])]
  server.append({ term: 2, prev: [5, 1], entries: [2, 2], configurations })
  const effects = server.receive(snapshotRequest(2, 4, 1))
  expect(only(effects, 'install-snapshot').keepLogAfter).toBe(true)
  server.step({ type: 'snapshot-installed', requestId: 2 })
  expect(server.status).toMatchObject({
    lastIndex: 7,
    lastTerm: 2,
    commitIndex: 4,
    durableIndex: 5,
    latest: { index: 7 },
    committed: { index: 4 },
  })
  expect(server.consensus.termAt(5)).toBe(1)
  expect(server.consensus.termAt(3)).toBeUndefined()
})

test('a snapshot of what is committed already is not installed (E5)', () => {
  const server = new LoneServer({ log: [1, 1, 1] })
  server.append({ term: 1, prev: [3, 1], commit: 3 })
  const effects = server.receive(snapshotRequest(1, 2, 1))
  expect(all(effects, 'install-snapshot')).toEqual([])
  expect(answered(effects)).toBe(true)
  expect(server.status).toMatchObject({ lastIndex: 3, commitIndex: 3 })
})

test('a snapshot that contradicts a committed entry stops the server (E6)', () => {
  const server = new LoneServer({ log: [1, 1, 1] })
  server.append({ term: 1, prev: [3, 1], commit: 3 })
  expect(server.receive(snapshotRequest(4, 3, 4)).at(-1)?.type).toBe('fatal')
})

test('an old leader is refused, a valid one demotes a candidate (A17)', () => {
  const server = new LoneServer({ hardState: { term: 3 } })
  expect(answered(server.receive(snapshotRequest(2, 9, 2)))).toBe(false)
  server.turnAt(100)
  expect(server.status.role).toBe('pre-candidate')
  server.receive(snapshotRequest(3, 9, 2))
  expect(server.status).toMatchObject({ role: 'follower', leader: { id: 'n2' } })
})

test('while one is installed: heartbeats yes, entries and other snapshots no, campaigns no', () => {
  const server = new LoneServer()
  server.receive(snapshotRequest(2, 6, 2))
  expect(
    only(server.append({ term: 2, prev: [1, 1], entries: [2] }), 'answer').answer,
  ).toMatchObject({
    success: false,
    noRetryBackoff: false,
  })
  expect(server.status.lastIndex).toBe(1)
  expect(answered(server.receive(snapshotRequest(2, 9, 2)))).toBe('error')
  expect(only(server.heartbeat(2), 'answer').answer).toMatchObject({ success: true })
  for (let now = 0; now < 1000; now += 100) server.turnAt(now)
  expect(server.status.role).toBe('follower')
  expect(
    only(server.receive({ type: 'timeout-now', from: sender('n2') }), 'answer').answer.type,
  ).toBe('error')
  // It ends, and all is as usual.
  expect(answered(server.step({ type: 'snapshot-installed', requestId: 1 }))).toBe(true)
  expect(all(server.turnAt(server.now + 100), 'role-changed')).toHaveLength(1)
})

test('a snapshot that could not be installed changes nothing', () => {
  const server = new LoneServer({ log: [1, 1] })
  server.receive(snapshotRequest(2, 6, 2))
  const effects = server.step({
    type: 'snapshot-install-failed',
    requestId: 1,
    message: 'the disk is full',
  })
  expect(only(effects, 'answer').answer).toEqual({ type: 'error', message: 'the disk is full' })
  expect(server.status).toMatchObject({ lastIndex: 2, commitIndex: 0 })
  expect(
    only(server.append({ term: 2, prev: [2, 1], entries: [2] }), 'answer').answer,
  ).toMatchObject({ success: true })
})

test('an installed snapshot counts as contact with the leader', () => {
  const server = new LoneServer()
  server.receive(snapshotRequest(2, 6, 2))
  server.now = 500
  server.step({ type: 'snapshot-installed', requestId: 1 })
  expect(all(server.turnAt(599), 'role-changed')).toEqual([])
})

test('a term that came meanwhile is named in the answer', () => {
  const server = new LoneServer()
  server.receive(snapshotRequest(2, 6, 2))
  server.heartbeat(5, 'n3')
  const { answer } = only(server.step({ type: 'snapshot-installed', requestId: 1 }), 'answer')
  expect(answer).toEqual({ type: 'install-snapshot', term: 5, success: true })
  expect(server.status.snapshot).toEqual({ index: 6, term: 2 })
})

test('entries after an installed snapshot are taken', () => {
  const server = new LoneServer()
  install(server, snapshotRequest(3, 6, 2))
  const effects = server.append({ term: 3, prev: [6, 2], entries: [3] })
  expect(only(effects, 'append-received')).toMatchObject({ from: 7, to: 7 })
})

test('an impossible snapshot is refused and changes nothing', () => {
  const server = new LoneServer()
  const far = snapshotRequest(2, 6, 2)
  const impossible = [
    snapshotRequest(2, 6, 3),
    snapshotRequest(2, 0, 0),
    { ...far, snapshot: { ...far.snapshot, configuration: indexed(7, ['n1']) } },
  ]
  for (const request of impossible) {
    expect(answered(server.receive(request))).toBe('error')
    expect(server.status).toMatchObject({ term: 1, leader: undefined })
  }
})

// Found by the simulator: the follower crashed, lost the entries, and its leader never went back behind them.
test('a snapshot of entries that are here is acknowledged when they are durable', () => {
  const server = new LoneServer({ log: [1] })
  server.append({ term: 1, prev: [1, 1], entries: [1, 1], commit: 3 })
  const early = only(server.receive(snapshotRequest(1, 3, 1)), 'answer')
  expect(early.after).toEqual({ entry: { index: 3, term: 1 } })
  server.step({ type: 'entries-durable', index: 3, term: 1 })
  const late = only(server.receive(snapshotRequest(1, 3, 1)), 'answer')
  expect(late.answer).toMatchObject({ type: 'install-snapshot', success: true })
  expect(late.after).toBeUndefined()
})
