// A server that comes back under its id without its memory counts for nothing (KIP-853 names disks for the same reason).
import { afterEach, describe, expect, it } from 'vitest'
import type { RaftEvents } from '@raftkit/raft-core'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
afterEach(() => cluster.stop())

/** A cluster whose leader knows, and has told everyone, which disk each server has. */
async function start(): Promise<void> {
  cluster = await TestCluster.start({ config: { verifyDisks: true } })
  leader = await cluster.leader()
  await cluster.clock.until(() => cluster.members.every((member) => knowsDisks(member)))
}

function knowsDisks(member: Member): boolean {
  const { configuration, index, committedIndex } = member.raft.configuration()
  return index === committedIndex && configuration.servers.every(({ diskId }) => diskId! > 0)
}

const disks = (member: Member): (number | undefined)[] =>
  member.raft.configuration().configuration.servers.map(({ diskId }) => diskId)

describe('the disks of a cluster', () => {
  it('are noted in one configuration, and not again', async () => {
    await start()
    expect(new Set(disks(leader)).size).toBe(3)
    const { index } = leader.raft.configuration()
    await cluster.clock.wait(leader.raft.transferLeadership())
    const next = await cluster.leader(cluster.others(leader))
    await cluster.clock.advance(1000)
    expect(next.raft.configuration().index).toBe(index)
  })

  it('are kept by a restart', async () => {
    await start()
    const [other] = cluster.others(leader)
    const lost: unknown[] = []
    leader.raft.on('disk-lost', (event) => lost.push(event))
    await cluster.restart(other!)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.converged('x')
    expect(lost).toEqual([])
  })

  it('are kept in snapshots', async () => {
    await start()
    const { configuration } = await cluster.clock.wait(leader.raft.snapshot())
    expect(configuration).toEqual(leader.raft.configuration().configuration)
  })

  it('come with the address of a server that moves', async () => {
    await start()
    const before = disks(leader)
    const [moved] = cluster.others(leader)
    await cluster.clock.wait(leader.raft.addVoter(moved!.id, 'elsewhere'))
    expect(disks(leader)).toEqual(before)
  })
})

describe.each([
  ['empty', false],
  ['bootstrapped again', true],
])('a server that comes back %s', (_, bootstrap) => {
  it('is noticed by the leader, once', async () => {
    await start()
    const [wiped] = cluster.others(leader)
    const seen: RaftEvents['disk-lost'][] = []
    leader.raft.on('disk-lost', (event) => seen.push(event))
    await cluster.wipe(wiped!, bootstrap)
    await cluster.clock.until(() => seen.length > 0)
    await cluster.clock.advance(3000)
    expect(seen).toEqual([{ server: wiped!.id }])
  })

  it('acknowledges nothing', async () => {
    await start()
    const [wiped, other] = cluster.others(leader)
    await cluster.wipe(wiped!, bootstrap)
    cluster.network.isolate(other!.id)
    const lost = rejection(leader.raft.apply(bytesOf('x')))
    await cluster.clock.advance(1000)
    expect(await lost).toMatchObject({ outcome: 'unknown' })
    expect(leader.raft.state).not.toBe('leader')
  })

  it('elects nobody: what it had acknowledged is never lost', async () => {
    await start()
    const [wiped, behind] = cluster.others(leader)
    cluster.network.isolate(behind!.id)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.kill(leader)
    await cluster.wipe(wiped!, bootstrap)
    cluster.network.heal()
    await cluster.clock.advance(5000)
    expect([wiped!.raft.state, behind!.raft.state]).not.toContain('leader')
    // The server that has it returns: it leads.
    await cluster.restart(leader)
    const next = await cluster.leader()
    expect(next.id).toBe(leader.id)
    await cluster.clock.until(() => behind!.machine.texts.includes('x'))
  })

  it('belongs to the cluster again when it was removed and added', async () => {
    await start()
    const [wiped, other] = cluster.others(leader)
    await cluster.wipe(wiped!, bootstrap)
    await cluster.clock.wait(leader.raft.removeServer(wiped!.id))
    await cluster.clock.wait(leader.raft.addVoter(wiped!.id, wiped!.id))
    await cluster.clock.until(() => cluster.members.every((member) => knowsDisks(member)))
    cluster.network.isolate(other!.id)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.until(() => wiped!.machine.texts.includes('x'))
    expect(leader.raft.state).toBe('leader')
  })
})

it('nobody looks at disks when verifyDisks is off', async () => {
  cluster = await TestCluster.start({ config: { verifyDisks: false } })
  leader = await cluster.leader()
  await cluster.clock.advance(1000)
  expect(disks(leader)).toEqual([undefined, undefined, undefined])
})

it('disks are noted only when every member has answered: what is added goes to raftkit only', async () => {
  cluster = await TestCluster.start({ config: { verifyDisks: true }, absent: ['c'] })
  leader = await cluster.leader()
  await cluster.clock.advance(1000)
  expect(disks(leader)).toEqual([undefined, undefined, undefined])
})
