import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
beforeEach(async () => {
  cluster = await TestCluster.start({ ids: ['a', 'b', 'c', 'n'], suffrage: { n: 'nonvoter' } })
  leader = await cluster.leader()
})
afterEach(() => cluster.stop())

describe('stats', () => {
  it('has the keys of hashicorp/raft', async () => {
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    expect(leader.raft.stats()).toMatchObject({
      state: 'leader',
      term: 2,
      lastLogIndex: 3,
      lastLogTerm: 2,
      commitIndex: 3,
      appliedIndex: 3,
      fsmPending: 0,
      lastSnapshotIndex: 0,
      lastSnapshotTerm: 0,
      protocolVersion: 3,
      protocolVersionMin: 0,
      protocolVersionMax: 3,
      snapshotVersionMin: 1,
      snapshotVersionMax: 1,
      latestConfigurationIndex: 1,
      latestConfiguration: cluster.configuration,
      numPeers: 2,
      lastContact: 0,
    })
  })

  it.each([
    ['state', 'state'],
    ['term', 'term'],
    ['last_log_index', 'lastLogIndex'],
    ['last_log_term', 'lastLogTerm'],
    ['commit_index', 'commitIndex'],
    ['applied_index', 'appliedIndex'],
    ['fsm_pending', 'fsmPending'],
    ['last_snapshot_index', 'lastSnapshotIndex'],
    ['last_snapshot_term', 'lastSnapshotTerm'],
    ['protocol_version', 'protocolVersion'],
    ['protocol_version_min', 'protocolVersionMin'],
    ['protocol_version_max', 'protocolVersionMax'],
    ['snapshot_version_min', 'snapshotVersionMin'],
    ['snapshot_version_max', 'snapshotVersionMax'],
    ['latest_configuration_index', 'latestConfigurationIndex'],
    ['latest_configuration', 'latestConfiguration'],
    ['num_peers', 'numPeers'],
    ['last_contact', 'lastContact'],
  ] as const)('has %s', (upstream, name) => {
    expect(name).toBe(upstream.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()))
    const kinds = { state: 'string', latestConfiguration: 'object' } as const
    const kind = name === 'state' || name === 'latestConfiguration' ? kinds[name] : 'number'
    expect(leader.raft.stats()[name]).toBeTypeOf(kind)
  })

  it('has a limit beside everything that an option bounds', () => {
    const stats = leader.raft.stats()
    const pairs = {
      pendingProposals: 'maxPendingProposals',
      pendingAdmissions: 'maxPendingProposals',
      pendingProposalBytes: 'maxPendingBytes',
      pendingWriteBytes: 'maxPendingBytes',
      pendingReads: 'maxPendingReads',
      pendingRequests: 'maxInboundRequests',
      pendingForwards: 'maxInboundRequests',
      logTailBytes: 'maxLogTailBytes',
    } as const
    for (const [length, limit] of Object.entries(pairs) as [
      keyof typeof pairs,
      (typeof pairs)[keyof typeof pairs],
    ][]) {
      expect(stats[length]).toBeTypeOf('number')
      expect(stats[limit]).toBeGreaterThan(0)
    }
    for (const { inflightAppends, inflightBytes } of stats.peers) {
      expect(inflightAppends).toBeLessThanOrEqual(stats.maxInflightAppends)
      expect(inflightBytes).toBeLessThanOrEqual(stats.maxInflightBytes)
    }
  })

  it('shows callers that wait for admission, bytes that wait for the disk, and forwarded requests', async () => {
    let finish = (): void => {}
    const waiting = new Promise<void>((resolve) => {
      finish = resolve
    })
    await cluster.stop()
    cluster = await TestCluster.start({
      config: { maxPendingProposals: 2 },
      options: {
        onForward: async (payload) => {
          await waiting
          return payload
        },
      },
    })
    leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    await cluster.clock.advance(100)
    const forwarded = follower!.raft.forwardToLeader(bytesOf('question'))
    for (const { store } of cluster.members) store.hang()
    const applied = ['x', 'y'].map(async (text) => {
      await leader.raft.apply(bytesOf(text))
    })
    await cluster.clock.settle()
    const admitted = leader.raft.whenAdmitted()
    await cluster.clock.advance(5)
    expect(leader.raft.stats()).toMatchObject({
      pendingProposals: 2,
      pendingAdmissions: 1,
      pendingForwards: 1,
      pendingWrites: 0,
      maxPendingProposals: 2,
    })
    for (const { store } of cluster.members) store.release()
    finish()
    await cluster.clock.wait(Promise.all([...applied, admitted, forwarded]))
    expect(leader.raft.stats()).toMatchObject({
      pendingProposals: 0,
      pendingAdmissions: 0,
      pendingForwards: 0,
      pendingWriteBytes: 0,
    })
  })

  it('counts no peers for a server without a vote', () => {
    expect(cluster.member('n').raft.stats().numPeers).toBe(0)
  })

  it('shows what waits, and that it goes away', async () => {
    for (const { store } of cluster.members) store.hang()
    void leader.raft.apply(bytesOf('x'))
    await cluster.clock.settle()
    expect(leader.raft.stats()).toMatchObject({
      pendingProposals: 1,
      lastLogIndex: 3,
      durableIndex: 2,
    })
    for (const { store } of cluster.members) store.release()
    await cluster.converged('x')
    await cluster.clock.advance(500)
    for (const { raft } of cluster.members)
      expect(raft.stats()).toMatchObject({
        pendingProposals: 0,
        pendingProposalBytes: 0,
        pendingAdmissions: 0,
        pendingReads: 0,
        pendingWrites: 0,
        pendingRequests: 0,
        heldMessages: 0,
        activeSnapshotSends: 0,
      })
  })
})

describe('lastContact', () => {
  it('grows on a follower that hears nothing', async () => {
    const [follower] = cluster.others(leader)
    await cluster.clock.advance(100)
    expect(follower!.raft.lastContact).toBeLessThan(50)
    cluster.network.isolate(follower!.id)
    await cluster.clock.advance(1000)
    expect(follower!.raft.lastContact).toBeGreaterThan(950)
    expect(leader.raft.lastContact).toBe(0)
  })

  it('is undefined when there never was any', async () => {
    const stranger = await cluster.add('z', false)
    expect(stranger.raft.lastContact).toBeUndefined()
    expect(stranger.raft.stats()).toMatchObject({ state: 'follower', term: 0, lastLogIndex: 0 })
  })
})

describe('configuration', () => {
  it('tells what is in force, and its index', () => {
    expect(leader.raft.configuration()).toEqual({
      configuration: cluster.configuration,
      isJoint: false,
      index: 1,
      committedIndex: 1,
    })
  })
})

describe('the properties of a server', () => {
  it('say what it is', () => {
    const { raft } = leader
    expect(raft.id).toBe(leader.id)
    expect(raft.address).toBe(leader.id)
    expect(raft.leader).toEqual({ id: leader.id, address: leader.id })
    expect([raft.state, raft.currentTerm]).toEqual(['leader', 2])
    expect([raft.lastIndex, raft.commitIndex, raft.appliedIndex]).toEqual([2, 2, 2])
  })
})
