// Reads that prove leadership (dissertation §6.4).
import { describe, expect, test } from 'vitest'
import type { ConsensusEvent, Effect } from '@raftkit/raft-core/consensus'
import { all, LoneServer, mismatch, only, success, type EffectOf } from '../lone-server.ts'

const read = (readId: number, needsIndex = true): ConsensusEvent => ({
  type: 'read-requested',
  readId,
  needsIndex,
})

function leader(
  voters: readonly string[] = ['n1', 'n2', 'n3'],
  nonvoters: readonly string[] = [],
): LoneServer {
  const server = new LoneServer({ voters, nonvoters })
  server.leadAndCommit()
  return server
}

function beats(effects: readonly Effect[]): readonly EffectOf<'send'>[] {
  return all(effects, 'send').filter(({ request }) => request.type === 'heartbeat')
}

const confirmed = (effects: readonly Effect[]): unknown =>
  all(effects, 'read-confirmed').map(({ readId, index }) => [readId, index])

test('a heartbeat that was sent before the read never confirms it', () => {
  const server = leader()
  const old = beats(server.turnAt(server.now + 20))
  const fresh = beats(server.turn(read(1)))
  expect(fresh).toHaveLength(2)
  for (const beat of old) expect(confirmed(server.answered(beat, success(2)))).toEqual([])
  expect(confirmed(server.answered(fresh[0]!, success(2)))).toEqual([[1, 2]])
})

test('reads of one turn share a round; those that come meanwhile share the next', () => {
  const server = leader()
  const first = beats(server.turn(read(1), read(2)))
  expect(beats(server.turn(read(3)))).toEqual([])
  expect(confirmed(server.answered(first[0]!, success(2)))).toEqual([
    [1, 2],
    [2, 2],
  ])
  const second = beats(server.turn(read(4)))
  expect(second).toHaveLength(2)
  expect(confirmed(server.answered(first[1]!, success(2)))).toEqual([])
  expect(confirmed(server.answered(second[1]!, success(2)))).toEqual([
    [3, 2],
    [4, 2],
  ])
})

test('entries that are sent after the read confirm it too, those before do not', () => {
  const server = leader()
  const [before] = server.read(server.turn({ type: 'proposed', count: 1 }))
  server.turn(read(1))
  expect(confirmed(server.answered(before!, success(2)))).toEqual([])
  const [after] = server.read(server.turn({ type: 'proposed', count: 1 }))
  expect(confirmed(server.answered(after!, success(2)))).toEqual([[1, 2]])
})

test('a refusal in the own term proves leadership as well', () => {
  const server = leader()
  const [sent] = server.read(server.turn(read(1), { type: 'proposed', count: 1 }))
  expect(confirmed(server.answered(sent!, mismatch(2, 1)))).toEqual([[1, 2]])
})

test('a quorum of voters is needed; nonvoters never count (a defect of hashicorp/raft)', () => {
  const server = leader(['n1', 'n2', 'n3', 'n4', 'n5'], ['n6', 'n7'])
  server.now += 20
  const sent = new Map(beats(server.turn(read(1))).map((beat) => [beat.to.id, beat]))
  for (const id of ['n6', 'n7', 'n2'])
    expect(confirmed(server.answered(sent.get(id)!, success(2)))).toEqual([])
  expect(confirmed(server.answered(sent.get('n3')!, success(2)))).toEqual([[1, 2]])
})

test('nonvoters are not asked to confirm reads', () => {
  const server = leader(['n1', 'n2'], ['n3'])
  expect(beats(server.turn(read(1))).map(({ to }) => to.id)).toEqual(['n2'])
})

test('an even number of voters needs more than half', () => {
  const server = leader(['n1', 'n2', 'n3', 'n4'])
  const [first, second] = beats(server.turn(read(1)))
  expect(confirmed(server.answered(first!, success(2)))).toEqual([])
  expect(confirmed(server.answered(second!, success(2)))).toEqual([[1, 2]])
})

test('a single voter confirms at once', () => {
  expect(confirmed(leader(['n1'], ['n2']).step(read(1)))).toEqual([[1, 2]])
})

test('an index is known once an entry of the own term is committed', () => {
  const server = new LoneServer()
  const [sent] = server.lead()
  expect(beats(server.turn(read(1)))).toEqual([])
  // Proof of leadership alone needs no index.
  const round = beats(server.turn(read(2, false)))
  expect(confirmed(server.answered(round[0]!, success(2)))).toEqual([[2, 0]])
  server.answered(sent!, success(2))
  const next = beats(server.turn())
  expect(confirmed(server.answered(next[1]!, success(2)))).toEqual([[1, 2]])
})

