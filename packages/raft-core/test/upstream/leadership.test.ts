// Defects of hashicorp/raft around leadership and its proof, by their number in its issue tracker.
import { afterEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster, type ClusterOptions } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
async function start(options: ClusterOptions = {}): Promise<void> {
  cluster = await TestCluster.start(options)
  leader = await cluster.leader()
}
afterEach(() => cluster.stop())

describe('#696, #413, #570, #581: a leadership transfer that fails leaves the leader refusing writes', () => {
  it('takes writes again when the target did not take over', async () => {
    await start()
    const [target] = cluster.others(leader)
    cluster.network.isolate(target!.id)
    const failed = rejection(leader.raft.transferLeadership(target!.id))
    await cluster.clock.advance(500)
    expect((await failed).code).toBe('RAFT_LEADERSHIP_TRANSFER_FAILED')
    await expect(cluster.clock.wait(leader.raft.apply(bytesOf('x')))).resolves.toBeDefined()
  })

  it('takes writes in a later leadership when the first ended during a transfer', async () => {
    await start()
    const others = cluster.others(leader)
    cluster.network.isolate(leader.id)
    const failed = rejection(leader.raft.transferLeadership(others[0]!.id))
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    await failed
    cluster.network.heal()
    // The same server leads again: nothing of the old transfer may be left.
    for (;;) {
      const current = await cluster.leader()
      if (current === leader) break
      await cluster.clock.until(() => leader.raft.lastIndex === current.raft.lastIndex)
      await cluster.clock
        .wait(current.raft.transferLeadership(leader.id))
        .catch(() => cluster.clock.advance(100))
    }
    await expect(cluster.clock.wait(leader.raft.apply(bytesOf('x')))).resolves.toBeDefined()
  })

  it('may be asked for again and again', async () => {
    await start()
    for (let round = 0; round < 6; round++) {
      const current = await cluster.leader()
      await cluster.clock.wait(current.raft.apply(bytesOf(`r${round}`)))
      await cluster.clock.wait(current.raft.transferLeadership())
    }
    await cluster.leader()
    await cluster.converged('r5')
    expect(leader.machine.texts).toHaveLength(6)
  })
})

describe('VerifyLeader counts nonvoters toward the quorum of voters', () => {
  it('is not confirmed by a nonvoter when both other voters are gone', async () => {
    await start({ ids: ['a', 'b', 'c', 'n'], suffrage: { n: 'nonvoter' } })
    for (const member of cluster.others(leader, cluster.member('n')))
      cluster.network.cut(leader.id, member.id)
    const refused = rejection(leader.raft.verifyLeader())
    const read = rejection(leader.raft.read(() => 1))
    await cluster.clock.advance(1000)
    expect((await refused).code).toBe('RAFT_LEADERSHIP_LOST')
    expect((await read).code).toBe('RAFT_LEADERSHIP_LOST')
    expect(leader.raft.state).not.toBe('leader')
  })
})

describe('#359, #549: reads that are only half verified', () => {
  it('a read after a failover sees every write acknowledged before it', async () => {
    await start()
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.kill(leader)
    const next = await cluster.clock.until(() =>
      cluster.others(leader).find(({ raft }) => raft.state === 'leader'),
    )
    const seen = await cluster.clock.wait(next.raft.read(() => [...next.machine.texts]))
    expect(seen).toEqual(['x'])
  })
})

describe('#426, #384, #482: a slow listener blocks the leader', () => {
  it('listeners are called between steps; one that throws or calls back breaks nothing', async () => {
    cluster = await TestCluster.start()
    for (const { raft } of cluster.members) {
      raft.on('role-changed', () => {
        throw new Error('listener')
      })
      raft.on('leader-changed', () => void raft.apply(bytesOf('from a listener')).catch(() => {}))
    }
    leader = await cluster.leader()
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.converged('x')
    expect(leader.raft.state).toBe('leader')
  })
})

describe('#302, #356: statistics wait for the disk', () => {
  it('are told at once while a write hangs', async () => {
    await start()
    leader.store.hang()
    void leader.raft.apply(bytesOf('x')).catch(() => {})
    await cluster.clock.settle()
    expect(leader.raft.stats()).toMatchObject({ state: 'leader', lastLogIndex: 3, durableIndex: 2 })
    expect(leader.raft.configuration().index).toBe(1)
    leader.store.release()
  })
})

describe('snapshots fail during a leadership transfer', () => {
  it('are taken all the same', async () => {
    await start()
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    const [target] = cluster.others(leader)
    cluster.network.isolate(target!.id)
    const failed = rejection(leader.raft.transferLeadership(target!.id))
    await cluster.clock.settle()
    await expect(cluster.clock.wait(leader.raft.snapshot())).resolves.toMatchObject({ index: 3 })
    await cluster.clock.advance(500)
    await failed
  })
})

describe('#307, #508: what a failure of the state machine means', () => {
  it('a value is a response, however it looks; only a thrown error stops the server', async () => {
    await start()
    const refusal = new Error('no such account')
    leader.machine.apply = () => refusal as never
    const { response } = await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    expect(response).toBe(refusal)
    expect(leader.raft.state).toBe('leader')
  })
})
