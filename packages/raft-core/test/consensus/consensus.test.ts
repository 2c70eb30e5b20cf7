import { Consensus, type ConsensusTiming } from '@raftkit/raft-core/consensus'
import { expect, test } from 'vitest'

const timing: ConsensusTiming = {
  heartbeatTimeoutMs: 100,
  electionTimeoutMs: 100,
  leaderLeaseTimeoutMs: 50,
  commitTimeoutMs: 5,
  maxAppendEntries: 64,
  maxAppendBytes: 65_536,
  maxInflightAppends: 2,
  maxInflightBytes: 1_048_576,
  trailingLogs: 10,
  preVote: true,
  maxLeaderStallMs: 1000,
}

test('a single server elects itself once its own vote is durable, and commits once its log is', () => {
  const n1 = { suffrage: 'voter', id: 'n1', address: 'n1:1' } as const
  const consensus = new Consensus(
    {
      self: n1,
      hardState: { term: 1 },
      mayHaveHeardLeader: false,
      snapshot: { index: 0, term: 0 },
      logFirstIndex: 1,
      lastIndex: 1,
      runs: [{ firstIndex: 1, term: 1 }],
      configurations: [{ configuration: { servers: [n1] }, index: 1 }],
      now: 0,
      random: 0,
    },
    timing,
  )
  const at = (now: number) => ({ now, random: 0 })
  expect(consensus.step({ type: 'turn-ended' }, at(0))).toEqual([{ type: 'wake-at', time: 100 }])
  expect(consensus.step({ type: 'turn-ended' }, at(100)).map((effect) => effect.type)).toEqual([
    'role-changed',
    'save-hard-state',
    'role-changed',
    'wake-at',
  ])
  expect(consensus.status().role).toBe('candidate')
  consensus.step({ type: 'hard-state-durable', sequence: 1 }, at(101))
  expect(consensus.status()).toMatchObject({ role: 'leader', term: 2, lastIndex: 2 })
  expect(consensus.step({ type: 'proposed', count: 3 }, at(102))).toEqual([
    { type: 'append-proposals', firstIndex: 3, count: 3, term: 2 },
  ])
  expect(consensus.status().commitIndex).toBe(0)
  expect(consensus.step({ type: 'entries-durable', index: 5, term: 2 }, at(103))).toMatchObject([
    { type: 'commit', index: 5 },
    { type: 'configuration-changed' },
  ])
})
