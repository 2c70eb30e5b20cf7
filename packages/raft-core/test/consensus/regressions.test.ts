// Defects of other Raft libraries that concern consensus, each as a test. What is about disks, callers and membership
// calls has its test elsewhere.
import { describe, expect, test } from 'vitest'
import { LoneServer, all, indexed, mismatch, only, sender, success } from './lone-server.ts'
import { Story } from './stories/story.ts'

function vote(
  server: LoneServer,
  from: string,
  term: number,
  end: readonly [number, number] = [1, 1],
): unknown {
  const { answer } = only(
    server.receive({
      type: 'request-vote',
      from: sender(from),
      term,
      lastLogIndex: end[0],
      lastLogTerm: end[1],
      leadershipTransfer: false,
    }),
    'answer',
  )
  return answer.type === 'request-vote' && answer.granted
}

describe('JavaScript and TypeScript libraries', () => {
  test('the vote check orders by (last term, last index), not by either alone', () => {
    const log = [1, 3, 3]
    expect(vote(new LoneServer({ log }), 'n2', 4, [9, 2])).toBe(false)
    expect(vote(new LoneServer({ log }), 'n2', 5, [1, 4])).toBe(true)
    expect(vote(new LoneServer({ log }), 'n2', 4, [2, 3])).toBe(false)
  })

  test('term and vote are saved before the answer leaves', () => {
    const effects = new LoneServer().receive({
      type: 'request-vote',
      from: sender('n2'),
      term: 2,
      lastLogIndex: 1,
      lastLogTerm: 1,
      leadershipTransfer: false,
    })
    expect(only(effects, 'answer').after).toEqual({
      hardState: only(effects, 'save-hard-state').sequence,
    })
  })

  test("an append checks the previous entry's term", () => {
    const server = new LoneServer({ log: [1, 1] })
    expect(
      only(server.append({ term: 3, prev: [2, 2], entries: [3] }), 'answer').answer,
    ).toMatchObject({ success: false })
    expect(server.status.lastIndex).toBe(2)
  })

  test('entries of earlier terms are not committed by counting', () => {
    const server = new LoneServer({
      log: [1, 2],
      timing: { maxAppendEntries: 1 },
      hardState: { term: 3 },
    })
    const [sent] = server.lead()
    server.answered(sent!, mismatch(4, 1))
    const [again] = server.read(server.turn())
    expect(again).toMatchObject({ prevLogIndex: 1 })
    server.answered(again!, success(4))
    expect(server.status.peers[0]).toMatchObject({ matchIndex: 2 })
    expect(server.status.commitIndex).toBe(0)
  })

  test('nothing is truncated when the entries match', () => {
    const server = new LoneServer({ log: [1, 1, 1, 1] })
    expect(all(server.append({ term: 2, prev: [1, 1], entries: [1] }), 'truncate-log')).toEqual([])
    expect(server.status.lastIndex).toBe(4)
  })

  test('the commit index never goes down', () => {
    const server = new LoneServer({ log: [1, 1, 1] })
    server.append({ term: 1, prev: [3, 1], commit: 3 })
    server.append({ term: 1, prev: [1, 1], commit: 1 })
    server.append({ from: 'n3', term: 2, prev: [3, 1], commit: 0 })
    expect(server.status.commitIndex).toBe(3)
  })

  test('a snapshot of an old term or an old state is not installed', () => {
    const server = new LoneServer({ log: [1, 1, 1], hardState: { term: 4 } })
    server.append({ term: 4, prev: [3, 1], commit: 3 })
    for (const [term, index] of [
      [3, 9],
      [4, 2],
    ] as const) {
      const snapshot = { index, term: 1, configuration: indexed(1, ['n1']) }
      const effects = server.receive({
        type: 'install-snapshot',
        from: sender('n2'),
        term,
        snapshot,
      })
      expect(all(effects, 'install-snapshot')).toEqual([])
    }
  })

  test('a single server elects itself', () => {
    const story = new Story('', { voters: ['n1'] })
    story.pass(200)
    expect(story.server('n1').consensus.status()).toMatchObject({ role: 'leader', commitIndex: 2 })
  })

  test('a leader counts itself once', () => {
    const server = new LoneServer({ voters: ['n1', 'n2', 'n3', 'n4'] })
    const sent = server.lead()
    server.sync([])
    server.answered(sent[0]!, success(2))
    server.answered(sent[0]!, success(2))
    expect(server.status.commitIndex).toBe(0)
    server.answered(sent[1]!, success(2))
    expect(server.status.commitIndex).toBe(2)
  })

  test('two requests before the first vote is durable do not both get it', () => {
    const server = new LoneServer()
    expect(vote(server, 'n2', 2)).toBe(true)
    expect(vote(server, 'n3', 2)).toBe(false)
  })

  test('nothing is forgotten by time', () => {
    const server = new LoneServer({ log: [1, 1, 1] })
    vote(server, 'n2', 2, [3, 1])
    for (let now = 0; now < 100_000; now += 1000) {
      server.now = now
      server.heartbeat(1)
    }
    expect(vote(server, 'n3', 2, [3, 1])).toBe(false)
    expect(server.status.lastIndex).toBe(3)
  })
})

