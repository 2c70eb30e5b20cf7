// Scenarios of hashicorp/raft's tests about snapshots and restarts that fit nowhere else.
import type { InstallSnapshotRequest } from '@raftkit/interface'
import { encodeConfiguration } from '@raftkit/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { TestCluster, type ClusterOptions } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
async function start(options: ClusterOptions = {}): Promise<void> {
  cluster = await TestCluster.start(options)
}
afterEach(() => cluster.stop())

describe('the list of peers that old servers send with a snapshot', () => {
  const state = JSON.stringify(['from far away'])
  const noList = Uint8Array.of(0xc1, 0xff, 1, 2, 3)

  async function install(configuration: Uint8Array): Promise<boolean> {
    const request: InstallSnapshotRequest = {
      type: 'install-snapshot',
      header: { protocolVersion: 3, id: 'b', address: 'b' },
      snapshotVersion: 1,
      term: 9,
      lastLogIndex: 50,
      lastLogTerm: 8,
      peers: noList,
      configuration,
      configurationIndex: 1,
      size: state.length,
    }
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield bytesOf(state)
    }
    const transport = cluster.network.transport('b')
    const sent = transport.installSnapshot({ id: 'a', address: 'a' }, request, chunks())
    const { success } = await cluster.clock.wait(sent)
    await transport.close()
    return success
  }

  it('is not read: one that is none does no harm beside a configuration', async () => {
    await start({ ids: ['a', 'b'], absent: ['b'] })
    expect(await install(encodeConfiguration(cluster.configuration))).toBe(true)
    expect(cluster.member('a').machine.texts).toEqual(['from far away'])
  })

  it('does not stand in for a configuration: the snapshot is refused, and nothing has changed', async () => {
    await start({ ids: ['a', 'b'], absent: ['b'] })
    const { raft, machine } = cluster.member('a')
    const before = { stats: raft.stats(), texts: [...machine.texts] }
    const error = await rejection(install(new Uint8Array(0)))
    expect(error.code).toBe('RAFT_REMOTE_ERROR')
    expect(machine.texts).toEqual(before.texts)
    const { term, lastLogIndex, latestConfiguration, state: role } = before.stats
    expect(raft.stats()).toMatchObject({ lastLogIndex, latestConfiguration })
    expect([raft.state, raft.currentTerm]).toEqual([role, term])
  })
})

describe('a follower that is started again', () => {
  it.each([
    ['waits longer than the others', 2000],
    ['waits less long than the leader pauses', 20],
  ])('follows the leader that there is, when it %s', async (_title, timeoutMs) => {
    const slow = { heartbeatTimeoutMs: 400, electionTimeoutMs: 400, leaderLeaseTimeoutMs: 400 }
    await start({ config: slow })
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    const { currentTerm } = leader.raft
    await cluster.restart(follower!, {
      heartbeatTimeoutMs: timeoutMs,
      electionTimeoutMs: timeoutMs,
      leaderLeaseTimeoutMs: timeoutMs,
    })
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.converged('x')
    await cluster.clock.advance(10_000)
    expect([leader.raft.state, leader.raft.currentTerm]).toEqual(['leader', currentTerm])
  })
})
