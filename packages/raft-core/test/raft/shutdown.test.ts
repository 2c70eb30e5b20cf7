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

describe('shutdown', () => {
  it('settles everyone who waits, at once', async () => {
    const { raft } = leader
    for (const { store } of cluster.members) store.hang()
    const appended = rejection(raft.apply(bytesOf('appended')))
    await cluster.clock.settle()
    const read = rejection(raft.read(() => 1))
    const queued = rejection(raft.apply(bytesOf('queued')))
    const verified = rejection(raft.verifyLeader())
    const transferred = rejection(raft.transferLeadership())
    const ended = raft.shutdown()
    expect(await appended).toMatchObject({ code: 'RAFT_SHUTDOWN', outcome: 'unknown' })
    expect(await queued).toMatchObject({ code: 'RAFT_SHUTDOWN', outcome: 'not-committed' })
    for (const error of await Promise.all([read, verified, transferred]))
      expect(error.code).toBe('RAFT_SHUTDOWN')
    for (const { store } of cluster.members) store.release()
    await cluster.clock.wait(ended)
  })

  it('may be called again', async () => {
    const first = leader.raft.shutdown()
    expect(leader.raft.shutdown()).toBe(first)
    await cluster.clock.wait(first)
    await cluster.clock.wait(leader.raft[Symbol.asyncDispose]())
    expect(leader.raft.state).toBe('stopped')
  })

  it('waits for the write under way', async () => {
    leader.store.hang()
    void leader.raft.apply(bytesOf('x')).catch(() => {})
    await cluster.clock.settle()
    let isOver = false
    const ended = leader.raft.shutdown().then(() => (isOver = true))
    await cluster.clock.settle()
    expect(isOver).toBe(false)
    leader.store.release()
    await cluster.clock.wait(ended)
    expect(leader.store.hanging).toBe(0)
  })

  it('does not wait longer than it is told to', async () => {
    leader.store.hang()
    void leader.raft.apply(bytesOf('x')).catch(() => {})
    await cluster.clock.settle()
    const from = cluster.clock.now()
    await cluster.clock.wait(leader.raft.shutdown({ timeoutMs: 700 }))
    expect(cluster.clock.now() - from).toBe(700)
    expect(leader.logger.at('warn').at(-1)?.message).toContain('shut down without waiting')
    leader.store.release()
  })

  it('leaves no timer of its own behind', async () => {
    for (const member of cluster.members) await cluster.kill(member)
    await cluster.clock.advance(10_000)
    expect(cluster.clock.timers).toBe(0)
  })

  it('frees the address of its transport and leaves its stores open', async () => {
    await cluster.kill(leader)
    expect(cluster.network.addresses).not.toContain(leader.id)
    await expect(leader.data.bounds()).resolves.toBeDefined()
  })

  it('tells listeners once', async () => {
    const told: unknown[] = []
    leader.raft.on('stopped', (event) => told.push(event))
    await cluster.kill(leader)
    await cluster.kill(leader)
    expect(told).toEqual([{}])
  })
})
