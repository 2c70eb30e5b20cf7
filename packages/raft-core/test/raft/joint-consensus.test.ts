// Several members at once (§6), as callers see it: servers that come, go, and are replaced in one change.
import { afterEach, describe, expect, it } from 'vitest'
import type { Configuration, RpcHeader, Transport } from '@raftkit/interface'
import type { AddedServer, MembershipChange } from '@raftkit/raft-core'
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

const told = (configuration: Configuration): string =>
  [configuration.servers, ...(configuration.next === undefined ? [] : [configuration.next])]
    .map((half) =>
      half
        .map(({ id, suffrage }) => (suffrage === 'voter' ? id : `(${id})`))
        .toSorted()
        .join(' '),
    )
    .join(' and ')

const members = (member: Member): string => told(member.raft.configuration().configuration)

const voters = (...ids: readonly string[]): readonly AddedServer[] =>
  ids.map((id) => ({ id, address: id }))

/** The configurations that a server uses from now on, each once. */
function seenBy(member: Member): string[] {
  const seen: string[] = []
  member.raft.on('configuration-changed', ({ latest }) => {
    const now = told(latest.configuration)
    if (seen.at(-1) !== now) seen.push(now)
  })
  return seen
}

describe('changeMembership', () => {
  it('takes two servers in and lets two go in one change', async () => {
    await start({ ids: ['a', 'b', 'c'] })
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    const added = [await cluster.add('d', false), await cluster.add('e', false)]
    const [one, two] = cluster.others(leader, ...added)
    const seen = seenBy(leader)
    const { index } = await cluster.clock.wait(
      leader.raft.changeMembership({ add: voters('d', 'e'), remove: [one!.id, two!.id] }),
    )
    expect(seen).toEqual([
      '(d) (e) a b c',
      `(d) (e) a b c and ${leader.id} d e`,
      `${leader.id} d e`,
    ])
    expect(leader.raft.configuration()).toMatchObject({
      index,
      committedIndex: index,
      isJoint: false,
    })
    expect(added.map(({ machine }) => machine.texts)).toEqual([['x'], ['x']])
    await cluster.clock.until(
      () => one!.raft.state === 'follower' && two!.raft.state === 'follower',
    )
    await cluster.clock.wait(leader.raft.apply(bytesOf('y')))
    await cluster.converged('y', [leader, ...added])
  })

  it('promotes, demotes and adds nonvoters too', async () => {
    await start({ ids: ['a', 'b', 'c', 'n'], suffrage: { n: 'nonvoter' } })
    await cluster.add('m', false)
    const demote = cluster.others(leader).find(({ id }) => id !== 'n' && id !== 'm')!.id
    await cluster.clock.wait(
      leader.raft.changeMembership({
        add: [{ id: 'm', address: 'm', suffrage: 'nonvoter' }],
        promote: ['n'],
        demote: [demote],
      }),
    )
    const ids = ['a', 'b', 'c', 'n'].filter((id) => id !== demote)
    expect(members(leader)).toBe([...ids, `(${demote})`, '(m)'].toSorted().join(' '))
  })

  it('makes a change of one vote in one step', async () => {
    await start()
    await cluster.add('d', false)
    const seen = seenBy(leader)
    await cluster.clock.wait(leader.raft.changeMembership({ add: voters('d') }))
    expect(seen).toEqual(['(d) a b c', 'a b c d'])
  })

  it('compares with prevIndex', async () => {
    await start()
    const change = { remove: [cluster.others(leader)[0]!.id] }
    const { index } = leader.raft.configuration()
    expect(
      await rejection(
        cluster.clock.wait(leader.raft.changeMembership(change, { prevIndex: index + 1 })),
      ),
    ).toMatchObject({ code: 'RAFT_CONFIGURATION_CHANGED', outcome: 'not-committed' })
    await cluster.clock.wait(leader.raft.changeMembership(change, { prevIndex: index }))
  })

  it('carries out several calls one after the other (faults D12)', async () => {
    await start()
    await cluster.add('d', false)
    await cluster.add('e', false)
    const [one, two] = cluster.others(leader, cluster.member('d'), cluster.member('e'))
    const results = Promise.allSettled([
      leader.raft.changeMembership({ add: voters('d'), remove: [one!.id] }),
      leader.raft.changeMembership({ add: voters('e'), remove: [two!.id] }),
      leader.raft.replaceServer(one!.id, { id: 'e', address: 'e' }),
    ])
    const settled = await cluster.clock.wait(results)
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(settled[2]).toMatchObject({ reason: { outcome: 'not-committed' } })
    expect(leader.raft.configuration().isJoint).toBe(false)
    expect(members(leader)).toBe([leader.id, 'd', 'e'].toSorted().join(' '))
  })
})

