// Handing leadership over (dissertation §3.10).
import { expect, test } from 'vitest'
import type { ConsensusEvent, Effect } from '@raftkit/raft-core/consensus'
import type { ServerId } from '@raftkit/interface/protocol'
import {
  all,
  LoneServer,
  only,
  sender,
  success,
  type EffectOf,
  type LoneOptions,
} from '../lone-server.ts'

function transfer(target?: ServerId): ConsensusEvent {
  const request = { type: 'transfer-requested', transferId: 1 } as const
  return target === undefined ? request : { ...request, target }
}

function leader(options: LoneOptions = {}): LoneServer {
  const server = new LoneServer({ timing: { leaderLeaseTimeoutMs: 10_000 }, ...options })
  server.leadAndCommit()
  return server
}

function timeoutNows(effects: readonly Effect[]): readonly EffectOf<'send'>[] {
  return all(effects, 'send').filter(({ request }) => request.type === 'timeout-now')
}

const ended = (effects: readonly Effect[]): unknown =>
  all(effects, 'transfer-ended').map(({ transferId, refusal }) => [transferId, refusal])

test('whom leadership is not handed to', () => {
  const options = { nonvoters: ['n4'] }
  expect(ended(leader(options).step(transfer('n1')))).toEqual([[1, 'target-is-self']])
  expect(ended(leader(options).step(transfer('n4')))).toEqual([[1, 'target-not-voter']])
  expect(ended(leader(options).step(transfer('n9')))).toEqual([[1, 'no-such-target']])
  expect(ended(leader({ voters: ['n1'] }).step(transfer()))).toEqual([[1, 'no-such-target']])
  expect(ended(new LoneServer().step(transfer('n2')))).toEqual([[1, 'not-leader']])
})

test('a target that has everything is told at once', () => {
  const server = leader()
  const [sent] = timeoutNows(server.step(transfer('n3')))
  expect(sent).toMatchObject({ to: { id: 'n3' }, request: { term: server.status.term } })
})

test('a server that is not known to be raftkit is sent nothing that hashicorp/raft does not know', () => {
  const server = leader()
  for (const { to, sendId } of server.read(server.turn({ type: 'proposed', count: 1 })))
    server.step({
      type: 'answered',
      peer: to.id,
      sendId,
      answer: success(server.status.term, 2),
      isRaftkit: false,
    })
  const [sent] = timeoutNows(server.step(transfer('n3')))
  expect(sent!.request).toEqual({ type: 'timeout-now' })
})

test('of voters that are as good as each other the preferred one is taken', () => {
  for (const preferred of ['n2', 'n3']) {
    const server = leader({
      timing: { leaderLeaseTimeoutMs: 10_000, leaderPriorities: { [preferred]: 1 } },
    })
    expect(timeoutNows(server.step(transfer())).map(({ to }) => to.id)).toEqual([preferred])
  }
})

test('the best voter is taken: reachable first, then the longest log', () => {
  const server = leader({ nonvoters: ['n4'] })
  for (const sent of server.read(server.turn({ type: 'proposed', count: 1 })))
    if (sent.to.id === 'n3') server.answered(sent, success(2))
  expect(timeoutNows(server.step(transfer())).map(({ to }) => to.id)).toEqual(['n3'])
  // n3 no longer answers: n2 is chosen, and catches up first.
  const other = leader()
  const sent = other.read(other.turn({ type: 'proposed', count: 1 }))
  other.answered(
    sent.find(({ to }) => to.id === 'n3')!,
    success(2),
  )
  other.failed(all(other.turnAt(other.now + 20), 'send').find(({ to }) => to.id === 'n3')!)
  expect(timeoutNows(other.step(transfer()))).toEqual([])
  other.answered(
    sent.find(({ to }) => to.id === 'n2')!,
    success(2),
  )
  expect(timeoutNows(other.turn()).map(({ to }) => to.id)).toEqual(['n2'])
})

test('proposals are refused meanwhile; a second transfer too', () => {
  const server = leader()
  server.turn({ type: 'proposed', count: 1 })
  server.step(transfer('n2'))
  expect(only(server.step({ type: 'proposed', count: 2 }), 'proposals-refused')).toMatchObject({
    count: 2,
    reason: 'transfer-in-progress',
  })
  expect(ended(server.step({ type: 'transfer-requested', transferId: 2 }))).toEqual([
    [2, 'transfer-in-progress'],
  ])
})

test('the target catches up first', () => {
  const server = leader()
  const [sent] = server.read(server.turn({ type: 'proposed', count: 1 }))
  expect(timeoutNows(server.turn(transfer('n2')))).toEqual([])
  server.answered(sent!, success(2))
  expect(timeoutNows(server.turn())).toHaveLength(1)
  // Once.
  expect(timeoutNows(server.turn())).toEqual([])
})

