// Pre-votes, asked and answered (dissertation §9.6).
import { expect, test } from 'vitest'
import type { ServerId, Term } from '@raftkit/interface/protocol'
import type { Answer, ReceivedPreVote } from '@raftkit/raft-core/consensus'
import { all, LoneServer, only, sender } from '../lone-server.ts'

function preVoteRequest(
  from: ServerId,
  term: Term,
  changes: Partial<ReceivedPreVote> = {},
): ReceivedPreVote {
  return {
    type: 'request-pre-vote',
    from: sender(from),
    term,
    lastLogIndex: 1,
    lastLogTerm: 1,
    ...changes,
  }
}

function decide(server: LoneServer, request: ReceivedPreVote): readonly [boolean, Term] {
  const { answer } = only(server.receive(request), 'answer')
  if (answer.type !== 'request-pre-vote') throw new Error('not the answer to a pre-vote')
  return [answer.granted, answer.term]
}

function answerOf(granted: boolean, term: Term): Answer {
  return { type: 'request-pre-vote', granted, term }
}

test('a pre-vote changes nothing at the voter', () => {
  const server = new LoneServer({ hardState: { term: 3, votedFor: { id: 'n3', address: 'n3:1' } } })
  const before = server.status
  const effects = server.receive(preVoteRequest('n2', 4))
  expect(effects.map((effect) => effect.type)).toEqual(['answer'])
  expect(server.status).toEqual(before)
  // Nor does it move the election timeout.
  expect(only(server.turnAt(100), 'role-changed').role).toBe('pre-candidate')
})

test('who gets a pre-vote', () => {
  const server = new LoneServer({ log: [1, 2], nonvoters: ['n4'] })
  const end = { lastLogIndex: 2, lastLogTerm: 2 }
  expect(decide(server, preVoteRequest('n2', 3, end))).toEqual([true, 3])
  expect(decide(server, preVoteRequest('n2', 1, end))).toEqual([false, 2])
  expect(decide(server, preVoteRequest('n2', 3))).toEqual([false, 3])
  expect(decide(server, preVoteRequest('n4', 3, end))).toEqual([false, 3])
  expect(decide(server, preVoteRequest('n9', 3, end))).toEqual([false, 2])
})

test('nobody else gets one while a leader is heard; the leader itself does (hashicorp/raft #605)', () => {
  const server = new LoneServer()
  server.heartbeat(1, 'n2')
  expect(decide(server, preVoteRequest('n3', 2))).toEqual([false, 1])
  expect(decide(server, preVoteRequest('n2', 2))).toEqual([true, 2])
  server.now = 100
  expect(decide(server, preVoteRequest('n3', 2))).toEqual([true, 2])
})

test('pre-votes are asked without a new term', () => {
  const server = new LoneServer({ nonvoters: ['n4'] })
  const effects = server.turnAt(100)
  expect(all(effects, 'save-hard-state')).toEqual([])
  expect(all(effects, 'send').map(({ to, request }) => [to.id, request])).toEqual([
    ['n2', { type: 'request-pre-vote', term: 2, lastLogIndex: 1, lastLogTerm: 1 }],
    ['n3', { type: 'request-pre-vote', term: 2, lastLogIndex: 1, lastLogTerm: 1 }],
  ])
  expect(server.status.term).toBe(1)
})

test('a majority of pre-votes starts the campaign; doubled and foreign answers count once', () => {
  const server = new LoneServer({ voters: ['n1', 'n2', 'n3', 'n4', 'n5'] })
  const [first, second] = all(server.turnAt(100), 'send')
  server.answered(first!, answerOf(true, 2))
  server.answered(first!, answerOf(true, 2))
  server.answered({ ...second!, to: { id: 'n4' } }, answerOf(true, 2))
  server.answered({ sendId: 999, to: { id: 'n4' } }, answerOf(true, 2))
  expect(server.status.role).toBe('pre-candidate')
  server.answered(second!, answerOf(true, 2))
  expect(server.status.role).toBe('candidate')
})

test('answers to the last round do not count in this one', () => {
  const server = new LoneServer()
  const [late] = all(server.turnAt(100), 'send')
  server.turnAt(200)
  server.answered(late!, answerOf(true, 2))
  expect(server.status.role).toBe('pre-candidate')
})

test('a refusal with a higher term than proposed is adopted, an echo is not', () => {
  const server = new LoneServer()
  const [first, second] = all(server.turnAt(100), 'send')
  server.answered(first!, answerOf(false, 2))
  expect(server.status.term).toBe(1)
  const effects = server.answered(second!, answerOf(false, 7))
  expect(only(effects, 'save-hard-state').hardState).toEqual({ term: 7 })
  expect(server.status).toMatchObject({ role: 'follower', term: 7 })
})

test('a late grant echoes a term that is none', () => {
  const server = new LoneServer()
  const [late] = all(server.turnAt(100), 'send')
  server.heartbeat(1, 'n2')
  server.answered(late!, answerOf(true, 2))
  expect(server.status).toMatchObject({ role: 'follower', term: 1 })
})

test('a peer that does not know pre-votes counts as granting, and is not asked again', () => {
  const server = new LoneServer({ voters: ['n1', 'n2', 'n3', 'n4', 'n5'] })
  const [first] = all(server.turnAt(100), 'send')
  server.step({ type: 'send-failed', peer: 'n2', sendId: first!.sendId, failure: 'unsupported' })
  expect(server.status.role).toBe('pre-candidate')
  const asked = all(server.turnAt(200), 'send')
  expect(asked.map(({ to }) => to.id)).toEqual(['n3', 'n4', 'n5'])
  // Its silence of the last round counts in this one: with n1 and n3 that is a majority.
  server.answered(asked[0]!, answerOf(true, 2))
  expect(server.status.role).toBe('candidate')
})

test('a peer that asks for pre-votes itself is asked again', () => {
  const server = new LoneServer({ voters: ['n1', 'n2', 'n3', 'n4', 'n5'] })
  const [first] = all(server.turnAt(100), 'send')
  server.step({ type: 'send-failed', peer: 'n2', sendId: first!.sendId, failure: 'unsupported' })
  server.receive(preVoteRequest('n2', 2))
  expect(all(server.turnAt(200), 'send').map(({ to }) => to.id)).toContain('n2')
})

test('an unreachable peer is no grant', () => {
  const server = new LoneServer()
  for (const sent of all(server.turnAt(100), 'send')) server.failed(sent)
  expect(server.status.role).toBe('pre-candidate')
})
