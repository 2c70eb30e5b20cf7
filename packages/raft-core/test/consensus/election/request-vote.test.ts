// The voter's decisions (§5.2, §5.4.1), in the order of the checks.
import { describe, expect, test } from 'vitest'
import type { ServerId, Term } from '@raftkit/interface/protocol'
import type { ReceivedRequest, ReceivedRequestVote } from '@raftkit/raft-core/consensus'
import { all, LoneServer, only, sender } from '../lone-server.ts'

function voteRequest(
  from: ServerId,
  term: Term,
  changes: Partial<ReceivedRequestVote> = {},
): ReceivedRequestVote {
  return {
    type: 'request-vote',
    from: sender(from),
    term,
    lastLogIndex: 1,
    lastLogTerm: 1,
    leadershipTransfer: false,
    ...changes,
  }
}

function decide(server: LoneServer, request: ReceivedRequestVote): readonly [boolean, Term] {
  const { answer } = only(server.receive(request), 'answer')
  if (answer.type !== 'request-vote') throw new Error('not the answer to a vote')
  return [answer.granted, answer.term]
}

test('a vote is saved, and its answer waits for that', () => {
  const server = new LoneServer()
  const effects = server.receive(voteRequest('n2', 2))
  expect(only(effects, 'save-hard-state')).toMatchObject({
    sequence: 1,
    hardState: { term: 2, votedFor: { id: 'n2', address: 'n2:1' } },
  })
  expect(only(effects, 'answer')).toMatchObject({
    answer: { granted: true, term: 2 },
    after: { hardState: 1 },
  })
})

test('one vote per term; the same candidate may ask again', () => {
  const server = new LoneServer()
  expect(decide(server, voteRequest('n2', 2))).toEqual([true, 2])
  expect(decide(server, voteRequest('n3', 2))).toEqual([false, 2])
  expect(decide(server, voteRequest('n2', 2))).toEqual([true, 2])
  expect(decide(server, voteRequest('n3', 3))).toEqual([true, 3])
})

test('a vote given before a restart still counts', () => {
  const server = new LoneServer({
    hardState: { term: 2, votedFor: { id: 'n2', address: 'elsewhere' } },
  })
  expect(decide(server, voteRequest('n3', 2))).toEqual([false, 2])
  expect(decide(server, voteRequest('n2', 2))).toEqual([true, 2])
})

test('a candidate whose log is behind is refused, after its term was taken up', () => {
  const log = [1, 2, 2]
  const ends = [
    { lastLogIndex: 3, lastLogTerm: 2, granted: true },
    { lastLogIndex: 4, lastLogTerm: 2, granted: true },
    { lastLogIndex: 1, lastLogTerm: 3, granted: true },
    { lastLogIndex: 2, lastLogTerm: 2, granted: false },
    { lastLogIndex: 9, lastLogTerm: 1, granted: false },
  ]
  for (const { granted, ...end } of ends)
    expect(decide(new LoneServer({ log }), voteRequest('n2', 5, end))).toEqual([granted, 5])
})

test('a lower term is refused with the own term', () => {
  expect(decide(new LoneServer({ hardState: { term: 4 } }), voteRequest('n2', 3))).toEqual([
    false,
    4,
  ])
})

test('a stranger is refused and brings no term', () => {
  const server = new LoneServer()
  expect(decide(server, voteRequest('n9', 7))).toEqual([false, 1])
  expect(server.status.term).toBe(1)
})

test('a nonvoter brings its term and gets no vote', () => {
  const server = new LoneServer({ nonvoters: ['n4'] })
  expect(decide(server, voteRequest('n4', 7))).toEqual([false, 7])
})

test('a server without a configuration votes: it cannot know who belongs', () => {
  const server = new LoneServer({ log: [], configurations: [] })
  expect(decide(server, voteRequest('n2', 2))).toEqual([true, 2])
})

test('while a leader is heard, others are refused and bring no term', () => {
  const server = new LoneServer()
  server.heartbeat(1, 'n2')
  server.now = 99
  expect(decide(server, voteRequest('n3', 5))).toEqual([false, 1])
  server.now = 100
  expect(decide(server, voteRequest('n3', 5))).toEqual([true, 5])
})