describe('while servers catch up', () => {
  it('shows them, and the caller may give up and ask again', async () => {
    await start({ ids: ['a', 'b', 'c'] })
    const [one] = cluster.others(leader)
    const change = { add: voters('d', 'e'), remove: [one!.id] }
    const giving = rejection(leader.raft.changeMembership(change, { timeoutMs: 500 }))
    await cluster.clock.until(() => leader.raft.stats().peers.some(({ id }) => id === 'd'))
    expect(leader.raft.stats().peers.find(({ id }) => id === 'd')).toMatchObject({
      suffrage: 'nonvoter',
      matchIndex: 0,
    })
    await cluster.clock.advance(500)
    expect(await giving).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'not-committed' })
    expect(members(leader)).toBe('(d) (e) a b c')
    // Should they appear now, nothing happens behind the caller's back.
    await cluster.add('d', false)
    await cluster.add('e', false)
    await cluster.clock.advance(1000)
    expect(members(leader)).toBe('(d) (e) a b c')
    await cluster.clock.wait(leader.raft.changeMembership(change))
    expect(members(leader)).toBe(['a', 'b', 'c', 'd', 'e'].filter((id) => id !== one!.id).join(' '))
  })

  it('can be ended by a signal', async () => {
    await start()
    const controller = new AbortController()
    const change = leader.raft.changeMembership(
      { add: voters('d', 'e') },
      { signal: controller.signal },
    )
    const refused = rejection(change)
    await cluster.clock.until(() => members(leader) === '(d) (e) a b c')
    controller.abort()
    expect(await refused).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'not-committed' })
  })

  it('loses the change with its leader, and nobody makes it', async () => {
    await start()
    const asking = rejection(leader.raft.changeMembership({ add: voters('d', 'e') }))
    await cluster.clock.until(() =>
      cluster.members.every((member) => members(member) === '(d) (e) a b c'),
    )
    await cluster.kill(leader)
    expect(await asking).toMatchObject({ code: 'RAFT_SHUTDOWN', outcome: 'not-committed' })
    const others = cluster.others(leader)
    await cluster.add('d', false)
    await cluster.add('e', false)
    const next = await cluster.leader(others)
    await cluster.clock.advance(1000)
    expect(members(next)).toBe('(d) (e) a b c')
  })
})

describe('replaceServer', () => {
  it('puts a new server in the place of a dead one', async () => {
    await start()
    const [dead] = cluster.others(leader)
    await cluster.kill(dead!)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    const added = await cluster.add('d', false)
    const seen = seenBy(leader)
    await cluster.clock.wait(leader.raft.replaceServer(dead!.id, { id: 'd', address: 'd' }))
    const after = ['a', 'b', 'c', 'd'].filter((id) => id !== dead!.id).join(' ')
    expect(seen).toEqual(['(d) a b c', `(d) a b c and ${after}`, after])
    expect(added.machine.texts).toEqual(['x'])
  })

  it('gives no vote to the one that takes the place of a nonvoter', async () => {
    await start({ ids: ['a', 'b', 'n'], suffrage: { n: 'nonvoter' } })
    await cluster.add('d', false)
    await cluster.clock.wait(leader.raft.replaceServer('n', { id: 'd', address: 'd' }))
    expect(members(leader)).toBe('(d) a b')
  })

  it('replaces the leader itself, which hands over', async () => {
    await start()
    const added = await cluster.add('d', false)
    let isRemoved = false
    leader.raft.on('removed', () => (isRemoved = true))
    const replaced = leader.raft.replaceServer(leader.id, { id: 'd', address: 'd' })
    await cluster.clock.wait(replaced)
    await cluster.clock.until(() => isRemoved)
    const next = await cluster.leader(cluster.others(leader))
    expect(members(next)).toBe(['a', 'b', 'c', 'd'].filter((id) => id !== leader.id).join(' '))
    await cluster.clock.wait(next.raft.apply(bytesOf('x')))
    await cluster.converged('x', [added, next])
  })

  it('is refused for the address of another member, which the old one still is', async () => {
    await start()
    const [old] = cluster.others(leader)
    const refused = leader.raft.replaceServer(old!.id, { id: 'd', address: old!.id })
    expect(await rejection(cluster.clock.wait(refused))).toMatchObject({
      code: 'RAFT_DUPLICATE_ADDRESS',
      outcome: 'not-committed',
    })
    expect(members(leader)).toBe('a b c')
  })
})

