import { afterEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { TestCluster, type ClusterOptions } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
async function start(options: ClusterOptions = {}): Promise<TestCluster> {
  cluster = await TestCluster.start(options)
  return cluster
}
afterEach(() => cluster.stop())

describe.each([{ ids: ['a', 'b', 'c'] }, { ids: ['a', 'b', 'c', 'd', 'e'] }])(
  'a cluster of $ids',
  ({ ids }) => {
    it('elects one leader, and everyone knows it', async () => {
      const { members, clock } = await start({ ids })
      const leader = await cluster.leader()
      await clock.until(() => members.every(({ raft }) => raft.leader?.id === leader.id))
      expect(members.filter(({ raft }) => raft.state === 'leader')).toHaveLength(1)
      expect(new Set(members.map(({ raft }) => raft.currentTerm)).size).toBe(1)
    })

    it('replicates a command and answers with what the state machine returned', async () => {
      const { clock } = await start({ ids })
      const leader = await cluster.leader()
      const result = await clock.wait(leader.raft.apply(bytesOf('x')))
      expect(result).toEqual({
        index: leader.raft.appliedIndex,
        term: leader.raft.currentTerm,
        response: `x@${result.index}`,
      })
      await cluster.converged('x')
    })
  },
)

describe('a server alone in its cluster', () => {
  it('leads and commits by itself', async () => {
    const { clock } = await start({ ids: ['a'] })
    const leader = await cluster.leader()
    await clock.wait(leader.raft.apply(bytesOf('x')))
    expect(leader.machine.texts).toEqual(['x'])
  })
})

describe('a follower', () => {
  it('refuses a command at once and names the leader', async () => {
    await start()
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    await cluster.clock.until(() => follower!.raft.leader?.id === leader.id)
    const error = await rejection(follower!.raft.apply(bytesOf('x')))
    expect(error).toMatchObject({
      code: 'RAFT_NOT_LEADER',
      retryable: true,
      outcome: 'not-committed',
      details: { leader: { id: leader.id, address: leader.id } },
    })
  })
})
