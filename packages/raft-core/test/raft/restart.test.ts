import { Raft } from '@raftkit/raft-core'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { afterEach, describe, expect, it } from 'vitest'
import { TestCluster, type ClusterOptions } from '../support/test-cluster.ts'
import { bytesOf, TextMachine } from '../support/text-machine.ts'

let cluster: TestCluster
async function start(options: ClusterOptions = {}): Promise<TestCluster> {
  cluster = await TestCluster.start(options)
  return cluster
}
afterEach(() => cluster.stop())

async function apply(...texts: string[]): Promise<void> {
  const leader = await cluster.leader()
  for (const text of texts) await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
}

describe('a cluster that was stopped', () => {
  it.each([['a'], ['a', 'b', 'c']])(
    'knows everything when it is started again: %s',
    async (...ids) => {
      await start({ ids })
      await apply('1', '2', '3')
      for (const member of cluster.members) await cluster.kill(member)
      for (const member of cluster.members) await cluster.restart(member)
      const leader = await cluster.leader()
      expect(leader.machine.texts).toEqual(['1', '2', '3'])
      await apply('4')
      await cluster.converged('4')
    },
  )

  it('starts from the snapshot and the log after it', async () => {
    const { clock } = await start({ config: { trailingLogs: 0 } })
    await apply('1', '2')
    for (const { raft, machine } of cluster.members) {
      await clock.until(() => machine.texts.length === 2)
      await clock.wait(raft.snapshot())
    }
    await apply('3')
    for (const member of cluster.members) await cluster.restart(member)
    await cluster.leader()
    await cluster.converged('3')
    for (const { machine } of cluster.members) {
      expect(machine.restores).toBe(1)
      expect(machine.texts).toEqual(['1', '2', '3'])
    }
  })

  it('applies nothing before it knows that it is committed', async () => {
    await start()
    await apply('1')
    for (const member of cluster.members) await cluster.kill(member)
    const [alone] = cluster.members
    await cluster.restart(alone!)
    await cluster.clock.advance(5000)
    expect(alone!.machine.texts).toEqual([])
    expect(alone!.raft.commitIndex).toBe(0)
    expect(alone!.raft.lastIndex).toBeGreaterThan(1)
  })

  it('keeps its term and its vote', async () => {
    await start()
    const leader = await cluster.leader()
    const term = leader.raft.currentTerm
    for (const member of cluster.members) await cluster.kill(member)
    for (const member of cluster.members) await cluster.restart(member)
    for (const { raft } of cluster.members) expect(raft.currentTerm).toBe(term)
    expect((await leader.data.reopen().loadHardState())?.votedFor).toEqual({
      id: leader.id,
      address: leader.id,
    })
  })
})

describe('a state machine that keeps its state by itself (restoreSnapshotOnStart: false)', () => {
  it('gets no snapshot, and the entries after it anew; index, term and members are those of the snapshot', async () => {
    const machine = new TextMachine()
    const { clock } = await start({
      ids: ['a'],
      config: { restoreSnapshotOnStart: false, trailingLogs: 0 },
      options: { stateMachine: machine },
    })
    await apply('1', '2')
    const [member] = cluster.members
    const { index, term } = await clock.wait(member!.raft.snapshot())
    await apply('3')
    await cluster.restart(member!)
    expect(member!.raft.stats()).toMatchObject({
      appliedIndex: index,
      lastSnapshotIndex: index,
      lastSnapshotTerm: term,
      latestConfiguration: cluster.configuration,
    })
    await apply('4')
    expect(machine.restores).toBe(0)
    // It knows from entry.index that it has entry 3 already; this one does not look.
    expect(machine.texts).toEqual(['1', '2', '3', '3', '4'])
  })

  it('takes up the snapshot of a leader all the same', async () => {
    const { clock } = await start({ config: { restoreSnapshotOnStart: false, trailingLogs: 0 } })
    const leader = await cluster.leader()
    const [behind] = cluster.others(leader)
    await cluster.kill(behind!)
    await apply('1', '2')
    await clock.wait(leader.raft.snapshot())
    await cluster.restart(behind!)
    await cluster.converged('2')
    expect(behind!.machine.restores).toBe(1)
  })

  it('is given the snapshot of a leader at the next start when a crash came before', async () => {
    const config = { restoreSnapshotOnStart: false, trailingLogs: 0 }
    const { clock, network } = await start({ config, absent: ['c'] })
    const leader = await cluster.leader()
    await apply('1', '2')
    await clock.wait(leader.raft.snapshot())
    const machine = new TextMachine()
    const restore = machine.restore.bind(machine)
    const store = new InmemStore()
    const snapshotStore = new InmemSnapshotStore()
    const startIt = (): Promise<Raft<string>> => {
      const logStore = store.reopen()
      return Raft.start<string>({
        id: 'c',
        stateMachine: machine,
        logStore,
        stableStore: logStore,
        snapshotStore: snapshotStore.reopen(),
        transport: network.transport('c'),
        clock,
        config: { ...leader.raft.config, restoreSnapshotOnStart: false },
      })
    }
    let isGiven = false
    machine.restore = () => {
      isGiven = true
      return new Promise(() => {})
    }
    const crashed = await startIt()
    await clock.until(() => isGiven)
    await clock.wait(crashed.shutdown())
    machine.restore = restore
    const again = await startIt()
    await clock.until(() => again.commitIndex === leader.raft.commitIndex)
    expect(machine.texts).toEqual(['1', '2'])
    await clock.wait(again.shutdown())
  })
})