describe('in the joint state', () => {
  it('a caller cannot take the change back: its outcome is unknown', async () => {
    await start({ ids: ['a', 'b', 'c', 'd', 'e'], suffrage: { d: 'nonvoter', e: 'nonvoter' } })
    const asked = rejection(beginJoint(60))
    await cutNewMembers()
    await cluster.clock.advance(60)
    expect(await asked).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    cluster.network.heal()
    const next = await cluster.leader()
    await cluster.clock.until(() => !next.raft.configuration().isJoint)
    expect(members(next)).toBe([leader.id, 'd', 'e'].toSorted().join(' '))
  })

  it('says so, in configuration() and stats()', async () => {
    await start({ ids: ['a', 'b', 'c', 'd', 'e'], suffrage: { d: 'nonvoter', e: 'nonvoter' } })
    void rejection(beginJoint(300))
    await cutNewMembers()
    expect(leader.raft.configuration()).toMatchObject({ isJoint: true })
    expect(leader.raft.stats()).toMatchObject({ isJoint: true, numPeers: 4 })
  })

  it('commands need a majority of the new members too', async () => {
    await start({ ids: ['a', 'b', 'c', 'd', 'e'], suffrage: { d: 'nonvoter', e: 'nonvoter' } })
    void rejection(beginJoint(300))
    await cutNewMembers()
    const applied = rejection(leader.raft.apply(bytesOf('x'), { timeoutMs: 2000 }))
    await cluster.clock.advance(1000)
    expect(await applied).toMatchObject({ outcome: 'unknown' })
  })

  it('the next leader ends it, after all servers were killed', async () => {
    await start({ ids: ['a', 'b', 'c', 'd', 'e'], suffrage: { d: 'nonvoter', e: 'nonvoter' } })
    const asked = rejection(beginJoint(5000))
    await cutNewMembers()
    await cluster.clock.until(() =>
      cluster.others(cluster.member('d'), cluster.member('e')).every((member) => isJoint(member)),
    )
    for (const member of cluster.members) await cluster.kill(member)
    expect(await asked).toMatchObject({ outcome: 'unknown' })
    cluster.network.heal()
    for (const member of cluster.members) await cluster.restart(member)
    expect(isJoint(leader)).toBe(true)
    const next = await cluster.leader()
    await cluster.clock.until(() => !isJoint(next))
    expect(members(next)).toBe([leader.id, 'd', 'e'].toSorted().join(' '))
  })

  it('is ended by the next leader when its end is lost with its leader', async () => {
    await start({ ids: ['a', 'b', 'c', 'd', 'e'], suffrage: { d: 'nonvoter', e: 'nonvoter' } })
    const end = leader.raft.on('configuration-changed', ({ latest, committed }) => {
      const isOver = latest.configuration.next === undefined
      if (!isOver || committed.configuration.next === undefined) return
      cluster.network.isolate(leader.id)
      end()
    })
    const asked = rejection(beginJoint(5000))
    expect(await cluster.clock.wait(asked)).toMatchObject({
      code: 'RAFT_LEADERSHIP_LOST',
      outcome: 'unknown',
    })
    const others = cluster.others(leader)
    expect(others.map(isJoint)).toEqual([true, true, true, true])
    // Who has a vote in the old half only may win, ends it, and hands over.
    const news = [cluster.member('d'), cluster.member('e')]
    const next = await cluster.leader(news)
    await cluster.clock.until(() => !isJoint(next))
    cluster.network.heal()
    await cluster.clock.until(
      () => leader.raft.configuration().committedIndex === next.raft.configuration().index,
    )
    expect([leader, ...news].map(members)).toEqual(
      Array.from({ length: 3 }, () => [leader.id, 'd', 'e'].toSorted().join(' ')),
    )
  })

  it('is in a snapshot that is taken meanwhile, and in force after a start from it (faults D4)', async () => {
    await start({
      ids: ['a', 'b', 'c', 'd', 'e'],
      suffrage: { d: 'nonvoter', e: 'nonvoter' },
      config: { trailingLogs: 0, leaderLeaseTimeoutMs: 100 },
    })
    const before = leader.raft.lastIndex
    // Committed, and nothing after it gets through: the joint state stays.
    leader.raft.on('configuration-changed', ({ latest, committed }) => {
      if (committed.configuration.next !== undefined && latest.index >= committed.index)
        cluster.network.partition(...cluster.members.map(({ id }) => [id]))
    })
    const asked = rejection(beginJoint(400))
    await cluster.clock.until(() => leader.raft.appliedIndex > before)
    const meta = await cluster.clock.wait(leader.raft.snapshot())
    expect(meta.configuration.next).toBeDefined()
    await cluster.clock.wait(asked)
    await cluster.restart(leader)
    expect(leader.raft.stats().lastSnapshotIndex).toBe(meta.index)
    expect(leader.raft.configuration().committedIndex).toBe(meta.configurationIndex)
    cluster.network.heal()
    const next = await cluster.leader()
    await cluster.clock.until(() => !isJoint(next))
    expect(members(next)).toBe([leader.id, 'd', 'e'].toSorted().join(' '))
  })

  const isJoint = (member: Member): boolean => member.raft.configuration().isJoint

  /** The leader, d and e take the place of a, b and c. */
  function beginJoint(timeoutMs: number): Promise<unknown> {
    const remove = ['a', 'b', 'c'].filter((id) => id !== leader.id)
    return leader.raft.changeMembership({ promote: ['d', 'e'], remove }, { timeoutMs })
  }

  /** As soon as the joint configuration is appended, d and e hear nothing more. */
  async function cutNewMembers(): Promise<void> {
    const end = leader.raft.on('configuration-changed', ({ latest }) => {
      if (latest.configuration.next === undefined) return
      cluster.network.isolate('d')
      cluster.network.isolate('e')
      end()
    })
    await cluster.clock.until(() => isJoint(leader))
  }
})

