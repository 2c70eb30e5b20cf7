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

describe('an event loop that stands still', () => {
  it('does not make a follower campaign: waiting heartbeats are heard first', async () => {
    await start()
    const [follower] = cluster.others(leader)
    const term = leader.raft.currentTerm
    for (let round = 0; round < 10; round++) {
      follower!.clock.stall()
      await cluster.clock.advance(500)
      follower!.clock.resume()
      await cluster.clock.advance(50)
    }
    expect(leader.raft.state).toBe('leader')
    expect(leader.raft.currentTerm).toBe(term)
    expect(follower!.logger.at('warn').map(({ message }) => message)).toContain(
      'the event loop stood still',
    )
  })

  it('makes a leader step down that could serve nobody meanwhile', async () => {
    await start()
    leader.clock.stall()
    const next = await cluster.leader(cluster.others(leader))
    await cluster.clock.wait(next.raft.apply(bytesOf('x')))
    leader.clock.resume()
    await cluster.converged('x')
    expect(leader.raft.state).toBe('follower')
  })

  it('lets a leader serve no read from before the stall', async () => {
    await start()
    leader.clock.stall()
    const next = await cluster.leader(cluster.others(leader))
    await cluster.clock.wait(next.raft.apply(bytesOf('new')))
    const stale = rejection(leader.raft.read(() => leader.machine.texts))
    leader.clock.resume()
    await cluster.clock.advance(200)
    expect(['RAFT_LEADERSHIP_LOST', 'RAFT_NOT_LEADER']).toContain((await stale).code)
  })

  it('does not cost a leader its place when it is short', async () => {
    await start({
      config: {
        maxLeaderStallMs: 1000,
        heartbeatTimeoutMs: 400,
        electionTimeoutMs: 400,
        leaderLeaseTimeoutMs: 300,
      },
    })
    leader.clock.stall()
    await cluster.clock.advance(200)
    leader.clock.resume()
    await cluster.clock.advance(1000)
    expect(leader.raft.state).toBe('leader')
  })
})