test('the leader that is heard may itself campaign, and so may whom it asks', () => {
  const known = new LoneServer()
  known.heartbeat(1, 'n2')
  expect(decide(known, voteRequest('n2', 2))).toEqual([true, 2])
  const asked = new LoneServer()
  asked.heartbeat(1, 'n2')
  expect(decide(asked, voteRequest('n3', 2, { leadershipTransfer: true }))).toEqual([true, 2])
})

test('a leader with its lease refuses; one without steps down', () => {
  const server = new LoneServer()
  server.leadAndCommit()
  expect(decide(server, voteRequest('n2', 9))).toEqual([false, 2])
  expect(server.status.role).toBe('leader')
  server.now += 20
  server.step({ type: 'stalled', forMs: 20 })
  expect(decide(server, voteRequest('n2', 9, { lastLogIndex: 9, lastLogTerm: 8 }))).toEqual([
    true,
    9,
  ])
  expect(server.status.role).toBe('follower')
})

test('a vote moves the election timeout, a refusal does not', () => {
  const granted = new LoneServer()
  granted.now = 90
  granted.receive(voteRequest('n2', 2))
  expect(all(granted.turnAt(100), 'role-changed')).toEqual([])
  const refused = new LoneServer({ log: [1, 1] })
  refused.now = 90
  refused.receive(voteRequest('n2', 2))
  expect(only(refused.turnAt(100), 'role-changed').role).toBe('pre-candidate')
})

test('an old peer without an id is told apart by its address', () => {
  const server = new LoneServer()
  const old = { id: '', address: 'old:1', isRaftkit: false }
  expect(decide(server, voteRequest('', 2, { from: old }))).toEqual([true, 2])
  expect(decide(server, voteRequest('', 2, { from: { ...old, address: 'other:1' } }))).toEqual([
    false,
    2,
  ])
  expect(decide(server, voteRequest('', 2, { from: old }))).toEqual([true, 2])
})

describe('a candidate that an older configuration speaks against', () => {
  // n4 is no member here, n3 has no vote.
  const knows = { voters: ['n1', 'n2'], nonvoters: ['n3'], log: [1, 1] }
  const ask = (from: ServerId, lastLogIndex: number): ReceivedRequest => ({
    type: 'request-vote',
    from: sender(from),
    term: 5,
    lastLogIndex,
    lastLogTerm: 1,
    leadershipTransfer: false,
  })
  const answerOf = (server: LoneServer, request: ReceivedRequest): unknown =>
    only(server.receive(request), 'answer').answer

  test.each(['n3', 'n4'])('has the vote of a server that has less of the log: %s', (from) => {
    const server = new LoneServer(knows)
    expect(answerOf(server, ask(from, 3))).toMatchObject({ term: 5, granted: true })
  })

  test.each([
    ['n3', 5],
    ['n4', 1],
  ])('is refused by a server that has the same log: %s', (from, term) => {
    expect(answerOf(new LoneServer(knows), ask(from, 2))).toMatchObject({ term, granted: false })
  })

  test.each(['n3', 'n4'])('is treated alike when it asks for a pre-vote: %s', (from) => {
    const preVote = (lastLogIndex: number): ReceivedRequest => ({
      type: 'request-pre-vote',
      from: sender(from),
      term: 5,
      lastLogIndex,
      lastLogTerm: 1,
    })
    expect(answerOf(new LoneServer(knows), preVote(3))).toMatchObject({ granted: true })
    expect(answerOf(new LoneServer(knows), preVote(2))).toMatchObject({ granted: false })
  })
})

describe('a server that has just started', () => {
  const restarted = (mayHaveHeardLeader: boolean): LoneServer =>
    new LoneServer({ log: [1, 1], hardState: { term: 2 }, mayHaveHeardLeader })

  test('may have heard a leader before: for a heartbeat timeout it gives no vote', () => {
    const server = restarted(true)
    server.now = 99
    expect(decide(server, voteRequest('n2', 5, { lastLogIndex: 2 }))).toEqual([false, 2])
    server.now = 100
    expect(decide(server, voteRequest('n2', 5, { lastLogIndex: 2 }))).toEqual([true, 5])
  })

  test('votes for whom the leader asks to take over', () => {
    const request = voteRequest('n2', 5, { lastLogIndex: 2, leadershipTransfer: true })
    expect(decide(restarted(true), request)).toEqual([true, 5])
  })

  test('and cannot have heard a leader votes at once', () => {
    expect(decide(restarted(false), voteRequest('n2', 5, { lastLogIndex: 2 }))).toEqual([true, 5])
  })
})
