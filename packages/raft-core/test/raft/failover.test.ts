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

describe('when the leader dies', () => {
  it.each([3, 5])('another of %d servers leads, and nothing acknowledged is lost', async (size) => {
    const { clock } = await start({ ids: ['a', 'b', 'c', 'd', 'e'].slice(0, size) })
    const first = await cluster.leader()
    for (const text of ['1', '2', '3']) await clock.wait(first.raft.apply(bytesOf(text)))
    await cluster.kill(first)
    const rest = cluster.others(first)
    const second = await cluster.leader(rest)
    expect(second.raft.currentTerm).toBeGreaterThan(first.raft.currentTerm)
    expect(second.machine.texts).toEqual(['1', '2', '3'])
    await clock.wait(second.raft.apply(bytesOf('4')))
    await cluster.converged('4', rest)
  })

  it('comes back as a follower and catches up', async () => {
    const { clock } = await start()
    const first = await cluster.leader()
    await clock.wait(first.raft.apply(bytesOf('1')))
    await cluster.kill(first)
    const second = await cluster.leader(cluster.others(first))
    await clock.wait(second.raft.apply(bytesOf('2')))
    await cluster.restart(first)
    await cluster.converged('2')
    expect(first.raft.state).toBe('follower')
    expect(first.raft.leader?.id).toBe(second.id)
  })

  it('is replaced within two election timeouts of virtual time, on average', async () => {
    let total = 0
    const rounds = 10
    for (let seed = 1; seed <= rounds; seed++) {
      const { clock } = await start({ seed })
      const first = await cluster.leader()
      await cluster.kill(first)
      const from = clock.now()
      await cluster.leader(cluster.others(first))
      total += clock.now() - from
      await cluster.stop()
    }
    expect(total / rounds).toBeLessThan(200)
  })
})

describe('a leader cut off from the others', () => {
  it('steps down within its lease, and never says that a command succeeded', async () => {
    const { clock, network } = await start()
    const old = await cluster.leader()
    network.isolate(old.id)
    const lost = rejection(old.raft.apply(bytesOf('lost')))
    const from = clock.now()
    await clock.until(() => old.raft.state !== 'leader')
    expect(clock.now() - from).toBeLessThanOrEqual(2 * 80)
    expect(await lost).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'unknown' })
    const refused = await rejection(old.raft.apply(bytesOf('refused')))
    expect(refused).toMatchObject({ code: 'RAFT_NOT_LEADER', outcome: 'not-committed' })
  })

  it('gives up its entries when it is back, in favour of what the others committed', async () => {
    const { clock, network } = await start()
    const old = await cluster.leader()
    network.isolate(old.id)
    const lost = rejection(old.raft.apply(bytesOf('lost')))
    const next = await cluster.leader(cluster.others(old))
    await clock.wait(next.raft.apply(bytesOf('kept')))
    network.heal()
    await lost
    await cluster.converged('kept')
    expect(old.machine.texts).toEqual(['kept'])
    expect(old.store.operations.some((line) => line.startsWith('truncateSuffix'))).toBe(true)
  })

  it('does not disturb the others when it is back: its term did not grow (pre-vote)', async () => {
    const { clock, network } = await start()
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    network.isolate(follower!.id)
    await clock.advance(5000)
    network.heal()
    await clock.advance(1000)
    expect(leader.raft.state).toBe('leader')
    expect(follower!.raft.currentTerm).toBe(leader.raft.currentTerm)
  })
})

describe('a minority', () => {
  it('elects nobody and commits nothing; the majority goes on', async () => {
    const { clock, network } = await start({ ids: ['a', 'b', 'c', 'd', 'e'] })
    const old = await cluster.leader()
    const [follower, ...majority] = cluster.others(old)
    const minority = [old, follower!]
    network.partition(
      minority.map(({ id }) => id),
      majority.map(({ id }) => id),
    )
    const lost = rejection(old.raft.apply(bytesOf('lost')))
    const next = await cluster.leader(majority)
    await clock.wait(next.raft.apply(bytesOf('kept')))
    await clock.advance(2000)
    expect(minority.map(({ raft }) => raft.state)).not.toContain('leader')
    expect((await lost).outcome).toBe('unknown')
    network.heal()
    await cluster.converged('kept')
    for (const { machine } of cluster.members) expect(machine.texts).toEqual(['kept'])
  })
})

describe('replication over a bad network', () => {
  it('loses, doubles and reorders messages, and state machines still agree', async () => {
    const { clock, network } = await start({ seed: 7 })
    network.setFaults({
      minDelayMs: 1,
      jitterMs: 4,
      loss: 0.05,
      duplication: 0.1,
      reordering: 0.2,
      reorderDelayMs: 5,
    })
    const acknowledged: string[] = []
    for (let count = 0; count < 60; count++) {
      const leader = await cluster.leader()
      await clock
        .wait(leader.raft.apply(bytesOf(`c${count}`), { timeoutMs: 2000 }))
        .then(() => acknowledged.push(`c${count}`))
        .catch(() => {})
    }
    network.setFaults({})
    const leader = await cluster.leader()
    await clock.wait(leader.raft.apply(bytesOf('last')))
    await cluster.converged('last')
    expect(acknowledged.length).toBeGreaterThan(30)
    expect(leader.machine.texts).toEqual(expect.arrayContaining(acknowledged))
    expect(new Set(leader.machine.texts).size).toBe(leader.machine.texts.length)
  })
})
