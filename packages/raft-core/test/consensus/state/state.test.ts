// How a server starts from what is on disk.
import { expect, test } from 'vitest'
import { Consensus } from '@raftkit/raft-core/consensus'
import { testTiming } from '../cluster/timing.ts'
import { all, indexed, LoneServer, only } from '../lone-server.ts'

test('a follower of its saved term that knows no leader; only what a snapshot covers is committed', () => {
  const server = new LoneServer({
    hardState: { term: 7 },
    mayHaveHeardLeader: false,
    snapshot: { index: 10, term: 3 },
    log: [3, 5],
    configurations: [indexed(1, ['n1']), indexed(11, ['n1', 'n2'])],
  })
  expect(server.status).toMatchObject({
    role: 'follower',
    term: 7,
    leader: undefined,
    lastIndex: 12,
    lastTerm: 5,
    commitIndex: 10,
    appliedIndex: 10,
    durableIndex: 12,
    latest: { index: 11 },
    committed: { index: 1 },
    lastContact: undefined,
  })
})

test('what is known to be committed is so at once, with the configurations up to there', () => {
  const start = {
    snapshot: { index: 10, term: 3 },
    log: [3, 5, 5],
    hardState: { term: 7 },
    configurations: [indexed(1, ['n1']), indexed(11, ['n1', 'n2']), indexed(13, ['n1'])],
  }
  const server = new LoneServer({ ...start, commitIndex: 12 })
  expect(server.status).toMatchObject({
    commitIndex: 12,
    appliedIndex: 12,
    latest: { index: 13 },
    committed: { index: 11 },
  })
  const effects = server.turn()
  expect(only(effects, 'commit').index).toBe(12)
  expect(only(effects, 'configuration-changed').committed.index).toBe(11)
  expect(new LoneServer({ ...start, commitIndex: 4 }).status.commitIndex).toBe(10)
  expect(() => new LoneServer({ ...start, commitIndex: 14 })).toThrow('the commit index goes up')
})

test('a server that was removed, and knows that this is committed, says so', () => {
  const configurations = [indexed(1, ['n1', 'n2']), indexed(2, ['n2'])]
  const removed = new LoneServer({ log: [1, 1], configurations, commitIndex: 2 })
  expect(only(removed.turn(), 'removed').wasLeader).toBe(false)
  const unsure = new LoneServer({ log: [1, 1], configurations, commitIndex: 1 })
  expect(all(unsure.turn(), 'removed')).toEqual([])
})

test('entries missing between snapshot and log are refused', () => {
  const start = {
    self: { id: 'n1', address: 'n1:1' },
    hardState: { term: 1 },
    mayHaveHeardLeader: false,
    snapshot: { index: 5, term: 1 },
    logFirstIndex: 8,
    lastIndex: 9,
    runs: [{ firstIndex: 8, term: 1 }],
    configurations: [],
    now: 0,
    random: 0,
  }
  expect(() => new Consensus(start, testTiming)).toThrow('entries are missing')
})

test('a log that ends before the snapshot, or contradicts it, goes first', () => {
  const logs = [
    { logFirstIndex: 2, lastIndex: 4, runs: [{ firstIndex: 2, term: 1 }] },
    { logFirstIndex: 2, lastIndex: 9, runs: [{ firstIndex: 2, term: 1 }] },
  ]
  for (const log of logs) {
    const consensus = new Consensus(
      {
        self: { id: 'n1', address: 'n1:1' },
        hardState: { term: 3 },
        mayHaveHeardLeader: false,
        snapshot: { index: 6, term: 2 },
        configurations: [indexed(1, ['n1']), indexed(8, ['n1', 'n2'])],
        now: 0,
        random: 0,
        ...log,
      },
      testTiming,
    )
    expect(consensus.status()).toMatchObject({ lastIndex: 6, lastTerm: 2, latest: { index: 1 } })
    const effects = consensus.step({ type: 'turn-ended' }, { now: 0, random: 0 })
    expect(effects[0]).toEqual({ type: 'truncate-log', from: 2 })
    expect(consensus.step({ type: 'turn-ended' }, { now: 0, random: 0 })).toEqual([])
  }
})

test('a term that was lost beside its entries is taken up, without a vote', () => {
  const server = new LoneServer({
    log: [1, 4],
    hardState: { term: 3, votedFor: { id: 'n2', address: 'n2:1' } },
  })
  expect(server.status.term).toBe(4)
})

// Found by the simulator: entries followed the snapshot, and at the next start the saved term looked lost.
test('a term that only a snapshot tells is saved before anything is said or appended in it', () => {
  const server = new LoneServer({
    hardState: { term: 2 },
    mayHaveHeardLeader: false,
    snapshot: { index: 6, term: 5 },
    log: [],
  })
  expect(server.turn()).toContainEqual({
    type: 'save-hard-state',
    sequence: 1,
    hardState: { term: 5 },
  })
  const [answer] = all(server.append({ term: 5, prev: [6, 5] }), 'answer')
  expect(answer?.after).toEqual({ hardState: 1 })
})
