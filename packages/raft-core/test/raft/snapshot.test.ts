import { RaftError, type SnapshotMeta } from '@raftkit/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster, type ClusterOptions } from '../support/test-cluster.ts'
import { bytesOf, textOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
async function start(options: ClusterOptions = {}): Promise<void> {
  cluster = await TestCluster.start(options)
  leader = await cluster.leader()
}
afterEach(() => cluster.stop())

async function apply(...texts: string[]): Promise<void> {
  await cluster.clock.wait(Promise.all(texts.map((text) => leader.raft.apply(bytesOf(text)))))
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `c${at}`)

async function stateOf(member: Member, meta: SnapshotMeta): Promise<string> {
  const opened = await member.snapshots.open(meta.id)
  let text = ''
  for await (const chunk of opened.state) text += textOf(chunk)
  await opened.close()
  return text
}

describe('snapshot', () => {
  it('saves the state machine with the committed configuration, as of the last applied entry', async () => {
    await start()
    await apply('a', 'b')
    const saved: SnapshotMeta[] = []
    leader.raft.on('snapshot-saved', ({ meta }) => saved.push(meta))
    const meta = await cluster.clock.wait(leader.raft.snapshot())
    expect(meta).toMatchObject({
      index: leader.raft.appliedIndex,
      term: leader.raft.currentTerm,
      configuration: cluster.configuration,
      configurationIndex: 1,
      version: 1,
    })
    expect(await stateOf(leader, meta)).toBe('["a","b"]')
    await cluster.clock.settle()
    expect(saved).toEqual([meta])
    expect(leader.raft.stats()).toMatchObject({
      lastSnapshotIndex: meta.index,
      lastSnapshotTerm: meta.term,
    })
  })

  it('is possible on an idle cluster: a no-op and a configuration are news too', async () => {
    await start({ ids: ['a'] })
    const meta = await cluster.clock.wait(leader.raft.snapshot())
    expect(meta.index).toBe(2)
  })

  it('refuses when there is nothing new', async () => {
    await start()
    await apply('a')
    await cluster.clock.wait(leader.raft.snapshot())
    const refused = rejection(leader.raft.snapshot())
    await cluster.clock.settle()
    expect((await refused).code).toBe('RAFT_NOTHING_NEW_TO_SNAPSHOT')
  })

  it('keeps trailingLogs entries, and removes the others once the snapshot is durable', async () => {
    await start({ config: { trailingLogs: 10 } })
    await apply(...numbered(100))
    const { index } = await cluster.clock.wait(leader.raft.snapshot())
    await cluster.clock.settle()
    expect(await leader.data.bounds()).toEqual({ firstIndex: index - 9, lastIndex: index })
  })

  it('is taken by itself when enough was applied, on every server', async () => {
    await start({ config: { snapshotIntervalMs: 1000, snapshotThreshold: 50, trailingLogs: 0 } })
    await apply(...numbered(40))
    await cluster.clock.advance(5000)
    for (const { raft } of cluster.members) expect(raft.stats().lastSnapshotIndex).toBe(0)
    await apply(...numbered(20))
    await cluster.clock.advance(2000)
    for (const { raft } of cluster.members) expect(raft.stats().lastSnapshotIndex).toBe(62)
  })

  it('happens while commands go on being applied, and leaves them out', async () => {
    await start()
    await apply('before')
    let finish = (): void => {}
    const original = leader.machine.snapshot.bind(leader.machine)
    leader.machine.snapshot = () => {
      const captured = original()
      return {
        persist: async (writer) => {
          await new Promise<void>((resolve) => {
            finish = resolve
          })
          await captured.persist(writer)
        },
      }
    }
    const saving = leader.raft.snapshot()
    await cluster.clock.settle()
    expect(leader.raft.stats().isSnapshotting).toBe(true)
    await apply('during')
    expect(leader.machine.texts).toEqual(['before', 'during'])
    finish()
    expect(await stateOf(leader, await cluster.clock.wait(saving))).toBe('["before"]')
  })

  it('is shared by callers whose commands it covers; who came later gets a later one', async () => {
    await start()
    await apply('a')
    const finish: (() => void)[] = []
    leader.machine.snapshot = () => ({
      persist: async (writer) => {
        await new Promise<void>((resolve) => finish.push(resolve))
        await writer.write(bytesOf('x'))
      },
    })
    const first = leader.raft.snapshot()
    await cluster.clock.settle()
    const same = leader.raft.snapshot()
    await apply('b')
    const later = leader.raft.snapshot()
    finish.shift()!()
    expect((await cluster.clock.wait(same)).id).toBe((await first).id)
    await cluster.clock.settle()
    finish.shift()!()
    expect((await cluster.clock.wait(later)).index).toBeGreaterThan((await first).index)
  })

  it('that fails leaves nothing behind, and the next one may succeed', async () => {
    await start({ config: { trailingLogs: 0 } })
    await apply('a')
    let releases = 0
    const original = leader.machine.snapshot.bind(leader.machine)
    leader.machine.snapshot = () => ({
      persist: () => Promise.reject(new Error('disk full')),
      release: () => void releases++,
    })
    const failed = rejection(leader.raft.snapshot())
    await cluster.clock.settle()
    expect(await failed).toMatchObject({ code: 'RAFT_SNAPSHOT_FAILED', retryable: true })
    expect(releases).toBe(1)
    expect(await leader.snapshots.list()).toEqual([])
    expect((await leader.data.bounds()).firstIndex).toBe(1)
    leader.machine.snapshot = original
    await expect(cluster.clock.wait(leader.raft.snapshot())).resolves.toBeDefined()
  })

  it('waits for the log to be durable on this server', async () => {
    await start()
    leader.store.hang()
    await apply('by the others')
    const saving = leader.raft.snapshot()
    await cluster.clock.settle()
    expect(await leader.snapshots.list()).toEqual([])
    leader.store.release()
    expect((await cluster.clock.wait(saving)).index).toBe(leader.raft.appliedIndex)
  })
})

describe('a snapshot that others could not take', () => {
  it('is taken while leadership is handed over', async () => {
    await start()
    await apply('a')
    const [target] = cluster.others(leader)
    cluster.network.isolate(target!.id)
    const failed = rejection(leader.raft.transferLeadership(target!.id))
    await cluster.clock.settle()
    const refused = rejection(leader.raft.apply(bytesOf('b')))
    await cluster.clock.settle()
    expect((await refused).code).toBe('RAFT_LEADERSHIP_TRANSFER_IN_PROGRESS')
    const meta = await cluster.clock.wait(leader.raft.snapshot(), 50)
    expect(meta.index).toBe(leader.raft.appliedIndex)
    await cluster.clock.wait(failed)
  })

  it('is taken although the configuration is newer than every command, and although one is open', async () => {
    await start()
    await apply('a')
    const { index: committed } = await cluster.clock.wait(leader.raft.addNonvoter('x', 'x'))
    const meta = await cluster.clock.wait(leader.raft.snapshot())
    expect(meta).toMatchObject({ configurationIndex: committed })
    const unblock = cluster.network.intercept(({ kind, message }) =>
      kind === 'request' && 'entries' in message && message.entries !== null ? 'drop' : undefined,
    )
    const change = leader.raft.addNonvoter('y', 'y')
    await cluster.clock.settle()
    expect(leader.raft.configuration().index).toBeGreaterThan(committed)
    // It holds what is committed: nothing is new.
    const refused = rejection(leader.raft.snapshot())
    await cluster.clock.settle()
    expect((await refused).code).toBe('RAFT_NOTHING_NEW_TO_SNAPSHOT')
    unblock()
    await cluster.clock.wait(change)
    expect(await cluster.clock.wait(leader.raft.snapshot())).toMatchObject({
      configurationIndex: leader.raft.configuration().index,
    })
  })
})

describe('openSnapshot', () => {
  async function textOfOpened(id?: string): Promise<string> {
    const opened = await leader.raft.openSnapshot(id)
    let text = ''
    for await (const chunk of opened.state) text += textOf(chunk)
    await opened.close()
    return text
  }

  it('opens the one that is named, or the newest', async () => {
    await start({ ids: ['a'] })
    await apply('a')
    const first = await cluster.clock.wait(leader.raft.snapshot())
    await apply('b')
    const second = await cluster.clock.wait(leader.raft.snapshot())
    expect(await textOfOpened(first.id)).toBe('["a"]')
    expect(await textOfOpened(second.id)).toBe('["a","b"]')
    expect(await textOfOpened()).toBe('["a","b"]')
  })

  it('passes over one that is damaged, unless it is named', async () => {
    await start({ ids: ['a'] })
    await apply('a')
    await cluster.clock.wait(leader.raft.snapshot())
    await apply('b')
    const { id } = await cluster.clock.wait(leader.raft.snapshot())
    const open = leader.snapshots.open.bind(leader.snapshots)
    leader.snapshots.open = (wanted) =>
      wanted === id
        ? Promise.reject(new RaftError('RAFT_SNAPSHOT_CORRUPT', 'the checksum is wrong'))
        : open(wanted)
    expect(await textOfOpened()).toBe('["a"]')
    expect((await rejection(leader.raft.openSnapshot(id))).code).toBe('RAFT_SNAPSHOT_CORRUPT')
  })

  it('says that there is none', async () => {
    await start({ ids: ['a'] })
    for (const id of [undefined, 'x'])
      expect((await rejection(leader.raft.openSnapshot(id))).code).toBe('RAFT_SNAPSHOT_NOT_FOUND')
  })

  it('gives what restore takes', async () => {
    await start()
    await apply('a')
    await cluster.clock.wait(leader.raft.snapshot())
    await apply('b')
    const { meta, state } = await leader.raft.openSnapshot()
    await cluster.clock.wait(leader.raft.restore(meta, state))
    await apply('c')
    await cluster.converged('c')
    expect(leader.machine.texts).toEqual(['a', 'c'])
  })
})

describe('a snapshot for a follower', () => {
  async function compacted(options: ClusterOptions = {}): Promise<Member> {
    await start({ ...options, config: { trailingLogs: 0, ...options.config } })
    const [follower] = cluster.others(leader)
    await cluster.kill(follower!)
    await apply(...numbered(20))
    await cluster.clock.wait(leader.raft.snapshot())
    await cluster.clock.settle()
    return follower!
  }

  it('that is lost on its way is given up after snapshotStallMs and sent again', async () => {
    const follower = await compacted({ config: { snapshotStallMs: 500 } })
    let breaks = 2
    cluster.network.intercept(({ kind, message }) => {
      if (kind !== 'request' || message.type !== 'install-snapshot' || breaks === 0)
        return undefined
      breaks--
      return 'drop'
    })
    await cluster.restart(follower)
    await cluster.converged('c19')
    expect(breaks).toBe(0)
    expect(follower.machine.restores).toBe(1)
  })

  it('that fails its checksum is refused, and the follower keeps its state', async () => {
    const follower = await compacted()
    await cluster.restart(follower)
    const open = follower.snapshots.open.bind(follower.snapshots)
    let failures = 0
    follower.snapshots.open = (id) => {
      if (failures++ > 0) return open(id)
      return Promise.reject(new RaftError('RAFT_SNAPSHOT_CORRUPT', 'the checksum is wrong'))
    }
    await cluster.clock.until(() => failures > 0)
    await cluster.clock.settle()
    expect(follower.machine.restores).toBe(0)
    expect(follower.raft.state).toBe('follower')
    follower.snapshots.open = open
    await cluster.converged('c19')
  })

  it('that the state machine cannot take up stops the server: its state is unknown', async () => {
    const follower = await compacted()
    await cluster.restart(follower)
    follower.machine.restore = () => Promise.reject(new Error('half done'))
    const stopped: unknown[] = []
    follower.raft.on('stopped', ({ error }) => stopped.push(error?.code))
    await cluster.clock.until(() => follower.raft.state === 'stopped')
    await cluster.clock.settle()
    expect(stopped).toEqual(['RAFT_STATE_MACHINE_FAILED'])
  })

  it('replaces a log that contradicts it, whole', async () => {
    const follower = await compacted()
    await cluster.restart(follower)
    await cluster.converged('c19')
    const { operations } = follower.store
    expect(operations.some((line) => line.startsWith('truncatePrefix'))).toBe(true)
    await apply('after')
    await cluster.converged('after')
    expect((await follower.data.bounds()).firstIndex).toBeGreaterThan(20)
  })
})
