import type { ForwardHandler } from '@raftkit/raft-core'
import { afterEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf, textOf } from '../support/text-machine.ts'

let cluster: TestCluster
afterEach(() => cluster.stop())

const upperCase = async (payload: Uint8Array): Promise<Uint8Array> =>
  bytesOf(textOf(payload).toUpperCase())

async function start(
  onForward: ForwardHandler = upperCase,
): Promise<{ leader: Member; follower: Member }> {
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

  it('says that a command which its handler could not hand in because too many wait was not committed', async () => {
    const members: Member[] = []
    cluster = await TestCluster.start({
      config: { maxPendingProposals: 1, storageStallMs: 100_000 },
      options: {
        onForward: async (payload) => {
          const leader = members.find(({ raft }) => raft.state === 'leader')!
          return bytesOf((await leader.raft.apply(payload)).response)
        },
      },
    })
    members.push(...cluster.members)
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    await cluster.clock.until(() => follower!.raft.leader?.id === leader.id)
    for (const { store } of cluster.members) store.hang()
    const first = leader.raft.apply(bytesOf('first'))
    await cluster.clock.settle()
    const { lastIndex } = leader.raft
    const refused = await rejection(
      cluster.clock.wait(follower!.raft.forwardToLeader(bytesOf('second'))),
    )
    expect(refused).toMatchObject({
      code: 'RAFT_OVERLOADED',
      outcome: 'not-committed',
      retryable: true,
    })
    expect(leader.raft.lastIndex).toBe(lastIndex)
    for (const { store } of cluster.members) store.release()
    await cluster.clock.wait(first)
    expect(leader.machine.texts).toEqual(['first'])
  })

  it('is refused while no leader is known', async () => {
    cluster = await TestCluster.start({ options: { onForward: upperCase } })
    const [any] = cluster.members
    expect(await rejection(any!.raft.forwardToLeader(bytesOf('x')))).toMatchObject({
      code: 'RAFT_NO_LEADER',
      retryable: true,
    })
  })

  // Seed 265: whoever had the server hand a command on was told RAFT_SHUTDOWN, and nothing of the command.
  it('says after a shutdown that nothing was handed on', async () => {
    const { follower } = await start()
    await cluster.clock.wait(follower.raft.shutdown())
    expect(await rejection(follower.raft.forwardToLeader(bytesOf('x')))).toMatchObject({
      code: 'RAFT_SHUTDOWN',
      outcome: 'not-committed',
    })
  })

  it('does not take an error of the handler for a refusal, however it reads', async () => {
    const { follower } = await start(() => Promise.reject(new Error('node is not the leader')))
    const refused = rejection(follower.raft.forwardToLeader(bytesOf('x')))
    await cluster.clock.settle()
    expect((await refused).code).toBe('RAFT_REMOTE_ERROR')
  })

  it('ends at its timeout on the leader too, and tells the handler', async () => {
    let signal: AbortSignal | undefined
    const { leader } = await start(async (_, context) => {
      signal = context.signal
      return new Promise(() => {})
    })
    const refused = rejection(leader.raft.forwardToLeader(bytesOf('x'), { timeoutMs: 50 }))
    await cluster.clock.advance(60)
    expect((await refused).code).toBe('RAFT_TIMEOUT')
    expect(signal?.aborted).toBe(true)
  })

  it('ends at its timeout', async () => {
    const { follower } = await start(() => new Promise(() => {}))
    const refused = rejection(follower.raft.forwardToLeader(bytesOf('x'), { timeoutMs: 50 }))
    await cluster.clock.advance(60)
    expect((await refused).code).toBe('RAFT_RPC_TIMEOUT')
  })
})
