// raft.reloadConfig: other options while the server runs.
import { RaftError } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import { afterEach, describe, expect, it } from 'vitest'
import { type ClusterOptions, type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
async function start(options: ClusterOptions = {}): Promise<Member> {
  cluster = await TestCluster.start(options)
  return cluster.members[0]!
}
afterEach(() => cluster.stop())

function refusalOf(raft: Raft<string>, changes: object): RaftError {
  try {
    raft.reloadConfig(changes)
  } catch (error) {
    if (RaftError.is(error)) return error
  }
  throw new Error('it was not refused')
}

async function applyMany(leader: Member, count: number): Promise<void> {
  const all = Array.from({ length: count }, (_, at) => leader.raft.apply(bytesOf(`c${at}`)))
  await cluster.clock.wait(Promise.all(all))
}

describe('reloadConfig', () => {
  it('changes what is named and keeps the rest', async () => {
    const { raft } = await start()
    const before = raft.config
    raft.reloadConfig({
      trailingLogs: 12_345,
      snapshotIntervalMs: 234_000,
      snapshotThreshold: 6789,
      heartbeatTimeoutMs: 145,
      electionTimeoutMs: 146,
    })
    const changed = {
      trailingLogs: 12_345,
      snapshotIntervalMs: 234_000,
      snapshotThreshold: 6789,
      heartbeatTimeoutMs: 145,
      electionTimeoutMs: 146,
    }
    expect(raft.config).toEqual({ ...before, ...changed })
    expect(raft.reloadableConfig()).toEqual({
      ...changed,
      leaderLeaseTimeoutMs: before.leaderLeaseTimeoutMs,
      commitTimeoutMs: before.commitTimeoutMs,
      leaderPriorities: before.leaderPriorities,
    })
    raft.reloadConfig({ trailingLogs: 0 })
    expect(raft.config).toEqual({ ...before, ...changed, trailingLogs: 0 })
  })

  it('checks everything first, and changes nothing when something is wrong', async () => {
    const { raft } = await start()
    const before = raft.config
    const refused = refusalOf(raft, {
      trailingLogs: 1,
      electionTimeoutMs: 50,
      snapshotThreshold: 0,
    })
    expect(refused.code).toBe('RAFT_INVALID_CONFIG')
    expect(refused.details['problems']).toHaveLength(2)
    expect(raft.config).toEqual(before)
  })

  it('names the options that need a new start', async () => {
    const { raft } = await start()
    const refused = refusalOf(raft, { trailingLogs: 1, maxCommandBytes: 5 })
    expect(refused).toMatchObject({ code: 'RAFT_INVALID_CONFIG' })
    expect(refused.message).toContain('maxCommandBytes cannot change while the server runs')
    expect(raft.config.trailingLogs).not.toBe(1)
  })

  it('gives a copy: what a caller does to it changes nothing', async () => {
    const { raft } = await start()
    Object.assign(raft.config, { trailingLogs: 7 })
    expect(raft.config.trailingLogs).not.toBe(7)
  })

  it('is refused by a server that was shut down', async () => {
    const { raft } = await start()
    await cluster.clock.wait(raft.shutdown())
    expect(refusalOf(raft, {}).code).toBe('RAFT_SHUTDOWN')
  })

  it('makes a follower that waits campaign after the shorter timeout', async () => {
    const slow = {
      heartbeatTimeoutMs: 10_000,
      electionTimeoutMs: 10_000,
      leaderLeaseTimeoutMs: 5000,
    }
    const { raft } = await start({ ids: ['a'], config: slow })
    await cluster.clock.advance(1000)
    expect(raft.state).toBe('follower')
    raft.reloadConfig({ heartbeatTimeoutMs: 50, electionTimeoutMs: 50, leaderLeaseTimeoutMs: 50 })
    await cluster.clock.advance(150)
    expect(raft.state).toBe('leader')
  })

  it('keeps leader and followers together when the timeouts of a running cluster shrink', async () => {
    await start({
      config: { heartbeatTimeoutMs: 2000, electionTimeoutMs: 2000, leaderLeaseTimeoutMs: 1500 },
    })
    const leader = await cluster.leader()
    const { currentTerm } = leader.raft
    await cluster.clock.advance(5000)
    // The leader last: its followers wait for heartbeats at a pace that it does not have yet.
    for (const { raft } of [...cluster.others(leader), leader])
      raft.reloadConfig({ heartbeatTimeoutMs: 50, electionTimeoutMs: 50, leaderLeaseTimeoutMs: 40 })
    await cluster.clock.advance(5000)
    expect(leader.raft.state).toBe('leader')
    expect(leader.raft.currentTerm).toBe(currentTerm)
    // And a failure is noticed at the new pace.
    cluster.network.isolate(leader.id)
    await cluster.clock.advance(400)
    expect(leader.raft.state).not.toBe('leader')
    expect(cluster.others(leader).some(({ raft }) => raft.state === 'leader')).toBe(true)
  })

  it('notices shorter pauses of the event loop when the lease is shorter', async () => {
    const member = await start({ ids: ['a'] })
    const pause = async (): Promise<boolean> => {
      await cluster.clock.advance(100)
      member.clock.stall()
      await cluster.clock.advance(30)
      member.clock.resume()
      await cluster.clock.settle()
      return member.logger.at('warn').some(({ message }) => message.includes('stood still'))
    }
    expect(await pause()).toBe(false)
    member.raft.reloadConfig({ leaderLeaseTimeoutMs: 30 })
    expect(await pause()).toBe(true)
  })

  it('takes snapshots by the new interval and threshold, and keeps as many entries as it says', async () => {
    await start({ ids: ['a'] })
    const leader = await cluster.leader()
    await applyMany(leader, 60)
    leader.raft.reloadConfig({ snapshotIntervalMs: 500, snapshotThreshold: 50, trailingLogs: 10 })
    await cluster.clock.advance(1100)
    const { lastSnapshotIndex, lastLogIndex } = leader.raft.stats()
    expect(lastSnapshotIndex).toBe(lastLogIndex)
    await cluster.clock.settle()
    expect(await leader.data.bounds()).toMatchObject({ firstIndex: lastLogIndex - 9 })
  })
})
