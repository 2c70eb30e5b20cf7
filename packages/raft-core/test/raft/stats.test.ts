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