test('it ends well when leadership goes to a higher term', () => {
  const server = leader()
  server.step(transfer('n2'))
  const effects = server.receive({
    type: 'request-vote',
    from: sender('n2'),
    term: 3,
    lastLogIndex: 2,
    lastLogTerm: 2,
    leadershipTransfer: true,
  })
  expect(ended(effects)).toEqual([[1, undefined]])
  expect(server.status).toMatchObject({ role: 'follower', term: 3 })
})

test('it fails after the election timeout, and proposals go on', () => {
  const server = leader()
  server.turn({ type: 'proposed', count: 1 })
  server.step(transfer('n2'))
  const start = server.now
  expect(ended(server.turnAt(start + 99))).toEqual([])
  expect(ended(server.turnAt(start + 100))).toEqual([[1, 'transfer-timeout']])
})

test('it fails when the target cannot be told', () => {
  const server = leader()
  const [sent] = timeoutNows(server.step(transfer('n2')))
  expect(ended(server.failed(sent!))).toEqual([[1, 'target-unreachable']])
  expect(all(server.step({ type: 'proposed', count: 1 }), 'append-proposals')).toHaveLength(1)
  const refused = leader()
  const [again] = timeoutNows(refused.step(transfer('n2')))
  expect(ended(refused.answered(again!, { type: 'error', message: 'no' }))).toEqual([
    [1, 'target-unreachable'],
  ])
})

test('it belongs to one leadership (hashicorp/raft #696)', () => {
  const server = leader()
  server.turn({ type: 'proposed', count: 1 })
  server.step(transfer('n2'))
  expect(ended(server.heartbeat(9, 'n3'))).toEqual([[1, 'leadership-lost']])
  server.now += 1000
  server.lead()
  expect(all(server.step({ type: 'proposed', count: 1 }), 'append-proposals')).toHaveLength(1)
})

test('TimeoutNow starts a campaign at once, without pre-votes', () => {
  const server = new LoneServer()
  server.heartbeat(1, 'n2')
  const effects = server.receive({ type: 'timeout-now', from: sender('n2') })
  expect(all(effects, 'send').map(({ request }) => request)).toEqual([
    { type: 'request-vote', term: 2, lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: true },
    { type: 'request-vote', term: 2, lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: true },
  ])
  expect(only(effects, 'answer').answer).toEqual({ type: 'timeout-now' })
  // The old leader's next words do not turn it back (hashicorp/raft #570).
  server.heartbeat(1, 'n2')
  expect(server.status).toMatchObject({ role: 'candidate', term: 2 })
})

test('TimeoutNow of an earlier term is refused, even when no leader is known', () => {
  const server = new LoneServer()
  server.heartbeat(1, 'n2')
  // It votes for n3, which leads term 2 and holds the lease of the other voter before this server hears of it.
  server.receive({
    type: 'request-vote',
    from: sender('n3'),
    term: 2,
    lastLogIndex: 1,
    lastLogTerm: 1,
    leadershipTransfer: true,
  })
  expect(server.status).toMatchObject({ term: 2, leader: undefined })
  const late = server.receive({ type: 'timeout-now', from: sender('n2'), term: 1 })
  expect(only(late, 'answer').answer.type).toBe('error')
  expect(server.status).toMatchObject({ role: 'follower', term: 2 })
  // hashicorp/raft does not say a term; then there are no leases either.
  server.heartbeat(2, 'n3')
  server.receive({ type: 'timeout-now', from: sender('n3') })
  expect(server.status).toMatchObject({ role: 'candidate', term: 3 })
})

test('the round after a hand-over that failed asks for pre-votes again', () => {
  const server = new LoneServer()
  server.receive({ type: 'timeout-now', from: sender('n2') })
  server.turnAt(100)
  expect(server.status.role).toBe('pre-candidate')
})

test('TimeoutNow is taken from the leader only, by voters only', () => {
  const refused: readonly [LoneServer, ServerId][] = [
    [new LoneServer({ log: [], configurations: [] }), 'n2'],
    [new LoneServer({ id: 'n4', nonvoters: ['n4'] }), 'n2'],
    [new LoneServer(), 'n9'],
    [leader(), 'n2'],
  ]
  const known = new LoneServer()
  known.heartbeat(1, 'n3')
  for (const [server, from] of [...refused, [known, 'n2'] as const]) {
    const { role, term } = server.status
    const effects = server.receive({ type: 'timeout-now', from: sender(from) })
    expect(only(effects, 'answer').answer.type).toBe('error')
    expect(server.status).toMatchObject({ role, term })
  }
})
