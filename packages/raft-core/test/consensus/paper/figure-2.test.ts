// Figure 2 of the Raft paper, box by box. The titles are its rules.
import { describe, expect, test } from 'vitest'
import { all, LoneServer, mismatch, only, sender, success } from '../lone-server.ts'

const voteRequest = {
  type: 'request-vote',
  from: sender('n2'),
  term: 3,
  lastLogIndex: 1,
  lastLogTerm: 1,
  leadershipTransfer: false,
} as const

describe('State', () => {
  test('currentTerm and votedFor are updated on stable storage before responding', () => {
    const effects = new LoneServer().receive(voteRequest)
    const types = effects.map(({ type }) => type)
    expect(types.indexOf('save-hard-state')).toBeLessThan(types.indexOf('answer'))
    expect(only(effects, 'answer').after).toEqual({ hardState: 1 })
  })

  test('log[] is updated on stable storage before responding', () => {
    const effects = new LoneServer().append({ term: 1, prev: [1, 1], entries: [1] })
    expect(only(effects, 'answer').after).toEqual({ entry: { index: 2, term: 1 } })
  })

  test('commitIndex and lastApplied start at what the snapshot covers and increase monotonically', () => {
    const server = new LoneServer({ log: [1, 1, 1] })
    const seen: number[] = [server.status.commitIndex]
    for (const commit of [2, 1, 3, 0]) {
      server.append({ term: 1, prev: [3, 1], commit })
      seen.push(server.status.commitIndex)
    }
    expect(seen).toEqual([0, 2, 2, 3, 3])
  })

  test('nextIndex[] is initialized to leader last log index + 1, matchIndex[] to 0, after election', () => {
    const server = new LoneServer({ log: [1, 1, 1] })
    server.lead()
    for (const peer of server.status.peers)
      expect(peer).toMatchObject({ nextIndex: 4, matchIndex: 0 })
  })
})

describe('AppendEntries RPC', () => {
  test('1. Reply false if term < currentTerm', () => {
    const server = new LoneServer({ hardState: { term: 4 } })
    const { answer } = only(server.append({ term: 3, prev: [1, 1] }), 'answer')
    expect(answer).toMatchObject({ success: false, term: 4 })
  })

  test("2. Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm", () => {
    for (const prev of [
      [1, 2],
      [2, 1],
    ] as const) {
      const { answer } = only(new LoneServer().append({ term: 2, prev }), 'answer')
      expect(answer).toMatchObject({ success: false })
    }
  })

  test('3. If an existing entry conflicts with a new one, delete the existing entry and all that follow it', () => {
    const server = new LoneServer({ log: [1, 1, 1, 1] })
    const effects = server.append({ term: 2, prev: [2, 1], entries: [2] })
    expect(only(effects, 'truncate-log').from).toBe(3)
    expect(server.status).toMatchObject({ lastIndex: 3, lastTerm: 2 })
  })

  test('4. Append any new entries not already in the log', () => {
    const server = new LoneServer({ log: [1, 1] })
    const effects = server.append({ term: 1, prev: [1, 1], entries: [1, 1, 1] })
    expect(only(effects, 'append-received')).toMatchObject({ from: 3, to: 4 })
  })

  test('5. If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)', () => {
    const server = new LoneServer({ log: [1, 1, 1, 1] })
    server.append({ term: 1, prev: [1, 1], entries: [1], commit: 4 })
    expect(server.status.commitIndex).toBe(2)
  })
})

describe('RequestVote RPC', () => {
  test('1. Reply false if term < currentTerm', () => {
    const server = new LoneServer({ hardState: { term: 4 } })
    expect(only(server.receive(voteRequest), 'answer').answer).toMatchObject({
      granted: false,
      term: 4,
    })
  })

  test("2. If votedFor is null or candidateId, and candidate's log is at least as up-to-date, grant vote", () => {
    const granted = (server: LoneServer): unknown =>
      only(server.receive(voteRequest), 'answer').answer
    const vote = (id: string) => ({ term: 3, votedFor: { id, address: `${id}:1` } })
    expect(granted(new LoneServer())).toMatchObject({ granted: true })
    expect(granted(new LoneServer({ hardState: vote('n2') }))).toMatchObject({ granted: true })
    expect(granted(new LoneServer({ hardState: vote('n3') }))).toMatchObject({ granted: false })
    expect(granted(new LoneServer({ log: [1, 1] }))).toMatchObject({ granted: false })
  })
})

