import { afterEach, describe, expect, it } from 'vitest'
import { TestCluster, type ClusterOptions } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
async function start(options: ClusterOptions = {}): Promise<TestCluster> {
  cluster = await TestCluster.start(options)
  return cluster
}
afterEach(() => cluster.stop())

async function applyMany(from: number, to: number): Promise<void> {
  const leader = await cluster.leader()
  const results = []
  for (let count = from; count <= to; count++) results.push(leader.raft.apply(bytesOf(`c${count}`)))
  await cluster.clock.wait(Promise.all(results))
}

describe('a follower that was away', () => {
  it('gets what it missed from the log', async () => {
    await start({ config: { maxAppendEntries: 16 } })
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    await cluster.kill(follower!)
    await applyMany(1, 500)
    await cluster.restart(follower!)
    await cluster.converged('c500')
    expect(follower!.machine.restores).toBe(0)
  })

  it('gets entries that are only in the store by now', async () => {
    await start({ config: { logTailBytes: 1024, maxAppendEntries: 16 } })
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    await cluster.kill(follower!)
    await applyMany(1, 500)
    await cluster.clock.until(() => leader.raft.stats().logTailBytes <= 8192)
    await cluster.restart(follower!)
    await cluster.converged('c500')
    expect(follower!.machine.restores).toBe(0)
  })

  it('gets a snapshot when the entries are compacted away, and then the entries after it', async () => {
    const { clock } = await start({ config: { trailingLogs: 10 } })
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    await cluster.kill(follower!)
    await applyMany(1, 100)
    const meta = await clock.wait(leader.raft.snapshot())
    await clock.until(() =>
      leader.store.operations.some((line) => line.startsWith('truncatePrefix')),
    )
    await applyMany(101, 120)
    await cluster.restart(follower!)
    const installed: number[] = []
    follower!.raft.on('snapshot-installed', ({ index }) => installed.push(index))
    await cluster.converged('c120')
    expect(follower!.machine.restores).toBe(1)
    expect(installed).toEqual([meta.index])
    expect(await follower!.data.bounds()).toMatchObject({ firstIndex: meta.index + 1 })
    expect(follower!.raft.stats().lastSnapshotIndex).toBe(meta.index)
  })

  it('starts again from the snapshot that it was sent', async () => {
    const { clock } = await start({ config: { trailingLogs: 0 } })
    const leader = await cluster.leader()
    const [follower] = cluster.others(leader)
    await cluster.kill(follower!)
    await applyMany(1, 50)
    await clock.wait(leader.raft.snapshot())
    await cluster.restart(follower!)
    await cluster.converged('c50')
    await cluster.restart(follower!)
    expect(follower!.machine.texts.at(-1)).toBe('c50')
    await applyMany(51, 52)
    await cluster.converged('c52')
  })
})

describe('a new server with nothing', () => {
  it('follows the cluster once it is part of its configuration', async () => {
    const ids = ['a', 'b', 'c', 'd']
    const { clock } = await start({ ids, suffrage: { d: 'nonvoter' }, absent: ['d'] })
    await applyMany(1, 20)
    const added = await cluster.add('d', false)
    await cluster.converged('c20')
    expect(added.raft.configuration()).toEqual(cluster.member('a').raft.configuration())
    await clock.advance(3000)
    expect(added.raft.state).toBe('follower')
  })
})
