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

describe('transferLeadership', () => {
  it('hands over to the server that is named', async () => {
    await start()
    const target = cluster.others(leader)[1]!
    await cluster.clock.wait(leader.raft.transferLeadership(target.id))
    expect(leader.raft.state).not.toBe('leader')
    expect((await cluster.leader()).id).toBe(target.id)
  })

  it('picks a voter when none is named, never a nonvoter', async () => {
    await start({ ids: ['a', 'b', 'c', 'd'], suffrage: { c: 'nonvoter', d: 'nonvoter' } })
    await cluster.clock.wait(leader.raft.transferLeadership())
    expect(['a', 'b']).toContain((await cluster.leader(cluster.others(leader))).id)
  })

  it('hands over in a cluster of seven, from one to the next', async () => {
    await start({ ids: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] })
    for (const target of cluster.others(leader)) {
      const from = await cluster.leader()
      await cluster.clock.wait(from.raft.transferLeadership(target.id))
      expect((await cluster.leader()).id).toBe(target.id)
      await cluster.clock.wait(target.raft.apply(bytesOf(target.id)))
    }
    await cluster.converged(cluster.others(leader).at(-1)!.id)
  })

  it('takes less time than an election timeout', async () => {
    await start()
    const from = cluster.clock.now()
    await cluster.clock.wait(leader.raft.transferLeadership())
    await cluster.leader(cluster.others(leader))
    expect(cluster.clock.now() - from).toBeLessThan(100)
  })

  it('loses no acknowledged command that comes in meanwhile', async () => {
    await start()
    const acknowledged: string[] = []
    const writes = Array.from({ length: 50 }, (_, at) =>
      leader.raft
        .apply(bytesOf(`w${at}`))
        .then(() => acknowledged.push(`w${at}`))
        .catch(() => {}),
    )
    const transferred = leader.raft.transferLeadership()
    await cluster.clock.wait(Promise.all([...writes, transferred]))
    const next = await cluster.leader(cluster.others(leader))
    expect(next.machine.texts).toEqual(expect.arrayContaining(acknowledged))
  })

  it('refuses commands meanwhile, with an outcome that allows to send them again', async () => {
    await start()
    const [target] = cluster.others(leader)
    cluster.network.isolate(target!.id)
    const transferred = rejection(leader.raft.transferLeadership(target!.id))
    await cluster.clock.settle()
    const refused = rejection(leader.raft.apply(bytesOf('x')))
    await cluster.clock.settle()
    expect(await refused).toMatchObject({
      code: 'RAFT_LEADERSHIP_TRANSFER_IN_PROGRESS',
      outcome: 'not-committed',
    })
    await cluster.clock.until(() => leader.raft.stats().pendingReads === 0 && true)
    await cluster.clock.advance(500)
    expect((await transferred).code).toBe('RAFT_LEADERSHIP_TRANSFER_FAILED')
    await cluster.clock.wait(leader.raft.apply(bytesOf('y')))
  })

  it.each([
    ['itself', (self: string) => self, 'cannot transfer leadership to itself'],
    ['a stranger', () => 'nobody', 'cannot find peer'],
    ['a nonvoter', () => 'n', 'not a voter'],
  ])('refuses %s', async (_, target, message) => {
    await start({ ids: ['a', 'b', 'c', 'n'], suffrage: { n: 'nonvoter' } })
    const refused = rejection(leader.raft.transferLeadership(target(leader.id)))
    await cluster.clock.settle()
    const error = await refused
    expect(error.code).toBe('RAFT_LEADERSHIP_TRANSFER_FAILED')
    expect(error.message).toContain(message)
    expect(leader.raft.state).toBe('leader')
  })

  it('is not begun when it was given up in the turn in which it was asked for', async () => {
    await start()
    const gaveUp = new AbortController()
    const { signal } = gaveUp
    const transferred = rejection(leader.raft.transferLeadership(undefined, { signal }))
    gaveUp.abort()
    expect((await transferred).code).toBe('RAFT_ABORTED')
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.advance(100)
    expect(leader.raft.state).toBe('leader')
  })

  it('is refused on a follower', async () => {
    await start()
    const [follower] = cluster.others(leader)
    expect((await rejection(follower!.raft.transferLeadership())).code).toBe('RAFT_NOT_LEADER')
  })
})
