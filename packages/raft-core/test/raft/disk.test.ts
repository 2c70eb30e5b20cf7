import { RaftError } from '@raftkit/interface'
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

describe('a disk that fails', () => {
  it('stops the server at the first failed write, and the others go on', async () => {
    const stopped: unknown[] = []
    leader.raft.on('stopped', ({ error }) => stopped.push(error?.code))
    leader.store.fail('append')
    const lost = rejection(leader.raft.apply(bytesOf('x')))
    await cluster.clock.until(() => leader.raft.state === 'stopped')
    expect(await lost).toMatchObject({ code: 'RAFT_STORE_FAILED', outcome: 'unknown' })
    await cluster.clock.settle()
    expect(stopped).toEqual(['RAFT_STORE_FAILED'])
    expect(leader.raft.stats()).toMatchObject({ state: 'stopped', peers: [] })
    expect((await rejection(leader.raft.apply(bytesOf('y')))).code).toBe('RAFT_STOPPED')
    const rest = cluster.others(leader)
    const next = await cluster.leader(rest)
    await cluster.clock.wait(next.raft.apply(bytesOf('z')))
    await cluster.converged('z', rest)
  })

  it('stops a follower that cannot write; it neither votes nor acknowledges', async () => {
    const [follower] = cluster.others(leader)
    follower!.store.fail('append')
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.until(() => follower!.raft.state === 'stopped')
    expect(follower!.machine.texts).toEqual([])
  })

  it('takes part again when it is started anew', async () => {
    const [follower] = cluster.others(leader)
    follower!.store.fail('append')
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.until(() => follower!.raft.state === 'stopped')
    await cluster.restart(follower!)
    await cluster.converged('x')
    expect(follower!.raft.state).toBe('follower')
  })
})

describe('a disk that hangs', () => {
  it('makes a leader step down, and not vote, until the write is over', async () => {
    leader.store.hang()
    // The followers have it, so it is committed without the leader's disk.
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    const next = await cluster.leader(cluster.others(leader))
    await cluster.clock.wait(next.raft.apply(bytesOf('y')))
    await cluster.clock.advance(2000)
    expect(leader.raft.state).toBe('follower')
    leader.store.release()
    await cluster.converged('y')
    expect(leader.machine.texts).toEqual(['x', 'y'])
  })

  it('does not keep the cluster from committing when it is a follower', async () => {
    const [follower] = cluster.others(leader)
    follower!.store.hang()
    for (const text of ['1', '2', '3']) await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
    await cluster.clock.advance(1000)
    expect(leader.raft.state).toBe('leader')
    follower!.store.release()
    await cluster.converged('3')
  })

  it('is named in the log', async () => {
    leader.store.hang()
    void leader.raft.apply(bytesOf('x')).catch(() => {})
    await cluster.clock.advance(500)
    expect(leader.logger.at('error')).toMatchObject([
      { message: 'a write to the store hangs: not leading, not voting', fields: { id: leader.id } },
    ])
    leader.store.release()
    await cluster.clock.settle()
    expect(leader.logger.at('warn').map(({ message }) => message)).toContain(
      'the write that hung has ended',
    )
  })
})

describe('a disk that is damaged', () => {
  it('stops a leader that cannot read the entries that a follower needs', async () => {
    await cluster.stop()
    // Nothing stays in memory, so entries for a follower that comes back are read from the store.
    cluster = await TestCluster.start({ config: { logTailBytes: 1024 } })
    leader = await cluster.leader()
    const [follower, other] = cluster.others(leader)
    cluster.network.isolate(follower!.id)
    for (let count = 0; count < 5; count++)
      await cluster.clock.wait(leader.raft.apply(new Uint8Array(1000)))
    leader.store.fail('read', new RaftError('RAFT_STORE_CORRUPT', 'the checksum does not fit'))
    const stopped: unknown[] = []
    leader.raft.on('stopped', ({ error }) => stopped.push(error?.code))
    cluster.network.heal()
    await cluster.clock.until(() => leader.raft.state === 'stopped')
    await cluster.clock.settle()
    expect(stopped).toEqual(['RAFT_STORE_CORRUPT'])
    const next = await cluster.leader([follower!, other!])
    await cluster.clock.wait(next.raft.apply(bytesOf('z')))
  })
})
