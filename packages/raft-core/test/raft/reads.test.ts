import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
beforeEach(async () => {
  cluster = await TestCluster.start()
  leader = await cluster.leader()
})
afterEach(() => cluster.stop())

describe('a linearizable read', () => {
  it('sees every command that was acknowledged before', async () => {
    for (const text of ['1', '2', '3']) {
      await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
      const seen = await cluster.clock.wait(leader.raft.read(() => leader.machine.texts.at(-1)))
      expect(seen).toBe(text)
    }
  })

  it('is refused on a follower, which names the leader', async () => {
    const [follower] = cluster.others(leader)
    await cluster.clock.until(() => follower!.raft.leader !== undefined)
    expect(await rejection(follower!.raft.read(() => 1))).toMatchObject({
      code: 'RAFT_NOT_LEADER',
      details: { leader: { id: leader.id } },
    })
  })

  it('is not served by a leader that is cut off, even before it notices', async () => {
    cluster.network.isolate(leader.id)
    let isRun = false
    const refused = rejection(leader.raft.read(() => (isRun = true)))
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    expect((await refused).code).toBe('RAFT_LEADERSHIP_LOST')
    expect(isRun).toBe(false)
  })

  it('waits until the state machine is there', async () => {
    leader.machine.beforeApply = () => {}
    const written = leader.raft.apply(bytesOf('w'))
    await cluster.clock.settle()
    await written
    const index = await cluster.clock.wait(leader.raft.readIndex())
    expect(leader.raft.appliedIndex).toBeGreaterThanOrEqual(index)
  })

  it('gives what fn throws to the caller', async () => {
    const failing = leader.raft.read(() => {
      throw new Error('mine')
    })
    await expect(cluster.clock.wait(failing)).rejects.toThrow('mine')
  })

  it('shares one round of heartbeats with others of the same turn', async () => {
    let heartbeats = 0
    cluster.network.intercept(({ from, message, kind }) => {
      if (from === leader.id && kind === 'request' && message.type === 'append-entries')
        heartbeats++
    })
    const reads = Array.from({ length: 100 }, () => leader.raft.read(() => 1))
    await cluster.clock.settle()
    await Promise.all(reads)
    expect(heartbeats).toBeLessThanOrEqual(4)
  })
})

describe('a stale read', () => {
  it('is served by any server at once', async () => {
    const [follower] = cluster.others(leader)
    expect(await follower!.raft.read(() => 'mine', { consistency: 'stale' })).toBe('mine')
  })

  it('is not served by a server that was shut down', async () => {
    await cluster.kill(leader)
    const refused = await rejection(leader.raft.read(() => 1, { consistency: 'stale' }))
    expect(refused.code).toBe('RAFT_SHUTDOWN')
  })
})

describe('verifyLeader', () => {
  it('resolves while a quorum follows', async () => {
    await expect(cluster.clock.wait(leader.raft.verifyLeader())).resolves.toBeUndefined()
  })

  it('rejects when leadership goes meanwhile', async () => {
    cluster.network.isolate(leader.id)
    const refused = rejection(leader.raft.verifyLeader())
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    expect((await refused).code).toBe('RAFT_LEADERSHIP_LOST')
  })
})

describe('readIndex', () => {
  it('covers what earlier leaders acknowledged: a new leader commits an entry of its own first', async () => {
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    const { index } = { index: leader.raft.commitIndex }
    await cluster.kill(leader)
    const next = await cluster.clock.until(() =>
      cluster.others(leader).find(({ raft }) => raft.state === 'leader'),
    )
    const confirmed = await cluster.clock.wait(next.raft.readIndex())
    expect(confirmed).toBeGreaterThan(index)
  })
})
