import { afterEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf, textOf } from '../support/text-machine.ts'

let cluster: TestCluster
afterEach(() => cluster.stop())

const upperCase = async (payload: Uint8Array): Promise<Uint8Array> =>
  bytesOf(textOf(payload).toUpperCase())

async function start(onForward = upperCase): Promise<{ leader: Member; follower: Member }> {
  cluster = await TestCluster.start({ options: { onForward } })
  const leader = await cluster.leader()
  const [follower] = cluster.others(leader)
  await cluster.clock.until(() => follower!.raft.leader?.id === leader.id)
  return { leader, follower: follower! }
}

describe('forwardToLeader', () => {
  it('is served by the leader, from a follower and from itself', async () => {
    const { leader, follower } = await start()
    for (const { raft } of [leader, follower]) {
      const answer = await cluster.clock.wait(raft.forwardToLeader(bytesOf('hello')))
      expect(textOf(answer)).toBe('HELLO')
    }
  })

  it('gives back what the handler throws', async () => {
    const { follower } = await start(() => Promise.reject(new Error('not today')))
    const refused = rejection(follower.raft.forwardToLeader(bytesOf('x')))
    await cluster.clock.settle()
    expect(await refused).toMatchObject({ code: 'RAFT_REMOTE_ERROR' })
    expect((await refused).message).toContain('not today')
  })

  it('is refused while no leader is known', async () => {
    cluster = await TestCluster.start({ options: { onForward: upperCase } })
    const [any] = cluster.members
    expect(await rejection(any!.raft.forwardToLeader(bytesOf('x')))).toMatchObject({
      code: 'RAFT_NO_LEADER',
      retryable: true,
    })
  })

  it('ends at its timeout', async () => {
    const { follower } = await start(() => new Promise(() => {}))
    const refused = rejection(follower.raft.forwardToLeader(bytesOf('x'), { timeoutMs: 50 }))
    await cluster.clock.advance(60)
    expect((await refused).code).toBe('RAFT_RPC_TIMEOUT')
  })
})
