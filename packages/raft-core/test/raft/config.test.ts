import { defaultConfig, Raft, validateConfig, type RaftConfig } from '@raftkit/raft-core'
import { RaftError } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'

/** The problems of a configuration that differs from the default by `over`. */
function problemsOf(over: Partial<Record<keyof RaftConfig, unknown>>): readonly string[] {
  try {
    validateConfig({ ...defaultConfig(), ...over } as RaftConfig)
    return []
  } catch (error) {
    if (!RaftError.is(error, 'RAFT_INVALID_CONFIG')) throw error
    return error.details['problems'] as string[]
  }
}

describe('defaultConfig', () => {
  it('is valid, and has the times of hashicorp/raft', () => {
    expect(problemsOf({})).toEqual([])
    expect(defaultConfig()).toMatchObject({
      heartbeatTimeoutMs: 1000,
      electionTimeoutMs: 1000,
      leaderLeaseTimeoutMs: 500,
      commitTimeoutMs: 50,
      snapshotIntervalMs: 120_000,
      snapshotThreshold: 8192,
      trailingLogs: 10_240,
      preVote: true,
    })
  })
})

describe('validateConfig', () => {
  it.each<[Partial<Record<keyof RaftConfig, unknown>>, string]>([
    [
      { heartbeatTimeoutMs: 4, leaderLeaseTimeoutMs: 4 },
      'heartbeatTimeoutMs is 4, it must be at least 5',
    ],
    [{ electionTimeoutMs: 4 }, 'electionTimeoutMs is 4'],
    [{ leaderLeaseTimeoutMs: 4 }, 'leaderLeaseTimeoutMs is 4'],
    [{ commitTimeoutMs: 0 }, 'commitTimeoutMs is 0'],
    [{ maxAppendEntries: 0 }, 'maxAppendEntries is 0'],
    [{ maxAppendEntries: 1025 }, 'maxAppendEntries is 1025, it must be at most 1024'],
    [{ snapshotIntervalMs: 4 }, 'snapshotIntervalMs is 4'],
    [
      { leaderLeaseTimeoutMs: 1001 },
      'leaderLeaseTimeoutMs (1001) is larger than heartbeatTimeoutMs',
    ],
    [{ leaderLeaseTimeoutMs: 299 }, 'leaderLeaseTimeoutMs (299) is below 0.3 × heartbeatTimeoutMs'],
    [{ electionTimeoutMs: 999 }, 'electionTimeoutMs (999) is smaller than heartbeatTimeoutMs'],
    [{ maxCommandBytes: 65 * 1024 * 1024 }, 'could never be admitted'],
    [{ maxPendingProposals: 1.5 }, 'it must be a whole number'],
    [{ heartbeatTimeoutMs: Number.NaN }, 'it must be a finite number'],
    [{ rpcTimeoutMs: Infinity }, 'it must be a finite number'],
    [{ trailingLogs: '5' }, 'trailingLogs is 5, it must be a whole number'],
    [{ preVote: 1 }, 'preVote is 1, it must be true or false'],
  ])('refuses %j', (over, problem) => {
    expect(problemsOf(over).join('; ')).toContain(problem)
  })

  it('names all problems in one error', () => {
    expect(
      problemsOf({ commitTimeoutMs: 0, maxAppendEntries: 0, electionTimeoutMs: 10 }),
    ).toHaveLength(3)
  })

  it('takes fractions of milliseconds, and no trailing entries at all', () => {
    expect(problemsOf({ commitTimeoutMs: 1.5, trailingLogs: 0 })).toEqual([])
  })
})

describe('Raft.start', () => {
  it('refuses options that cannot work, all in one error', async () => {
    const refused = await rejection(Raft.start({ id: '' } as never))
    expect(refused.code).toBe('RAFT_INVALID_CONFIG')
    expect(refused.details['problems']).toEqual([
      'id must not be empty',
      'stateMachine is missing',
      'logStore is missing',
      'stableStore is missing',
      'snapshotStore is missing',
      'transport is missing',
    ])
  })
})