describe('Rules for servers', () => {
  test('All: if commitIndex > lastApplied, apply', () => {
    const server = new LoneServer({ log: [1, 1] })
    expect(only(server.append({ term: 1, prev: [2, 1], commit: 2 }), 'commit').index).toBe(2)
  })

  test('All: if a request or response contains term T > currentTerm, set currentTerm = T, convert to follower', () => {
    const requests = [
      (server: LoneServer) => server.heartbeat(7),
      (server: LoneServer) => server.append({ term: 7, prev: [9, 7] }),
      (server: LoneServer) => server.receive({ ...voteRequest, term: 7, leadershipTransfer: true }),
      (server: LoneServer) => server.answered({ sendId: 1, to: { id: 'n2' } }, mismatch(7, 0)),
      (server: LoneServer) =>
        server.answered(
          { sendId: 1, to: { id: 'n2' } },
          { type: 'request-vote', term: 7, granted: false },
        ),
      (server: LoneServer) =>
        server.answered(
          { sendId: 1, to: { id: 'n2' } },
          { type: 'install-snapshot', term: 7, success: false },
        ),
    ]
    for (const request of requests) {
      const leader = new LoneServer()
      leader.leadAndCommit()
      request(leader)
      expect(leader.status).toMatchObject({ role: 'follower', term: 7 })
    }
  })

  test('Followers: if election timeout elapses without AppendEntries from the leader or a vote: convert to candidate', () => {
    const server = new LoneServer({ timing: { preVote: false } })
    server.now = 50
    server.append({ term: 1, prev: [1, 1] })
    server.turnAt(149)
    expect(server.status.role).toBe('follower')
    server.turnAt(150)
    expect(server.status.role).toBe('candidate')
  })

  test('Candidates: on conversion increment currentTerm, vote for self, reset election timer, send RequestVote to all other servers', () => {
    const server = new LoneServer({ timing: { preVote: false } })
    const effects = server.turnAt(100)
    expect(only(effects, 'save-hard-state').hardState).toMatchObject({
      term: 2,
      votedFor: { id: 'n1' },
    })
    expect(all(effects, 'send').map(({ to, request }) => [to.id, request.type])).toEqual([
      ['n2', 'request-vote'],
      ['n3', 'request-vote'],
    ])
    expect(only(effects, 'wake-at').time).toBe(200)
  })

  test('Candidates: if votes received from majority of servers: become leader', () => {
    const server = new LoneServer()
    server.lead()
    expect(server.status.role).toBe('leader')
  })

  test('Candidates: if AppendEntries received from new leader: convert to follower', () => {
    const server = new LoneServer({ timing: { preVote: false } })
    server.turnAt(100)
    server.append({ term: 2, prev: [1, 1] })
    expect(server.status).toMatchObject({ role: 'follower', term: 2, leader: { id: 'n2' } })
  })

  test('Candidates: if election timeout elapses: start new election', () => {
    const server = new LoneServer({ timing: { preVote: false } })
    server.turnAt(100)
    server.turnAt(200)
    expect(server.status).toMatchObject({ role: 'candidate', term: 3 })
  })

  test('Leaders: upon election send heartbeats to each server; repeat during idle periods', () => {
    const server = new LoneServer()
    server.leadAndCommit()
    const beats = all(server.turnAt(server.now + 20), 'send')
    expect(beats.map(({ to, request }) => [to.id, request.type])).toEqual([
      ['n2', 'heartbeat'],
      ['n3', 'heartbeat'],
    ])
  })

  test('Leaders: if command received from client: append entry to local log', () => {
    const server = new LoneServer()
    server.leadAndCommit()
    expect(server.step({ type: 'proposed', count: 1 })).toEqual([
      { type: 'append-proposals', firstIndex: 3, count: 1, term: 2 },
    ])
  })

  test('Leaders: if last log index >= nextIndex for a follower: send AppendEntries starting at nextIndex', () => {
    const server = new LoneServer()
    server.leadAndCommit()
    const reads = all(server.turn({ type: 'proposed', count: 2 }), 'read-entries')
    expect(reads.map(({ peer, from, to }) => [peer, from, to])).toEqual([
      ['n2', 3, 4],
      ['n3', 3, 4],
    ])
  })

  test('Leaders: if successful: update nextIndex and matchIndex; if it fails by inconsistency: decrement nextIndex and retry', () => {
    const server = new LoneServer({ log: [1, 1, 1] })
    const [second, third] = server.lead()
    server.answered(second!, success(2))
    server.answered(third!, mismatch(2, 9))
    expect(server.status.peers.map(({ matchIndex, nextIndex }) => [matchIndex, nextIndex])).toEqual(
      [
        [4, 5],
        [0, 3],
      ],
    )
    expect(server.read(server.turn()).map(({ to, prevLogIndex }) => [to.id, prevLogIndex])).toEqual(
      [['n3', 2]],
    )
  })

  test('Leaders: if N > commitIndex, a majority of matchIndex[i] >= N, and log[N].term == currentTerm: set commitIndex = N', () => {
    const server = new LoneServer({ log: [1, 1] })
    const [sent] = server.lead()
    expect(server.status.commitIndex).toBe(0)
    server.answered(sent!, success(2))
    expect(server.status.commitIndex).toBe(3)
  })
})