describe('hashicorp/raft', () => {
  test('#695: the term of a leader is pinned, a heartbeat with a higher term ends it', () => {
    const server = new LoneServer()
    server.leadAndCommit()
    const effects = [...server.step({ type: 'proposed', count: 1 }), ...server.heartbeat(5, 'n2')]
    expect(only(effects, 'append-proposals').term).toBe(2)
    expect(only(effects, 'proposals-orphaned').term).toBe(2)
    expect(server.read(server.turn())).toEqual([])
    expect(all(server.step({ type: 'proposed', count: 1 }), 'append-proposals')).toEqual([])
  })

  test('#661: term and vote are one write', () => {
    const server = new LoneServer()
    const effects = server.receive({
      type: 'request-vote',
      from: sender('n2'),
      term: 9,
      lastLogIndex: 1,
      lastLogTerm: 1,
      leadershipTransfer: false,
    })
    expect(only(effects, 'save-hard-state').hardState).toEqual({
      term: 9,
      votedFor: { id: 'n2', address: 'n2:1' },
    })
  })

  test('#697: a snapshot removes a conflicting log, and the last index with it', () => {
    const server = new LoneServer({ log: [1, 1, 1, 1, 1, 1, 1, 1] })
    const snapshot = { index: 4, term: 2, configuration: indexed(1, ['n1', 'n2', 'n3']) }
    server.receive({ type: 'install-snapshot', from: sender('n2'), term: 3, snapshot })
    server.step({ type: 'snapshot-installed', requestId: 1 })
    expect(server.status).toMatchObject({ lastIndex: 4, lastTerm: 2 })
  })

  test('#696: a transfer does not outlive its leadership', () => {
    const server = new LoneServer()
    server.leadAndCommit()
    server.turn({ type: 'proposed', count: 1 })
    server.step({ type: 'transfer-requested', transferId: 1, target: 'n2' })
    server.heartbeat(5)
    server.now += 1000
    server.lead()
    expect(all(server.step({ type: 'proposed', count: 1 }), 'append-proposals')).toHaveLength(1)
  })

  test('VerifyLeader: nonvoters prove nothing', () => {
    const server = new LoneServer({ nonvoters: ['n4', 'n5'] })
    server.leadAndCommit()
    server.now += 20
    const sent = all(server.turn({ type: 'read-requested', readId: 1, needsIndex: false }), 'send')
    const nonvoters = sent.filter(({ to }) => to.id > 'n3')
    const effects = nonvoters.flatMap((beat) => server.answered(beat, success(2)))
    expect(nonvoters).toHaveLength(2)
    expect(all(effects, 'read-confirmed')).toEqual([])
  })

  test('a failed send does not stretch the lease', () => {
    const server = new LoneServer()
    server.leadAndCommit()
    const before = server.status.peers.map(({ lastContact }) => lastContact)
    server.now += 50
    for (const sent of all(server.turn(), 'send')) server.failed(sent)
    expect(server.status.peers.map(({ lastContact }) => lastContact)).toEqual(before)
  })

  test('a heartbeat in a higher term than the own is answered in the higher term, durably', () => {
    const server = new LoneServer()
    expect(only(server.heartbeat(4), 'answer')).toMatchObject({
      answer: { term: 4, success: true },
      after: { hardState: 1 },
    })
  })
})

describe('etcd', () => {
  test('a late "persisted" after truncation confirms nothing (append ABA)', () => {
    const server = new LoneServer()
    server.append({ term: 2, prev: [1, 1], entries: [2, 2] })
    server.append({ from: 'n3', term: 3, prev: [1, 1], entries: [3, 3, 3] })
    server.step({ type: 'entries-durable', index: 3, term: 2 })
    expect(server.status.durableIndex).toBe(1)
  })

  test('#20418: an answer to the heartbeat of an earlier read confirms no later one', () => {
    const server = new LoneServer()
    server.leadAndCommit()
    const beats = all(server.turn({ type: 'read-requested', readId: 1, needsIndex: true }), 'send')
    server.turn({ type: 'read-requested', readId: 2, needsIndex: true })
    const effects = beats.flatMap((beat) => server.answered(beat, success(2)))
    expect(all(effects, 'read-confirmed').map(({ readId }) => readId)).toEqual([1])
  })

  test('#8243: a server that lags in terms learns the higher one from a refused pre-vote', () => {
    const server = new LoneServer()
    const [sent] = all(server.turnAt(100), 'send')
    server.answered(sent!, { type: 'request-pre-vote', term: 9, granted: false })
    expect(server.status.term).toBe(9)
  })
})
