// raft.bootstrapCluster: a new cluster from servers that run already.
import type { Configuration } from '@raftkit/interface'
import { hasExistingState } from '@raftkit/raft-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await TestCluster.start({ ids: [] })
})
afterEach(() => cluster.stop())

function of(...ids: readonly string[]): Configuration {
  return { servers: ids.map((id) => ({ suffrage: 'voter', id, address: id })) }
}

const blank = (id: string): Promise<Member> => cluster.add(id, false)

async function refusalOf(member: Member, configuration: Configuration): Promise<string> {
  const refused = rejection(member.raft.bootstrapCluster(configuration))
  await cluster.clock.settle()
  return (await refused).code
}

describe('bootstrapCluster of a running server', () => {
  it('makes a cluster of one that takes the others in', async () => {
    const a = await blank('a')
    await cluster.clock.advance(1000)
    expect(a.raft.state).toBe('follower')
    await cluster.clock.wait(a.raft.bootstrapCluster(of('a')))
    expect(await cluster.leader()).toBe(a)
    const b = await blank('b')
    await cluster.clock.wait(a.raft.addVoter('b', 'b'))
    await cluster.clock.wait(a.raft.apply(bytesOf('x')))
    await cluster.converged('x', [a, b])
  })

  it('may be done on every member, with the same configuration', async () => {
    const members = [await blank('a'), await blank('b'), await blank('c')]
    const configuration = of('a', 'b', 'c')
    await cluster.clock.wait(
      Promise.all(members.map(({ raft }) => raft.bootstrapCluster(configuration))),
    )
    const leader = await cluster.leader()
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.converged('x')
    const bytes = await Promise.all(
      members.map(async ({ data }) => (await data.read(1, 1, { maxBytes: 1e6 })).view),
    )
    expect(bytes[1]).toEqual(bytes[0])
    expect(bytes[2]).toEqual(bytes[0])
  })

  it('resolves when it is durable, and not before', async () => {
    const a = await blank('a')
    a.store.hang()
    let isDone = false
    const done = a.raft.bootstrapCluster(of('a')).then(() => (isDone = true))
    await cluster.clock.settle()
    expect(isDone).toBe(false)
    a.store.release()
    await cluster.clock.wait(done)
    expect(await a.data.bounds()).toEqual({ firstIndex: 1, lastIndex: 1 })
    expect(a.store.operations.slice(0, 2)).toEqual(['saveHardState 1', 'append 1..1'])
  })

  it('survives a restart', async () => {
    const a = await blank('a')
    await cluster.clock.wait(a.raft.bootstrapCluster(of('a')))
    await cluster.restart(a)
    expect(a.raft.configuration()).toMatchObject({ index: 1, configuration: of('a') })
    expect(await cluster.leader()).toBe(a)
  })

  it('may be done again when a crash cut it short', async () => {
    const a = await blank('a')
    a.store.fail('append')
    expect(await refusalOf(a, of('a'))).toBe('RAFT_STORE_FAILED')
    expect(await a.data.loadHardState()).toEqual({ term: 1 })
    const { data, snapshots } = a
    const stores = { logStore: data, stableStore: data, snapshotStore: snapshots }
    expect(await hasExistingState(stores)).toBe(false)
    await cluster.restart(a)
    await cluster.clock.wait(a.raft.bootstrapCluster(of('a')))
    expect(await cluster.leader()).toBe(a)
  })

  it('is refused on a server that has state or leads', async () => {
    const a = await blank('a')
    await cluster.clock.wait(a.raft.bootstrapCluster(of('a')))
    expect(await refusalOf(a, of('a'))).toBe('RAFT_CANT_BOOTSTRAP')
    await cluster.leader()
    expect(await refusalOf(a, of('a'))).toBe('RAFT_CANT_BOOTSTRAP')
  })

  it('is refused on a server that is no voter of the configuration', async () => {
    const a = await blank('a')
    expect(await refusalOf(a, of('b'))).toBe('RAFT_NOT_VOTER')
    const nonvoter = { suffrage: 'nonvoter', id: 'a', address: 'a' } as const
    const configuration = { servers: [...of('b').servers, nonvoter] }
    expect(await refusalOf(a, configuration)).toBe('RAFT_NOT_VOTER')
    expect(a.raft.configuration().configuration.servers).toEqual([])
  })

  it('is refused with a configuration that nobody could use', async () => {
    const a = await blank('a')
    const twice = { servers: [...of('a').servers, ...of('a').servers] }
    expect(await refusalOf(a, twice)).toBe('RAFT_INVALID_CONFIGURATION')
    expect(await refusalOf(a, { servers: [] })).toBe('RAFT_INVALID_CONFIGURATION')
  })

  it('keeps its own copy of the configuration', async () => {
    const a = await blank('a')
    const servers = [...of('a').servers]
    const done = a.raft.bootstrapCluster({ servers })
    servers.length = 0
    await cluster.clock.wait(done)
    expect(a.raft.configuration().configuration).toEqual(of('a'))
  })

  it('is refused by a server that was shut down', async () => {
    const a = await blank('a')
    await cluster.clock.wait(a.raft.shutdown())
    expect(await refusalOf(a, of('a'))).toBe('RAFT_SHUTDOWN')
  })

  it('ends with the server', async () => {
    const a = await blank('a')
    a.store.hang()
    const ended = rejection(a.raft.bootstrapCluster(of('a')))
    await cluster.clock.settle()
    const down = a.raft.shutdown()
    expect((await ended).code).toBe('RAFT_SHUTDOWN')
    a.store.release()
    await cluster.clock.wait(down)
  })
})
