import { afterEach, describe, expect, it } from 'vitest'
import { TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
afterEach(() => cluster.stop())

describe('the events of a server', () => {
  it('tell how it became leader, in order', async () => {
    cluster = await TestCluster.start({ ids: ['a'] })
    const told: string[] = []
    const { raft, machine } = cluster.member('a')
    raft.on('role-changed', ({ role, term }) => told.push(`${role} in ${term}`))
    raft.on('leader-changed', ({ leader, term }) => told.push(`${leader?.id} leads ${term}`))
    raft.on('leader-ready', ({ term }) => told.push(`ready in ${term}: ${machine.texts.length}`))
    await cluster.leader()
    expect(told).toEqual([
      'candidate in 1',
      'candidate in 2',
      'leader in 2',
      'a leads 2',
      'ready in 2: 0',
    ])
  })

  it('say that a leader is ready only when it has applied what others committed', async () => {
    cluster = await TestCluster.start()
    const first = await cluster.leader()
    await cluster.clock.wait(first.raft.apply(bytesOf('x')))
    const ready: string[][] = []
    for (const { raft, machine } of cluster.members)
      raft.on('leader-ready', () => ready.push([...machine.texts]))
    await cluster.kill(first)
    await cluster.leader(cluster.others(first))
    expect(ready).toEqual([['x']])
  })

  it('tell a follower who leads', async () => {
    cluster = await TestCluster.start()
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    const told: (string | undefined)[] = []
    follower!.raft.on('leader-changed', (event) => told.push(event.leader?.id))
    await cluster.kill(leader)
    const next = await cluster.leader(cluster.others(leader))
    await cluster.clock.until(() => told.at(-1) === next.id)
    expect(told[0]).toBeUndefined()
  })

  it('tell a leader which server it lost and regained', async () => {
    cluster = await TestCluster.start()
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    const told: string[] = []
    leader.raft.on('peer-contact-changed', ({ peer, reachable }) =>
      told.push(`${peer} ${reachable}`),
    )
    cluster.network.isolate(follower!.id)
    await cluster.clock.advance(1000)
    expect(told).toEqual([`${follower!.id} false`])
    cluster.network.heal()
    await cluster.clock.advance(1000)
    expect(told).toEqual([`${follower!.id} false`, `${follower!.id} true`])
  })

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'tell it once each, whenever the network heals (seed %i)',
    async (seed) => {
      cluster = await TestCluster.start({ seed })
      const leader = await cluster.leader()
      const [follower] = cluster.others(leader)
      const told: boolean[] = []
      leader.raft.on('peer-contact-changed', ({ reachable }) => told.push(reachable))
      cluster.network.isolate(follower!.id)
      await cluster.clock.advance(300 + 7 * seed)
      cluster.network.heal()
      await cluster.clock.advance(1000)
      expect(told).toEqual([false, true])
    },
  )

  it('tell every heartbeat that failed, with the last contact, and the first that did not', async () => {
    cluster = await TestCluster.start()
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    const peer = follower!.id
    const failed: number[] = []
    const resumed: string[] = []
    leader.raft.on('heartbeat-failed', (event) => {
      expect(event.peer).toBe(peer)
      failed.push(event.lastContact)
    })
    leader.raft.on('heartbeat-resumed', (event) => resumed.push(event.peer))
    cluster.network.isolate(peer)
    await cluster.clock.advance(2000)
    expect(failed.length).toBeGreaterThan(10)
    expect(failed).toEqual(failed.toSorted((a, b) => a - b))
    expect(failed[0]).toBeLessThan(200)
    expect(failed.at(-1)).toBeGreaterThan(1800)
    expect(resumed).toEqual([])
    cluster.network.heal()
    await cluster.clock.advance(1000)
    expect(resumed).toEqual([peer])
  })

  it('tell to whom a leader begins and ceases to replicate', async () => {
    cluster = await TestCluster.start()
    const told: string[] = []
    for (const { id, raft } of cluster.members) {
      raft.on('replication-started', ({ peer }) => told.push(`${id} > ${peer}`))
      raft.on('replication-stopped', ({ peer }) => told.push(`${id} x ${peer}`))
    }
    const leader = await cluster.leader()
    const [one, two] = cluster.others(leader)
    const { id } = leader
    expect(told.splice(0)).toEqual([`${id} > ${one!.id}`, `${id} > ${two!.id}`])
    const stranger = await cluster.add('z', false)
    await cluster.clock.wait(leader.raft.addVoter('z', 'z'))
    expect(told.splice(0)).toEqual([`${id} > z`])
    await cluster.clock.wait(leader.raft.removeServer(stranger.id))
    await cluster.clock.advance(1000)
    expect(told.splice(0)).toEqual([`${id} x z`])
    await cluster.kill(leader)
    expect(told.splice(0)).toEqual([`${id} x ${one!.id}`, `${id} x ${two!.id}`])
  })

  it('tell every request for a vote or a pre-vote', async () => {
    cluster = await TestCluster.start()
    const leader = await cluster.leader()
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.advance(100)
    const told: string[] = []
    for (const { id, raft } of cluster.members) {
      raft.on('pre-vote-requested', ({ candidate, address, term, lastLogIndex, lastLogTerm }) => {
        expect(address).toBe(candidate)
        told.push(`${candidate} may ask ${id} in ${term} (${lastLogIndex}, ${lastLogTerm})`)
      })
      raft.on('vote-requested', ({ candidate, term, leadershipTransfer }) =>
        told.push(`${candidate} asks ${id} in ${term} ${leadershipTransfer}`),
      )
    }
    const [target, other] = cluster.others(leader)
    await cluster.clock.wait(leader.raft.transferLeadership(target!.id))
    await cluster.leader()
    expect(told.splice(0).toSorted()).toEqual(
      [leader, other!].map(({ id }) => `${target!.id} asks ${id} in 3 true`).toSorted(),
    )
    await cluster.kill(target!)
    const next = await cluster.leader(cluster.others(target!))
    const [voter] = cluster.others(target!, next)
    expect(told.filter((line) => line.startsWith(next.id)).slice(0, 2)).toEqual([
      `${next.id} may ask ${voter!.id} in 4 (4, 3)`,
      `${next.id} asks ${voter!.id} in 4 false`,
    ])
  })

  it('do not let a listener that rejects end the process', async () => {
    cluster = await TestCluster.start({ ids: ['a'] })
    const { raft, logger } = cluster.member('a')
    raft.on('leader-ready', (): unknown => Promise.reject(new Error('mine')))
    const leader = await cluster.leader()
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    expect(logger.at('error')).toMatchObject([
      { fields: { event: 'leader-ready', error: 'mine' }, message: 'an event listener failed' },
    ])
  })

  it('do not let a listener that throws break anything', async () => {
    cluster = await TestCluster.start({ ids: ['a'] })
    const { raft, logger } = cluster.member('a')
    raft.on('role-changed', () => {
      throw new Error('mine')
    })
    const leader = await cluster.leader()
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    expect(logger.at('error')).toMatchObject([
      { fields: { id: 'a', event: 'role-changed', error: 'mine' } },
      { message: 'an event listener failed' },
      { message: 'an event listener failed' },
    ])
  })

  it('may be answered with calls', async () => {
    cluster = await TestCluster.start({ ids: ['a'] })
    const { raft, machine } = cluster.member('a')
    raft.on('leader-ready', () => void raft.apply(bytesOf('from a listener')))
    await cluster.clock.until(() => machine.texts.length > 0)
    expect(machine.texts).toEqual(['from a listener'])
  })
})