describe('is refused before anything changes', () => {
  const twice = { add: voters('d'), remove: ['d'] }
  it.each<readonly [string, MembershipChange, string]>([
    ['names nobody', {}, 'RAFT_INVALID_ARGUMENT'],
    ['has empty lists', { add: [], remove: [] }, 'RAFT_INVALID_ARGUMENT'],
    ['names a server in two lists', twice, 'RAFT_INVALID_ARGUMENT'],
    ['names a server twice', { remove: ['a', 'a'] }, 'RAFT_INVALID_ARGUMENT'],
    [
      'gives an address twice',
      { add: [...voters('d'), { id: 'e', address: 'd' }] },
      'RAFT_INVALID_ARGUMENT',
    ],
    ['has an empty id', { add: voters('') }, 'RAFT_INVALID_ARGUMENT'],
    ['has no address', { add: [{ id: 'd', address: '' }] }, 'RAFT_INVALID_ARGUMENT'],
    ['has a list that is none', { remove: 'a' as never }, 'RAFT_INVALID_ARGUMENT'],
    [
      'has another suffrage',
      { add: [{ id: 'd', address: 'd', suffrage: 'staging' as never }] },
      'RAFT_INVALID_ARGUMENT',
    ],
    [
      'names too many',
      { remove: Array.from({ length: 1025 }, (_, place) => `s${place}`) },
      'RAFT_INVALID_ARGUMENT',
    ],
    ['removes a stranger', { add: voters('d', 'e'), remove: ['z'] }, 'RAFT_UNKNOWN_SERVER'],
    ['promotes a stranger', { promote: ['z'] }, 'RAFT_UNKNOWN_SERVER'],
    ['demotes a stranger', { demote: ['z'] }, 'RAFT_UNKNOWN_SERVER'],
    [
      'takes the address of a member',
      { add: [{ id: 'd', address: 'a' }, ...voters('e')] },
      'RAFT_DUPLICATE_ADDRESS',
    ],
    ['leaves no voter', { demote: ['a', 'b'], remove: ['c'] }, 'RAFT_NO_VOTER_LEFT'],
  ])('a change that %s', async (_, change, code) => {
    await start()
    const { index } = leader.raft.configuration()
    const refused = await rejection(cluster.clock.wait(leader.raft.changeMembership(change)))
    expect(refused).toMatchObject({ code, outcome: 'not-committed' })
    expect(leader.raft.configuration().index).toBe(index)
  })

  it('a replacement by itself', async () => {
    await start()
    const refused = leader.raft.replaceServer('a', { id: 'a', address: 'x' })
    expect(await rejection(refused)).toMatchObject({ code: 'RAFT_INVALID_ARGUMENT' })
  })

  it('on a server that does not lead', async () => {
    await start()
    const [follower] = cluster.others(leader)
    await cluster.clock.until(() => follower!.raft.leader !== undefined)
    expect(
      await rejection(follower!.raft.replaceServer('a', { id: 'd', address: 'd' })),
    ).toMatchObject({ code: 'RAFT_NOT_LEADER' })
  })
})

