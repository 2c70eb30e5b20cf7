// The candidate's side (§5.2).
import { expect, test } from 'vitest'
import type { Term } from '@raftkit/interface/protocol'
import type { Answer } from '@raftkit/raft-core/consensus'
import { all, indexed, LoneServer, only, type EffectOf } from '../lone-server.ts'

const withoutPreVote = { timing: { preVote: false } } as const

function vote(granted: boolean, term: Term): Answer {
  return { type: 'request-vote', granted, term }
}

test('a campaign leaves after the own vote is durable', () => {
  const server = new LoneServer(withoutPreVote)
  const effects = server.turnAt(100)
  expect(only(effects, 'save-hard-state')).toMatchObject({
    sequence: 1,
    hardState: { term: 2, votedFor: { id: 'n1' } },
  })
  expect(all(effects, 'send').map(({ after }) => after)).toEqual([
    { hardState: 1 },
    { hardState: 1 },
  ])
})

test('nobody leads before the own vote is durable, not even with all others', () => {
  const server = new LoneServer(withoutPreVote)
  for (const sent of all(server.turnAt(100), 'send')) server.answered(sent, vote(true, 2))
  expect(server.status.role).toBe('candidate')
  server.step({ type: 'hard-state-durable', sequence: 1 })
  expect(server.status.role).toBe('leader')
})

function candidate(voters: readonly string[]): {
  server: LoneServer
  sent: readonly EffectOf<'send'>[]
} {
  const server = new LoneServer({ ...withoutPreVote, voters })
  const effects = server.turnAt(100)
  server.sync(effects)
  return { server, sent: all(effects, 'send') }
}

test('a majority of the voters is needed, of an even number too', () => {
  for (const [count, others] of [
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
    [6, 3],
  ] as const) {
    const { server, sent } = candidate(Array.from({ length: count }, (_, place) => `n${place + 1}`))
    for (let answered = 0; answered < others; answered++) {
      expect(server.status.role).toBe('candidate')
      server.answered(sent[answered]!, vote(true, 2))
    }
    expect(server.status.role).toBe('leader')
  }
})

test('only voters are asked', () => {
  const server = new LoneServer({ ...withoutPreVote, nonvoters: ['n4'] })
  const asked = all(server.turnAt(100), 'send').map(({ to }) => to.id)
  expect(asked).toEqual(['n2', 'n3'])
})

test('doubled, foreign, late and refused answers are no votes', () => {
  const { server, sent } = candidate(['n1', 'n2', 'n3', 'n4', 'n5'])
  server.answered(sent[0]!, vote(true, 2))
  server.answered(sent[0]!, vote(true, 2))
  server.answered({ ...sent[1]!, to: { id: 'n4' } }, vote(true, 2))
  server.answered({ sendId: 999, to: { id: 'n3' } }, vote(true, 2))
  server.answered(sent[1]!, vote(false, 2))
  server.answered(sent[2]!, vote(true, 1))
  server.failed(sent[3]!)
  expect(server.status.role).toBe('candidate')
})

test('votes of the last term do not count in this one', () => {
  const { server, sent } = candidate(['n1', 'n2', 'n3'])
  server.sync(server.turnAt(200))
  expect(server.status.term).toBe(3)
  for (const late of sent) server.answered(late, vote(true, 2))
  expect(server.status.role).toBe('candidate')
})

test('a higher term in an answer ends the campaign, also in a late one', () => {
  const { server } = candidate(['n1', 'n2', 'n3'])
  const effects = server.answered({ sendId: 999, to: { id: 'n2' } }, vote(false, 8))
  expect(only(effects, 'save-hard-state').hardState).toEqual({ term: 8 })
  expect(server.status).toMatchObject({ role: 'follower', term: 8 })
})

test('a candidate follows the leader of its term', () => {
  const { server } = candidate(['n1', 'n2', 'n3'])
  server.heartbeat(2, 'n3')
  expect(server.status).toMatchObject({ role: 'follower', term: 2, leader: { id: 'n3' } })
})

test('a round lasts from one to two election timeouts, a follower waits so many heartbeat timeouts', () => {
  for (const random of [0, 0.5, 0.999]) {
    const server = new LoneServer({ ...withoutPreVote, random })
    const timeout = 100 * (1 + random)
    expect(all(server.turnAt(timeout - 0.01), 'role-changed')).toEqual([])
    expect(all(server.turnAt(timeout), 'role-changed')).toHaveLength(1)
    expect(all(server.turnAt(2 * timeout - 0.01), 'role-changed')).toEqual([])
    expect(all(server.turnAt(2 * timeout), 'role-changed')).toHaveLength(1)
  }
})

test('who never campaigns', () => {
  const idle = [
    new LoneServer({ id: 'n4', nonvoters: ['n4'] }),
    new LoneServer({ id: 'n9' }),
    new LoneServer({ log: [], configurations: [] }),
    new LoneServer({ configurations: [indexed(1, ['n2', 'n3'])] }),
  ]
  for (const server of idle)
    for (let now = 0; now < 1000; now += 50) {
      server.turnAt(now)
      expect(server.status.role).toBe('follower')
    }
})

test('the election timeout acts when the turn ends: a heartbeat that waited is heard first', () => {
  const server = new LoneServer()
  server.now = 500
  server.heartbeat(1)
  expect(all(server.turn(), 'role-changed')).toEqual([])
})

test('a new leader appends a no-op and follows every other member', () => {
  const server = new LoneServer({ nonvoters: ['n4'] })
  const sent = server.lead()
  expect(server.status).toMatchObject({
    role: 'leader',
    term: 2,
    lastIndex: 2,
    leader: { id: 'n1' },
  })
  expect(sent.map(({ to, prevLogIndex }) => [to.id, prevLogIndex])).toEqual([
    ['n2', 1],
    ['n3', 1],
    ['n4', 1],
  ])
})
