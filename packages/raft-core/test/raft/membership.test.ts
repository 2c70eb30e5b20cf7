// Membership calls of a running server (§6), as their callers see them.
import { afterEach, describe, expect, it } from 'vitest'
import type { RaftEvents } from '@raftkit/raft-core'
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

const members = (member: Member): string[] =>
  member.raft
    .configuration()
    .configuration.servers.map(({ id, suffrage }) => `${id} ${suffrage}`)
    .toSorted()

describe('addVoter', () => {
  it('gives a new server the log first, then its vote', async () => {
    await start()
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    const added = await cluster.add('d', false)
    const seen: string[] = []
    leader.raft.on('configuration-changed', ({ latest }) => {
      seen.push(latest.configuration.servers.find(({ id }) => id === 'd')!.suffrage)
    })
    const { index } = await cluster.clock.wait(leader.raft.addVoter('d', 'd'))
    expect([...new Set(seen)]).toEqual(['staging', 'voter'])
    expect(leader.raft.configuration()).toMatchObject({ index, committedIndex: index })
    expect(added.machine.texts).toEqual(['x'])
  })

  it('does not wait for a server that is away: commands go on, and the call can be given up', async () => {
    await start({ ids: ['a'] })
    const adding = rejection(leader.raft.addVoter('b', 'b', { timeoutMs: 500 }))
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.advance(500)
    expect(await adding).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    await cluster.clock.until(() => members(leader).includes('b nonvoter'))
    // Should b appear now, it gets no vote behind its caller's back.
    await cluster.add('b', false)
    await cluster.clock.advance(1000)
    expect(members(leader)).toEqual(['a voter', 'b nonvoter'])
  })

  it('gives the vote at once with stage false, as hashicorp/raft does', async () => {
    await start()
    await cluster.add('d', false)
    const suffrages: string[] = []
    leader.raft.on('configuration-changed', ({ latest }) => {
      suffrages.push(latest.configuration.servers.at(-1)!.suffrage)
    })
    await cluster.clock.wait(leader.raft.addVoter('d', 'd', { stage: false }))
    expect(new Set(suffrages)).toEqual(new Set(['voter']))
  })

  it('makes a voter of a nonvoter', async () => {
    await start({ ids: ['a', 'b', 'n'], suffrage: { n: 'nonvoter' } })
    await cluster.clock.wait(leader.raft.addVoter('n', 'n'))
    expect(members(leader)).toEqual(['a voter', 'b voter', 'n voter'])
  })

  it('moves a server to a new address', async () => {
    await start()
    const [moved] = cluster.others(leader)
    await cluster.clock.wait(leader.raft.addVoter(moved!.id, 'elsewhere'))
    const { servers } = leader.raft.configuration().configuration
    expect(servers.find(({ id }) => id === moved!.id)).toEqual({
      suffrage: 'voter',
      id: moved!.id,
      address: 'elsewhere',
    })
  })

  it('is finished by the next leader when this one is lost meanwhile', async () => {
    await start({ absent: ['d'] })
    const adding = rejection(leader.raft.addVoter('d', 'd'))
    await cluster.clock.until(() =>
      cluster.members.every((member) => members(member).includes('d staging')),
    )
    await cluster.kill(leader)
    expect((await adding).code).toBe('RAFT_SHUTDOWN')
    await cluster.add('d', false)
    const next = await cluster.leader(cluster.others(leader, cluster.member('d')))
    await cluster.clock.until(() => members(next).includes('d voter'))
  })
})

describe('a call that is given up at once', () => {
  it('changes nothing: its caller was told so', async () => {
    await start()
    const [other] = cluster.others(leader)
    const controller = new AbortController()
    const removing = rejection(leader.raft.removeServer(other!.id, { signal: controller.signal }))
    controller.abort()
    expect(await removing).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'not-committed' })
    await cluster.clock.advance(1000)
    expect(members(leader)).toEqual(['a voter', 'b voter', 'c voter'])
  })
})

describe('addNonvoter', () => {
  it('adds a server that follows and never counts', async () => {
    await start()
    const added = await cluster.add('n', false)
    await cluster.clock.wait(leader.raft.addNonvoter('n', 'n'))
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.until(() => added.machine.texts.includes('x'))
    expect(members(leader)).toContain('n nonvoter')
  })

  it('leaves a voter its vote', async () => {
    await start()
    const [other] = cluster.others(leader)
    await cluster.clock.wait(leader.raft.addNonvoter(other!.id, other!.id))
    expect(members(leader)).toContain(`${other!.id} voter`)
  })
})

describe('demoteVoter', () => {
  it('takes the vote away and goes on replicating', async () => {
    await start()
    const [other] = cluster.others(leader)
    await cluster.clock.wait(leader.raft.demoteVoter(other!.id))
    expect(members(leader)).toContain(`${other!.id} nonvoter`)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.converged('x')
  })

  it('of the leader itself hands over, and the server runs on', async () => {
    await start()
    await cluster.clock.wait(leader.raft.demoteVoter(leader.id))
    const next = await cluster.leader(cluster.others(leader))
    await cluster.clock.wait(next.raft.apply(bytesOf('x')))
    await cluster.converged('x')
    expect(leader.raft.state).toBe('follower')
  })
})

