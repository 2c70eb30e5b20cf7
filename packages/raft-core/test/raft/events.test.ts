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
    expect(told.at(-1)).toBe(`${follower!.id} true`)
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
