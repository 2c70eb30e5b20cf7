import type { Metrics } from '@raftkit/interface'
import { metricCatalogue } from '@raftkit/raft-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryMetrics } from '../support/memory-metrics.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let metrics: MemoryMetrics
beforeEach(() => {
  metrics = new MemoryMetrics()
})
afterEach(() => cluster.stop())

async function startThree(): Promise<Member> {
  cluster = await TestCluster.start({ options: { metrics } })
  return cluster.leader()
}

async function apply(leader: Member, ...texts: string[]): Promise<void> {
  await cluster.clock.wait(Promise.all(texts.map((text) => leader.raft.apply(bytesOf(text)))))
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0)

describe('the metrics of a server', () => {
  it('are those of the catalogue, each with its help, its unit and the label server', async () => {
    const leader = await startThree()
    await apply(leader, 'x')
    const names = metricCatalogue.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const metric of metricCatalogue)
      expect(metrics.descriptions.get(metric.name)).toEqual(metric)
    expect([...metrics.descriptions.keys()].filter((name) => !names.includes(name))).toEqual([])
    for (const { name, help, unit, labels } of metricCatalogue) {
      expect(name).toMatch(/^raft_[a-z_]+$/)
      expect(help).toMatch(/\.$/)
      expect(labels[0]).toBe('server')
      expect(unit === 'count' || name.endsWith(`_${unit}`)).toBe(true)
    }
  })

  it('count what callers ask for', async () => {
    const { raft, id } = await startThree()
    await cluster.clock.wait(raft.apply(bytesOf('a')))
    await cluster.clock.wait(raft.barrier())
    await cluster.clock.wait(raft.verifyLeader())
    await cluster.clock.wait(raft.read(() => undefined))
    const counts = ['applies', 'barriers', 'leadership_checks', 'restores'].map((name) =>
      metrics.count(`raft_${name}_total`, { server: id }),
    )
    expect(counts).toEqual([1, 1, 1, 0])
  })

  it('tell how many commands went together, and how long they took', async () => {
    const leader = await startThree()
    const server = leader.id
    const before = metrics.values('raft_commit_entries', { server }).length
    await apply(leader, 'a', 'b', 'c')
    expect(metrics.values('raft_leader_dispatch_entries', { server })).toEqual([3])
    expect(metrics.values('raft_leader_dispatch_duration_seconds', { server })).toHaveLength(1)
    const [committed] = metrics.values('raft_commit_duration_seconds', { server })
    expect(committed).toBeGreaterThanOrEqual(0)
    expect(sum(metrics.values('raft_commit_entries', { server }).slice(before))).toBe(3)
    // The network takes a millisecond and the disks nothing: seconds, not milliseconds.
    expect(committed).toBeLessThan(1)
    expect(metrics.values('raft_fsm_apply_duration_seconds', { server })).toHaveLength(3)
    expect(metrics.values('raft_fsm_queue_duration_seconds', { server }).length).toBeGreaterThan(0)
    const kinds = ['append', 'hard-state'].map((kind) =>
      metrics.values('raft_store_write_duration_seconds', { server, kind }),
    )
    for (const writes of kinds) expect(writes.length).toBeGreaterThan(0)
  })

  it('tell of a disk that takes its time', async () => {
    const leader = await startThree()
    const server = leader.id
    leader.store.hang()
    void leader.raft.apply(bytesOf('x'))
    await cluster.clock.advance(50)
    leader.store.release()
    await cluster.clock.settle()
    expect(metrics.values('raft_leader_dispatch_duration_seconds', { server })).toEqual([0.05])
    expect(
      metrics.values('raft_store_write_duration_seconds', { server, kind: 'append' }).at(-1),
    ).toBe(0.05)
    expect(metrics.values('raft_commit_duration_seconds', { server })[0]).toBeLessThan(0.05)
  })

  it('tell of a state machine that takes its time', async () => {
    const leader = await startThree()
    const server = leader.id
    leader.machine.beforeApply = () => cluster.clock.freeze(20)
    await apply(leader, 'x')
    expect(metrics.values('raft_fsm_apply_duration_seconds', { server })).toEqual([0.02])
    expect(metrics.values('raft_fsm_queue_duration_seconds', { server }).at(-1)).toBe(0.02)
  })

  it('tell requests by type and peer, heartbeats apart', async () => {
    const leader = await startThree()
    await apply(leader, 'a', 'b')
    await cluster.converged('b')
    await cluster.clock.advance(500)
    const server = leader.id
    for (const { id: peer } of cluster.others(leader)) {
      for (const type of ['append-entries', 'heartbeat']) {
        expect(
          metrics.values('raft_rpc_duration_seconds', { server, type, peer }).length,
        ).toBeGreaterThan(0)
        expect(
          metrics.values('raft_rpc_handling_duration_seconds', { server: peer, type }).length,
        ).toBeGreaterThan(0)
      }
      // The no-op and two commands.
      expect(metrics.count('raft_replicated_entries_total', { server, peer })).toBe(3)
      expect(metrics.read('raft_leader_last_contact_seconds', { server, peer })).toBeLessThan(0.1)
    }
  })

  it('tell of a follower that is gone', async () => {
    const leader = await startThree()
    const [follower] = cluster.others(leader)
    const labels = { server: leader.id, peer: follower!.id }
    cluster.network.isolate(follower!.id)
    await cluster.clock.advance(3000)
    expect(
      metrics.count('raft_rpc_failures_total', { ...labels, type: 'heartbeat' }),
    ).toBeGreaterThan(5)
    expect(metrics.read('raft_leader_last_contact_seconds', labels)).toBeGreaterThan(2.9)
    expect(metrics.read('raft_last_contact_seconds', { server: follower!.id })).toBeGreaterThan(2.9)
    const server = follower!.id
    expect(metrics.count('raft_heartbeat_timeouts_total', { server })).toBe(1)
    expect(metrics.count('raft_role_changes_total', { server, role: 'pre-candidate' })).toBe(1)
  })

  it('tell of elections, and of a leader that loses its quorum', async () => {
    const leader = await startThree()
    const server = leader.id
    for (const role of ['pre-candidate', 'candidate', 'leader'])
      expect(metrics.count('raft_role_changes_total', { server, role })).toBe(1)
    for (const phase of ['pre-vote', 'vote'])
      expect(metrics.values('raft_campaign_duration_seconds', { server, phase })).toHaveLength(1)
    expect(metrics.read('raft_is_leader', { server })).toBe(1)
    cluster.network.isolate(server)
    await cluster.clock.advance(1000)
    expect(metrics.count('raft_lease_timeouts_total', { server })).toBe(1)
    expect(metrics.count('raft_role_changes_total', { server, role: 'follower' })).toBeGreaterThan(
      0,
    )
    expect(metrics.read('raft_is_leader', { server })).toBe(0)
    const [peer] = cluster.others(leader)
    expect(
      metrics.read('raft_leader_last_contact_seconds', { server, peer: peer!.id }),
    ).toBeUndefined()
  })

  it('tell of snapshots, of compactions, and of a restore at the start', async () => {
    const config = { trailingLogs: 1 }
    cluster = await TestCluster.start({ ids: ['a'], options: { metrics }, config })
    const leader = await cluster.leader()
    const server = 'a'
    await apply(leader, 'x', 'y', 'z')
    await cluster.clock.wait(leader.raft.snapshot())
    await cluster.clock.settle()
    for (const name of ['snapshot', 'snapshot_create', 'snapshot_persist', 'fsm_snapshot'])
      expect(metrics.values(`raft_${name}_duration_seconds`, { server })).toHaveLength(1)
    const compaction = { server, kind: 'compaction' }
    expect(metrics.values('raft_store_write_duration_seconds', compaction)).toHaveLength(1)
    expect(metrics.read('raft_fsm_last_restore_duration_seconds', { server })).toBeUndefined()
    await cluster.restart(leader)
    expect(metrics.values('raft_fsm_restore_duration_seconds', { server })).toHaveLength(1)
    expect(metrics.read('raft_fsm_last_restore_duration_seconds', { server })).toBe(0)
  })

  it('take what is applied again at a start for no commit', async () => {
    const config = { restoreCommittedLogs: true }
    cluster = await TestCluster.start({ ids: ['a'], options: { metrics }, config })
    const leader = await cluster.leader()
    for (const text of ['v', 'w', 'x', 'y', 'z']) await apply(leader, text)
    const before = metrics.values('raft_commit_entries', { server: 'a' }).length
    await cluster.restart(leader)
    await cluster.leader()
    const [first] = metrics.values('raft_commit_entries', { server: 'a' }).slice(before)
    // The last command, of which only the state machine knew, and the no-op.
    expect(first).toBe(2)
  })

  it('tell of a restore from outside', async () => {
    const leader = await startThree()
    const state = bytesOf('["restored"]')
    const source = { version: 1, index: 1, size: state.length }
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield state
    }
    await cluster.clock.wait(leader.raft.restore(source, stream()))
    const server = leader.id
    expect(metrics.count('raft_restores_total', { server })).toBe(1)
    expect(metrics.values('raft_restore_duration_seconds', { server })).toHaveLength(1)
    const reset = { server, kind: 'reset' }
    expect(metrics.values('raft_store_write_duration_seconds', reset)).toHaveLength(1)
  })

  it('tell how full the queues are, and where the log stands', async () => {
    const leader = await startThree()
    const server = leader.id
    for (const { store } of cluster.members) store.hang()
    void leader.raft.apply(bytesOf('x'))
    await cluster.clock.settle()
    const queue = { server, queue: 'proposals' }
    expect(metrics.read('raft_queue_length', queue)).toBe(1)
    expect(metrics.read('raft_queue_limit', queue)).toBe(32_768)
    expect(metrics.read('raft_last_index', { server })).toBe(3)
    expect(metrics.read('raft_commit_index', { server })).toBe(2)
    expect(metrics.read('raft_applied_index', { server })).toBe(2)
    expect(metrics.read('raft_term', { server })).toBe(2)
    expect(metrics.read('raft_peers', { server })).toBe(3)
    for (const { store } of cluster.members) store.release()
    await cluster.converged('x')
    expect(metrics.read('raft_queue_length', queue)).toBe(0)
  })

  it('tell which part of the time turns and state machine were at work', async () => {
    const leader = await startThree()
    const server = leader.id
    leader.machine.beforeApply = () => cluster.clock.freeze(20)
    for (let count = 0; count < 60; count++) {
      await apply(leader, `${count}`)
      await cluster.clock.advance(20)
    }
    for (const name of ['raft_main_saturation_ratio', 'raft_fsm_saturation_ratio']) {
      expect(metrics.read(name, { server })).toBeGreaterThan(0.3)
      expect(metrics.read(name, { server })).toBeLessThan(0.6)
    }
    // The window that began in the busy time, then one without any work.
    await cluster.clock.advance(2000)
    metrics.read('raft_fsm_saturation_ratio', { server })
    await cluster.clock.advance(1000)
    expect(metrics.read('raft_fsm_saturation_ratio', { server })).toBe(0)
  })

  it('tell how old the log is', async () => {
    const leader = await startThree()
    await cluster.clock.advance(20_000)
    const age = metrics.read('raft_log_oldest_entry_age_seconds', { server: leader.id })
    expect(age).toBeGreaterThan(19.9)
    expect(age).toBeLessThan(21)
  })

  it('measure batches of a state machine that takes them', async () => {
    const stateMachine = {
      apply: () => 'never',
      applyBatch: (entries: readonly unknown[]) => entries.map(() => 'done'),
      storeConfiguration: () => {},
      snapshot: () => ({ persist: async () => {} }),
      restore: async () => {},
    }
    cluster = await TestCluster.start({ ids: ['a'], options: { metrics, stateMachine } })
    const { raft } = await cluster.leader()
    const texts = ['x', 'y'].map(bytesOf)
    const answers = await cluster.clock.wait(Promise.all(texts.map((text) => raft.apply(text))))
    expect(answers.map(({ response }) => response)).toEqual(['done', 'done'])
    expect(metrics.values('raft_fsm_apply_batch_entries', { server: 'a' })).toEqual([2])
    expect(metrics.values('raft_fsm_apply_batch_duration_seconds', { server: 'a' })).toHaveLength(1)
    const stored = 'raft_fsm_store_configuration_duration_seconds'
    expect(metrics.values(stored, { server: 'a' })).toHaveLength(1)
  })

  it('take their gauges away when the server stops', async () => {
    await startThree()
    expect(metrics.openGauges).toBeGreaterThan(60)
    await cluster.stop()
    expect(metrics.openGauges).toBe(0)
  })
})

describe('metrics that throw', () => {
  const fail = (): never => {
    throw new Error('no metrics today')
  }
  const making: Metrics = { counter: fail, histogram: fail, gauge: fail }
  const using: Metrics = {
    counter: () => ({ add: fail }),
    histogram: () => ({ record: fail }),
    gauge: () => fail,
  }

  it.each([
    ['when they are made', making],
    ['when they are used', using],
  ])('%s change nothing, and are logged once', async (_, broken) => {
    cluster = await TestCluster.start({ options: { metrics: broken } })
    const leader = await cluster.leader()
    await apply(leader, 'a', 'b')
    await cluster.clock.wait(leader.raft.snapshot())
    await cluster.kill(leader)
    const next = await cluster.leader(cluster.others(leader))
    await apply(next, 'c')
    await cluster.converged('c', cluster.others(leader))
    for (const { id, logger } of cluster.members)
      expect(logger.at('error')).toMatchObject([{ fields: { id, error: 'no metrics today' } }])
  })
})