describe('removeServer', () => {
  it('tells the removed server, which never campaigns again', async () => {
    await start()
    const [other] = cluster.others(leader)
    const told: RaftEvents['removed'][] = []
    other!.raft.on('removed', (event) => told.push(event))
    await cluster.clock.wait(leader.raft.removeServer(other!.id))
    await cluster.clock.until(() => told.length > 0)
    const { currentTerm } = leader.raft
    await cluster.clock.advance(3000)
    expect(other!.raft.state).toBe('follower')
    expect(leader.raft.state).toBe('leader')
    expect(leader.raft.currentTerm).toBe(currentTerm)
    expect(told).toHaveLength(1)
  })

  it('cannot be disturbed by a removed server that was never told', async () => {
    await start()
    const [other] = cluster.others(leader)
    cluster.network.isolate(other!.id)
    await cluster.clock.wait(leader.raft.removeServer(other!.id))
    await cluster.clock.advance(2000)
    const { currentTerm } = leader.raft
    cluster.network.heal()
    await cluster.clock.advance(3000)
    expect(leader.raft.state).toBe('leader')
    expect(leader.raft.currentTerm).toBe(currentTerm)
  })

  it('of the leader itself hands over within an election timeout and shuts it down', async () => {
    await start()
    const applied = leader.raft.apply(bytesOf('x'))
    const from = cluster.clock.now()
    await cluster.clock.wait(leader.raft.removeServer(leader.id))
    await cluster.clock.wait(applied)
    const next = await cluster.leader(cluster.others(leader))
    expect(cluster.clock.now() - from).toBeLessThan(100)
    await cluster.clock.until(() => leader.raft.state === 'stopped')
    expect((await rejection(leader.raft.apply(bytesOf('y')))).code).toBe('RAFT_SHUTDOWN')
    expect(members(next)).toHaveLength(2)
  })

  it('of the leader itself leaves it running when shutdownOnRemove is off', async () => {
    await start({ config: { shutdownOnRemove: false } })
    const told: unknown[] = []
    leader.raft.on('removed', (event) => told.push(event))
    await cluster.clock.wait(leader.raft.removeServer(leader.id))
    await cluster.leader(cluster.others(leader))
    await cluster.clock.until(() => told.length > 0)
    expect(leader.raft.state).toBe('follower')
  })

  it('removes a server that is down, and its id may be used again by a new one', async () => {
    await start()
    const [other] = cluster.others(leader)
    await cluster.kill(other!)
    await cluster.clock.wait(leader.raft.removeServer(other!.id))
    cluster.members.splice(cluster.members.indexOf(other!), 1)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    const back = await cluster.add(other!.id, false)
    await cluster.clock.wait(leader.raft.addVoter(back.id, back.id))
    expect(back.machine.texts).toEqual(['x'])
  })
})

describe('a membership call is refused', () => {
  it.each([
    ['RAFT_UNKNOWN_SERVER', (member: Member) => member.raft.removeServer('nobody')],
    ['RAFT_UNKNOWN_SERVER', (member: Member) => member.raft.demoteVoter('nobody')],
    ['RAFT_DUPLICATE_ADDRESS', (member: Member) => member.raft.addVoter('d', member.id)],
    [
      'RAFT_CONFIGURATION_CHANGED',
      (member: Member) => member.raft.addNonvoter('d', 'd', { prevIndex: 99 }),
    ],
    ['RAFT_INVALID_ARGUMENT', (member: Member) => member.raft.addVoter('', 'd')],
    ['RAFT_INVALID_ARGUMENT', (member: Member) => member.raft.addVoter('d', '')],
    [
      'RAFT_INVALID_ARGUMENT',
      (member: Member) => member.raft.addVoter('d', 'd', { prevIndex: -1 }),
    ],
  ])('with %s', async (code, call) => {
    await start()
    const before = leader.raft.configuration()
    const refused = rejection(call(leader))
    await cluster.clock.settle()
    expect(await refused).toMatchObject({ code, outcome: 'not-committed' })
    expect(leader.raft.configuration()).toEqual(before)
  })

  it('with RAFT_NO_VOTER_LEFT', async () => {
    await start({ ids: ['a'] })
    const refused = rejection(leader.raft.removeServer('a'))
    await cluster.clock.settle()
    expect((await refused).code).toBe('RAFT_NO_VOTER_LEFT')
  })

  it('by a server that does not lead, which names the one that does', async () => {
    await start()
    const [other] = cluster.others(leader)
    expect(await rejection(other!.raft.removeServer('a'))).toMatchObject({
      code: 'RAFT_NOT_LEADER',
      details: { leader: { id: leader.id } },
    })
  })

  it('when it is given up before it was begun, and is never made then', async () => {
    await start()
    for (const other of cluster.others(leader)) cluster.network.isolate(other.id)
    const first = leader.raft.addNonvoter('d', 'd')
    const second = rejection(leader.raft.addNonvoter('e', 'e', { timeoutMs: 20 }))
    await cluster.clock.advance(30)
    expect(await second).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'not-committed' })
    cluster.network.heal()
    await cluster.clock.wait(first)
    await cluster.clock.advance(1000)
    for (const member of cluster.members) expect(members(member)).not.toContain('e nonvoter')
  })

  it('when too many wait', async () => {
    await start()
    for (const other of cluster.others(leader)) cluster.network.isolate(other.id)
    const calls = Promise.allSettled(
      Array.from({ length: 64 }, (_, at) => leader.raft.addNonvoter(`d${at}`, `d${at}`)),
    )
    const oneMore = await rejection(leader.raft.addNonvoter('e', 'e'))
    expect(oneMore).toMatchObject({ code: 'RAFT_OVERLOADED', retryable: true })
    await cluster.kill(leader)
    await calls
  })
})

it('has an open outcome when leadership is lost after it was appended', async () => {
  await start()
  for (const other of cluster.others(leader)) cluster.network.isolate(other.id)
  const lost = rejection(leader.raft.removeServer(cluster.others(leader)[0]!.id))
  await cluster.clock.advance(500)
  expect(await lost).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'unknown' })
})
