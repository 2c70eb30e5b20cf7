// A restarted server that applies what it knows to be committed, before a leader speaks (hashicorp/raft's RestoreCommittedLogs).
import type { LogStore } from '@raftkit/interface'
import { Raft, type RaftOptions } from '@raftkit/raft-core'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { afterEach, describe, expect, it } from 'vitest'
import { MemoryMetrics } from '../support/memory-metrics.ts'
import { rejection } from '../support/rejection.ts'
import { TestCluster, type ClusterOptions, type Member } from '../support/test-cluster.ts'
import { bytesOf, TextMachine } from '../support/text-machine.ts'

let cluster: TestCluster
async function start(options: ClusterOptions = {}): Promise<TestCluster> {
  const config = { restoreCommittedLogs: true, ...options.config }
  cluster = await TestCluster.start({ ...options, config })
  return cluster
}
afterEach(() => cluster.stop())

async function apply(...texts: string[]): Promise<void> {
  const leader = await cluster.leader()
  for (const text of texts) await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
}

/** Ends every server, and starts one of them again. */
async function startAlone(member: Member): Promise<void> {
  for (const other of cluster.members) await cluster.kill(other)
  await cluster.restart(member)
}

/** Starts a server on what a member left, with other options. */
function startOn(member: Member, options: Partial<RaftOptions<string>>): Promise<Raft<string>> {
  const data = member.data.reopen()
  return Raft.start<string>({
    id: member.id,
    stateMachine: new TextMachine(),
    logStore: data,
    stableStore: data,
    snapshotStore: member.snapshots.reopen(),
    transport: cluster.network.transport(member.id),
    clock: cluster.clock,
    config: { restoreCommittedLogs: true },
    ...options,
  })
}

describe('a server that keeps the commit index', () => {
  it('has applied what it knew to be committed when its start resolves, without a leader', async () => {
    await start()
    await apply('1', '2', '3')
    const [member] = cluster.members
    await cluster.converged('3')
    await startAlone(member!)
    // What was committed last came with no append that followed it.
    expect(member!.machine.texts).toEqual(['1', '2'])
    expect(member!.raft.leader).toBeUndefined()
    expect(member!.raft.appliedIndex).toBe(member!.raft.commitIndex)
    expect(await member!.raft.read(() => member!.machine.texts, { consistency: 'stale' })).toEqual([
      '1',
      '2',
    ])
    const { lastIndex, commitIndex } = member!.raft
    expect(lastIndex).toBe(commitIndex + 1)
  })

  it('goes on from there when there is a leader again, and applies nothing twice', async () => {
    await start()
    await apply('1', '2', '3')
    await cluster.converged('3')
    for (const member of cluster.members) await cluster.kill(member)
    for (const member of cluster.members) await cluster.restart(member)
    await apply('4')
    await cluster.converged('4')
    for (const { machine } of cluster.members) expect(machine.texts).toEqual(['1', '2', '3', '4'])
  })

  it('restores the snapshot, then applies what is known to be committed after it', async () => {
    await start({ config: { trailingLogs: 1 } })
    await apply('1', '2')
    await cluster.converged('2')
    const [member] = cluster.members
    await cluster.clock.wait(member!.raft.snapshot())
    await apply('3', '4', '5')
    await cluster.converged('5')
    await startAlone(member!)
    expect(member!.machine.restores).toBe(1)
    expect(member!.machine.texts).toEqual(['1', '2', '3', '4'])
  })

  it('can save what it has replayed', async () => {
    await start()
    await apply('1', '2')
    const [member] = cluster.members
    await cluster.converged('2')
    await startAlone(member!)
    const { index } = await cluster.clock.wait(member!.raft.snapshot())
    expect(index).toBe(member!.raft.appliedIndex)
    expect(index).toBeGreaterThan(1)
  })

  it('applies nothing of what was appended and not known to be committed', async () => {
    await start()
    await apply('1')
    const leader = await cluster.leader()
    const [other] = cluster.others(leader)
    cluster.network.isolate(leader.id)
    const lost = rejection(leader.raft.apply(bytesOf('lost')))
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    await lost
    await startAlone(leader)
    expect(leader.machine.texts).toEqual(['1'])
    cluster.network.heal()
    await cluster.restart(other!)
  })

  it('keeps it as well when its stores are measured', async () => {
    await start({ ids: ['a'], options: { metrics: new MemoryMetrics() } })
    await apply('1', '2')
    const [member] = cluster.members
    await startAlone(member!)
    expect(member!.machine.texts).toEqual(['1'])
  })

  it('keeps nothing when the option is off', async () => {
    await start({ config: { restoreCommittedLogs: false } })
    await apply('1', '2', '3')
    const [member] = cluster.members
    await cluster.kill(member!)
    expect(await member!.data.reopen().commitIndex()).toBe(0)
  })
})