describe('with a member that speaks only hashicorp/raft’s protocol', () => {
  /** As another implementation: it does not say that it is raftkit. */
  function plain(ids: readonly string[]): (transport: Transport) => Transport {
    const bare = (header: RpcHeader): RpcHeader => {
      const { protocolVersion, id, address } = header
      return { protocolVersion, id, address }
    }
    return (transport) => {
      if (!ids.includes(transport.localAddress)) return transport
      return {
        localAddress: transport.localAddress,
        setHandler: (handler) =>
          transport.setHandler(async (request, context) => {
            const response = await handler(request, context)
            return { ...response, header: bare(response.header) }
          }),
        call: (peer, request, options) => transport.call(peer, request, options),
        installSnapshot: (peer, request, state, options) =>
          transport.installSnapshot(peer, request, state, options),
        openPipeline: (peer, options) => transport.openPipeline(peer, options),
        close: () => transport.close(),
      }
    }
  }

  it('several votes at once are refused, one by one is possible', async () => {
    await start({ ids: ['a', 'b', 'c'], transport: plain(['c']) })
    if (leader.id === 'c') {
      await cluster.clock.wait(leader.raft.transferLeadership())
      leader = await cluster.leader()
    }
    await cluster.add('d', false)
    const refused = leader.raft.replaceServer('b', { id: 'd', address: 'd' })
    expect(await rejection(cluster.clock.wait(refused))).toMatchObject({
      code: 'RAFT_JOINT_UNSUPPORTED',
      outcome: 'not-committed',
      message: expect.stringContaining('c has not shown') as string,
    })
    expect(members(leader)).toBe('a b c')
    await cluster.clock.wait(leader.raft.addVoter('d', 'd'))
    expect(members(leader)).toBe('a b c d')
  })

  it('a server to be added ends the change when it shows what it is', async () => {
    await start({ ids: ['a', 'b', 'c'], transport: plain(['d']) })
    await cluster.add('d', false)
    const [old] = cluster.others(leader, cluster.member('d'))
    const refused = leader.raft.replaceServer(old!.id, { id: 'd', address: 'd' })
    expect(await rejection(cluster.clock.wait(refused))).toMatchObject({
      code: 'RAFT_JOINT_UNSUPPORTED',
      outcome: 'not-committed',
    })
    expect(members(leader)).toBe('(d) a b c')
  })
})
