// recoverCluster: a new membership by force, for a cluster that lost its quorum for good.
import type { Configuration, StateMachine } from '@raftkit/interface'
import { getConfiguration, recoverCluster, type RecoverOptions } from '@raftkit/raft-core'
import { DiscardSnapshotStore, InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { afterEach, describe, expect, it } from 'vitest'
import { ControlledStore } from '../support/controlled-store.ts'
import { MemoryLogger } from '../support/memory-logger.ts'
import { rejection } from '../support/rejection.ts'
import { type ClusterOptions, type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf, TextMachine } from '../support/text-machine.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

let cluster: TestCluster
let leader: Member
async function start(options: ClusterOptions = {}): Promise<void> {
  cluster = await TestCluster.start(options)
  leader = await cluster.leader()
}
afterEach(() => cluster.stop())

function of(...ids: readonly string[]): Configuration {
  return { servers: ids.map((id) => ({ suffrage: 'voter', id, address: id })) }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `c${at}`)

async function apply(...texts: string[]): Promise<void> {
  await cluster.clock.wait(Promise.all(texts.map((text) => leader.raft.apply(bytesOf(text)))))
}

function optionsOf(
  { data, snapshots }: Pick<Member, 'data' | 'snapshots'>,
  configuration: Configuration,
): RecoverOptions<string> {
  const stores = { logStore: data, stableStore: data, snapshotStore: snapshots }
  return { ...stores, stateMachine: new TextMachine(), configuration }
}

/** Ends the server for good, and opens its stores again. */
async function crashed(member: Member): Promise<void> {
  await cluster.kill(member)
  member.data = member.data.reopen()
  member.snapshots = member.snapshots.reopen()
}

describe('recoverCluster', () => {
  it.each([
    ['nothing but the first entry', 0, false],
    ['a log', 30, false],
    ['a log and a snapshot', 30, true],
  ])('brings two servers of three back that have %s', async (_, count, withSnapshot) => {
    await start({ config: { trailingLogs: 5 } })
    await apply(...numbered(count))
    await cluster.clock.until(() => {
      const { lastIndex } = leader.raft
      return cluster.members.every(({ raft }) => raft.appliedIndex === lastIndex)
    })
    if (withSnapshot) {
      for (const { raft } of cluster.members) await cluster.clock.wait(raft.snapshot())
      await apply('after')
    }
    const expected = withSnapshot ? [...numbered(count), 'after'] : numbered(count)
    await cluster.clock.advance(50)
    for (const member of cluster.members) await crashed(member)
    const survivors = cluster.others(leader)
    const configuration = of(...survivors.map(({ id }) => id))
    for (const member of survivors) {
      const before = await member.data.loadHardState()
      const meta = await recoverCluster(optionsOf(member, configuration))
      expect(meta).toMatchObject({ configuration, configurationIndex: meta.index })
      expect(await member.data.bounds()).toEqual({ firstIndex: 0, lastIndex: 0 })
      expect(await member.data.loadHardState()).toEqual(before)
    }
    for (const member of survivors) await cluster.restart(member)
    leader = await cluster.leader(survivors)
    expect(leader.raft.configuration().configuration).toEqual(configuration)
    expect(leader.machine.texts).toEqual(expected)
    await apply('more')
    await cluster.converged('more', survivors)
  })

  it('takes every entry of the log for committed', async () => {
    await start()
    await apply('committed')
    cluster.network.isolate(leader.id)
    const lost = rejection(leader.raft.apply(bytesOf('never acknowledged')))
    await cluster.clock.settle()
    await crashed(leader)
    await lost
    await recoverCluster(optionsOf(leader, of(leader.id)))
    await cluster.restart(leader)
    await cluster.leader([leader])
    expect(leader.machine.texts).toEqual(['committed', 'never acknowledged'])
  })

  it('lets the leader of the recovered cluster take in new servers', async () => {
    await start()
    await apply(...numbered(20))
    for (const member of cluster.members) await crashed(member)
    await recoverCluster(optionsOf(leader, of(leader.id)))
    await cluster.restart(leader)
    await cluster.leader([leader])
    const fresh = await cluster.add('d', false)
    await cluster.clock.wait(leader.raft.addVoter('d', 'd'))
    await apply('more')
    await cluster.converged('more', [leader, fresh])
    expect(fresh.machine.texts).toEqual([...numbered(20), 'more'])
  })

  it('brings back a cluster that lost one half of its members in the joint state', async () => {
    const suffrage = { d: 'nonvoter', e: 'nonvoter' } as const
    await start({ ids: ['a', 'b', 'c', 'd', 'e'], suffrage })
    await apply('before')
    leader.raft.on('configuration-changed', () => {
      if (leader.raft.configuration().isJoint)
        cluster.network.partition(['a', 'b', 'c'], ['d', 'e'])
    })
    const remove = ['a', 'b', 'c'].filter((id) => id !== leader.id)
    const asked = rejection(leader.raft.changeMembership({ promote: ['d', 'e'], remove }))
    const old = cluster.members.filter(({ id }) => id !== 'd' && id !== 'e')
    await cluster.clock.until(() => old.every(({ raft }) => raft.configuration().isJoint))
    for (const member of cluster.members) await crashed(member)
    await asked
    const stores = { logStore: leader.data, snapshotStore: leader.snapshots }
    expect((await getConfiguration(stores)).configuration.next).toBeDefined()
    const configuration = of('a', 'b', 'c')
    for (const member of old) await recoverCluster(optionsOf(member, configuration))
    expect(await getConfiguration(stores)).toMatchObject({ configuration })
    for (const member of old) await cluster.restart(member)
    leader = await cluster.leader(old)
    expect(leader.raft.configuration()).toMatchObject({ configuration, isJoint: false })
    await apply('after')
    await cluster.converged('after', old)
  })

  it('restores the newest snapshot that is usable', async () => {
    await start({ ids: ['a'], config: { trailingLogs: 10_000 } })
    await apply('1')
    await cluster.clock.wait(leader.raft.snapshot())
    await apply('2')
    const { id } = await cluster.clock.wait(leader.raft.snapshot())
    await apply('3')
    await crashed(leader)
    const { snapshots } = leader
    const open = snapshots.open.bind(snapshots)
    snapshots.open = (wanted) =>
      wanted === id ? Promise.reject(new Error('it is damaged')) : open(wanted)
    const options = optionsOf(leader, of('a'))
    await recoverCluster(options)
    expect((options.stateMachine as TextMachine).texts).toEqual(['1', '2', '3'])
  })

  it('tells the state machine of the configuration, and waits for one that takes its time', async () => {
    await start({ ids: ['a'] })
    await apply('1', '2')
    await crashed(leader)
    const told: string[] = []
    const stateMachine: StateMachine<string> = {
      apply: async ({ index }) => {
        await Promise.resolve()
        told.push(`apply ${index}`)
        return ''
      },
      storeConfiguration: (index, { servers }) => {
        told.push(`configuration ${index}: ${servers.map(({ id }) => id).join(' ')}`)
      },
      snapshot: () => ({ persist: (writer) => writer.write(bytesOf('[]')) }),
      restore: () => Promise.resolve(),
    }
    await recoverCluster({ ...optionsOf(leader, of('a', 'b')), stateMachine })
    expect(told).toEqual(['configuration 1: a', 'apply 3', 'apply 4', 'configuration 4: a b'])
  })

  it('says in the log what it did', async () => {
    await start({ ids: ['a'] })
    await apply('1')
    await crashed(leader)
    const logger = new MemoryLogger()
    await recoverCluster({ ...optionsOf(leader, of('a')), logger })
    expect(logger.at('warn').map(({ message }) => message)).toEqual([
      'the cluster was recovered by force: all entries of the log count as committed',
    ])
  })
})

describe('recoverCluster refuses', () => {
  it('stores without state', async () => {
    cluster = await TestCluster.start({ ids: [] })
    const parts = { data: new InmemStore(), snapshots: new InmemSnapshotStore() }
    const refused = await rejection(recoverCluster(optionsOf(parts, of('a'))))
    expect(refused.code).toBe('RAFT_CANT_RECOVER')
    // A term is state, but nothing that could be recovered.
    await parts.data.saveHardState({ term: 5 })
    expect((await rejection(recoverCluster(optionsOf(parts, of('a'))))).code).toBe(
      'RAFT_CANT_RECOVER',
    )
  })

  it('a configuration that nobody could use', async () => {
    await start({ ids: ['a'] })
    await crashed(leader)
    const refused = await rejection(recoverCluster(optionsOf(leader, { servers: [] })))
    expect(refused.code).toBe('RAFT_INVALID_CONFIGURATION')
  })

  it('a joint configuration, which is the middle of a change', async () => {
    await start({ ids: ['a'] })
    await crashed(leader)
    const [server] = leader.raft.configuration().configuration.servers
    const refused = await rejection(
      recoverCluster(optionsOf(leader, { servers: [server!], next: [server!] })),
    )
    expect(refused.code).toBe('RAFT_INVALID_CONFIGURATION')
    expect(refused.message).toContain('give the members before it (servers) or after it (next)')
  })

  it('when the state machine fails, and changes nothing', async () => {
    await start({ ids: ['a'] })
    await apply('1')
    await crashed(leader)
    const before = await leader.data.bounds()
    const options = optionsOf(leader, of('b'))
    ;(options.stateMachine as TextMachine).beforeApply = () => {
      throw new Error('no')
    }
    expect((await rejection(recoverCluster(options))).code).toBe('RAFT_STATE_MACHINE_FAILED')
    expect(await leader.data.bounds()).toEqual(before)
    expect(await leader.snapshots.list()).toEqual([])
  })

  it('a snapshot store that keeps nothing, and leaves the log alone', async () => {
    await start({ ids: ['a'] })
    await crashed(leader)
    const before = await leader.data.bounds()
    const options = { ...optionsOf(leader, of('b')), snapshotStore: new DiscardSnapshotStore() }
    expect((await rejection(recoverCluster(options))).code).toBe('RAFT_SNAPSHOT_FAILED')
    expect(await leader.data.bounds()).toEqual(before)
  })
})

it('recoverCluster takes its time from the clock that it is given, and leaves no timer behind', async () => {
  await start()
  await apply(...numbered(3))
  await cluster.clock.wait(leader.raft.snapshot())
  for (const member of cluster.members) await crashed(member)
  const clock = new VirtualClock()
  const logger = new MemoryLogger()
  const options = { ...optionsOf(leader, of(leader.id)), clock, logger }
  const { stateMachine } = options
  const restore = stateMachine.restore.bind(stateMachine)
  stateMachine.restore = async (state) => {
    await restore(state)
    await new Promise<void>((resolve) => clock.setTimer(15_000, resolve))
  }
  await clock.wait(recoverCluster(options))
  expect(logger.lines.filter(({ message }) => message === 'restoring a snapshot')).toHaveLength(1)
  expect(clock.timers).toBe(0)
})

it('a state machine that keeps its state by itself is given what was recovered', async () => {
  await start()
  await apply(...numbered(3))
  for (const member of cluster.members) await crashed(member)
  await recoverCluster(optionsOf(leader, of(leader.id)))
  // It applied less of the log than counts as committed now.
  await cluster.restart(leader, { restoreSnapshotOnStart: false })
  expect([leader.machine.restores, leader.machine.texts]).toEqual([1, numbered(3)])
  await cluster.restart(leader, { restoreSnapshotOnStart: false })
  expect(leader.machine.restores).toBe(0)
})

describe('recoverCluster that is cut short', () => {
  /** What a crash at the step leaves, and whether the new configuration is in force then. */
  it.each<[string, (disk: ControlledStore, snapshots: InmemSnapshotStore) => void, boolean]>([
    [
      'before the snapshot is written',
      (_, snapshots) => {
        snapshots.create = () => Promise.reject(new Error('killed'))
      },
      false,
    ],
    ['before anything is saved', (disk) => disk.fail('set', new Error('killed')), false],
    [
      'before the floor is saved',
      (disk) => {
        const set = disk.set.bind(disk)
        disk.set = (key, value) =>
          key === 'snapshot-floor' ? Promise.reject(new Error('killed')) : set(key, value)
      },
      true,
    ],
    ['before the log goes', (disk) => disk.fail('truncatePrefix', new Error('killed')), true],
  ])('%s may be done again, or not', async (_, cut, isRecovered) => {
    await start({ config: { trailingLogs: 10_000 } })
    await apply(...numbered(10))
    // A configuration in the log that is newer than the first: it must not win over the one that is forced.
    await cluster.clock.wait(leader.raft.addNonvoter('x', 'x'))
    for (const member of cluster.members) await crashed(member)
    const forced = of(leader.id)
    const disk = new ControlledStore(leader.data)
    cut(disk, leader.snapshots)
    const options = optionsOf(leader, forced)
    const torn = { ...options, logStore: disk, stableStore: disk }
    await expect(recoverCluster(torn)).rejects.toThrow('killed')

    leader.data = leader.data.reopen()
    leader.snapshots = leader.snapshots.reopen()
    await cluster.restart(leader)
    const { configuration } = leader.raft.configuration()
    expect(configuration.servers.map(({ id }) => id)).toEqual(
      isRecovered ? [leader.id] : ['a', 'b', 'c', 'x'],
    )
    await crashed(leader)
    await recoverCluster(optionsOf(leader, forced))
    await cluster.restart(leader)
    await cluster.leader([leader])
    expect(leader.machine.texts).toEqual(numbered(10))
    expect(leader.raft.configuration().configuration).toEqual(forced)
  })
})