describe('the defects of the original', () => {
  it('a replay keeps the membership that is in the log: the server elects a leader', async () => {
    await start({ ids: ['a'] })
    await apply('1', '2')
    const [member] = cluster.members
    const { servers } = member!.raft.configuration().configuration
    await startAlone(member!)
    expect(member!.raft.configuration()).toMatchObject({
      configuration: { servers },
      index: 1,
      committedIndex: 1,
    })
    await apply('3')
    expect(member!.machine.texts).toEqual(['1', '2', '3'])
  })

  it('a change of the membership that is known to be committed is so after the start', async () => {
    await start({ ids: ['a', 'b'] })
    const leader = await cluster.leader()
    const { index } = await cluster.clock.wait(leader.raft.addNonvoter('n', 'n'))
    await apply('1', '2')
    await startAlone(leader)
    expect(leader.raft.configuration()).toMatchObject({ index, committedIndex: index })
    expect(leader.raft.configuration().configuration.servers).toHaveLength(3)
  })

  it('more entries than any queue has places are replayed', async () => {
    await start({ ids: ['a'], config: { maxApplyBatch: 64 } })
    const leader = await cluster.leader()
    const count = 9000
    const applied = Array.from({ length: count }, (_, i) => leader.raft.apply(bytesOf(String(i))))
    await cluster.clock.wait(Promise.all(applied))
    await apply('last')
    await startAlone(leader)
    expect(leader.machine.texts).toHaveLength(count)
    expect(leader.machine.texts.at(-1)).toBe(String(count - 1))
  })
})

describe('a start with restoreCommittedLogs', () => {
  it('is refused when the log store does not keep the commit index; nothing is touched', async () => {
    await start({ ids: ['a'] })
    const touched: string[] = []
    const none = new Proxy<object>(
      {},
      {
        get: (_, name) => {
          if (name === 'commitIndex') return undefined
          return () => touched.push(String(name))
        },
      },
    ) as LogStore
    const error = await rejection(
      Raft.start({
        id: 'x',
        stateMachine: new TextMachine(),
        logStore: none,
        stableStore: new InmemStore(),
        snapshotStore: new InmemSnapshotStore(),
        transport: cluster.network.transport('x'),
        config: { restoreCommittedLogs: true },
      }),
    )
    expect(error).toMatchObject({ code: 'RAFT_STORE_INCOMPATIBLE' })
    expect(touched).toEqual([])
  })

  it('rejects with what the state machine throws, and takes no further part', async () => {
    await start({ ids: ['a'] })
    await apply('1', '2')
    const [member] = cluster.members
    await cluster.kill(member!)
    const stateMachine = new TextMachine()
    stateMachine.beforeApply = () => {
      throw new Error('no')
    }
    const starting = startOn(member!, { stateMachine })
    const error = await rejection(cluster.clock.wait(starting))
    expect(error).toMatchObject({ code: 'RAFT_STATE_MACHINE_FAILED' })
    expect(cluster.clock.timers).toBe(0)
  })

  it('can be given up in its last step too: no server is left behind', async () => {
    await start({ ids: ['a'] })
    const [member] = cluster.members
    await cluster.kill(member!)
    const controller = new AbortController()
    const store = new InmemStore()
    const get = store.get.bind(store)
    store.get = (key) => {
      if (key === 'snapshot-floor') controller.abort()
      return get(key)
    }
    const starting = startOn(member!, {
      logStore: store,
      stableStore: store,
      snapshotStore: new InmemSnapshotStore(),
      signal: controller.signal,
    })
    expect(await rejection(starting)).toMatchObject({ code: 'RAFT_ABORTED' })
    expect(cluster.clock.timers).toBe(0)
  })

  it.each(['before it', 'during the restore', 'during the replay'])(
    'can be given up %s',
    async (when) => {
      await start({ ids: ['a'] })
      await apply('1')
      const [member] = cluster.members
      await cluster.clock.wait(member!.raft.snapshot())
      await apply('2', '3')
      await cluster.kill(member!)
      const controller = new AbortController()
      const stateMachine = new TextMachine()
      if (when === 'before it') controller.abort()
      const restore = stateMachine.restore.bind(stateMachine)
      stateMachine.restore = (state) => {
        if (when === 'during the restore') controller.abort()
        return restore(state)
      }
      stateMachine.beforeApply = () => controller.abort()
      const error = await rejection(
        cluster.clock.wait(startOn(member!, { stateMachine, signal: controller.signal })),
      )
      expect(error).toMatchObject({ code: 'RAFT_ABORTED' })
      expect(stateMachine.restores).toBe(when === 'during the replay' ? 1 : 0)
      expect(cluster.clock.timers).toBe(0)
    },
  )
})