test('a single voter waits for its first commit, too', () => {
  const server = new LoneServer({ voters: ['n1'] })
  server.sync(server.turnAt(100).filter(({ type }) => type === 'save-hard-state'))
  // `sync` made the no-op durable only if it was there; ask again before the next completion.
  const fresh = new LoneServer({ voters: ['n1'] })
  fresh.turnAt(100)
  fresh.step({ type: 'hard-state-durable', sequence: 1 })
  expect(fresh.status).toMatchObject({ role: 'leader', commitIndex: 0 })
  expect(confirmed(fresh.step(read(1)))).toEqual([])
  expect(confirmed(fresh.step({ type: 'entries-durable', index: 2, term: 2 }))).toEqual([[1, 2]])
  expect(server.status.role).toBe('leader')
})

test('what was sent before a stall confirms nothing after it', () => {
  const server = leader()
  const before = beats(server.turn(read(1)))
  server.now += 30
  const effects = server.turn({ type: 'stalled', forMs: 30 })
  for (const beat of before) expect(confirmed(server.answered(beat, success(2)))).toEqual([])
  const [after] = beats(effects)
  expect(confirmed(server.answered(after!, success(2)))).toEqual([[1, 2]])
})

test('reads are refused without leadership, and when it ends', () => {
  const follower = new LoneServer()
  expect(follower.step(read(1))).toEqual([
    { type: 'read-refused', readId: 1, reason: 'not-leader' },
  ])
  const server = new LoneServer()
  const [sent] = server.lead()
  server.turn(read(1), read(2, false))
  const effects = server.heartbeat(9, 'n3')
  expect(all(effects, 'read-refused').map(({ readId, reason }) => [readId, reason])).toEqual([
    [1, 'leadership-lost'],
    [2, 'leadership-lost'],
  ])
  expect(confirmed(server.answered(sent!, success(2)))).toEqual([])
})

test('reads go on during a transfer until TimeoutNow is sent', () => {
  const server = leader()
  const sent = server.read(server.turn({ type: 'proposed', count: 1 }))
  server.turn({ type: 'transfer-requested', transferId: 7, target: 'n2' })
  const round = beats(server.turn(read(1)))
  expect(confirmed(server.answered(round[0]!, success(2)))).toEqual([[1, 2]])
  server.answered(
    sent.find(({ to }) => to.id === 'n2')!,
    success(2),
  )
  const effects = server.turn()
  expect(all(effects, 'send').map(({ request }) => request.type)).toContain('timeout-now')
  expect(only(server.step(read(2)), 'read-refused').reason).toBe('transfer-in-progress')
})

describe('a read on the lease (dissertation §6.4.1)', () => {
  const onLease = (readId: number): ConsensusEvent => ({
    type: 'read-requested',
    readId,
    needsIndex: true,
    onLease: true,
  })

  /** A leader whose peers answered something sent at its present time. */
  function heard(): LoneServer {
    const server = leader()
    for (const beat of beats(server.turnAt(server.now + 20))) server.answered(beat, success(2))
    return server
  }

  test('is confirmed at once while the lease holds', () => {
    const server = heard()
    server.now += 89
    expect(confirmed(server.step(onLease(1)))).toEqual([[1, 2]])
  })

  test('waits for a round when the lease, less what clocks drift, is over', () => {
    const server = heard()
    server.now += 90
    expect(confirmed(server.step(onLease(1)))).toEqual([])
    const [beat] = beats(server.turn())
    expect(confirmed(server.answered(beat!, success(2)))).toEqual([[1, 2]])
  })

  test('waits for a round after a stall', () => {
    const server = heard()
    server.now += 5
    server.step({ type: 'stalled', forMs: 5 })
    expect(confirmed(server.step(onLease(1)))).toEqual([])
  })

  test('waits for the first commit of the term', () => {
    const server = new LoneServer()
    server.lead()
    expect(confirmed(server.step(onLease(1)))).toEqual([])
  })

  test('waits for a round when a TimeoutNow may still be under way', () => {
    const server = heard()
    const effects = server.turn({ type: 'transfer-requested', transferId: 1, target: 'n2' })
    const timeoutNow = all(effects, 'send').find(({ request }) => request.type === 'timeout-now')!
    server.failed(timeoutNow)
    expect(confirmed(server.step(onLease(1)))).toEqual([])
  })

  test('waits for a round when a voter is not raftkit: it may vote right after a restart', () => {
    const server = heard()
    for (const { to, sendId } of beats(server.turnAt(server.now + 20)))
      server.step({
        type: 'answered',
        peer: to.id,
        sendId,
        answer: success(2),
        isRaftkit: to.id !== 'n3',
      })
    expect(confirmed(server.step(onLease(1)))).toEqual([])
  })

  test('does not take a voter that was just added for one that has answered', () => {
    const server = leader(['n1', 'n2'])
    for (const beat of beats(server.turnAt(server.now + 20))) server.answered(beat, success(2))
    server.now += 80
    const change = { type: 'add-voter', id: 'n3', address: 'n3:1' } as const
    server.turn({ type: 'change-requested', changeId: 1, change, prevIndex: 0 })
    server.now += 10
    expect(confirmed(server.step(onLease(1)))).toEqual([])
  })
})
