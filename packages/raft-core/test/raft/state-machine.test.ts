import type { LogEntry, SnapshotMeta } from '@raftkit/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf, textOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
beforeEach(async () => {
  cluster = await TestCluster.start()
  leader = await cluster.leader()
})
afterEach(() => cluster.stop())

const poison = ({ data }: { readonly data: Uint8Array }): void => {
  if (textOf(data) === 'poison') throw new Error('cannot')
}

describe('a state machine that throws', () => {
  it('stops its server; the command took effect, the response is lost', async () => {
    leader.machine.beforeApply = poison
    const before = leader.raft.apply(bytesOf('before'))
    const failed = rejection(leader.raft.apply(bytesOf('poison')))
    const after = rejection(leader.raft.apply(bytesOf('after')))
    await cluster.clock.until(() => leader.raft.state === 'stopped')
    expect((await before).response).toContain('before')
    expect(await failed).toMatchObject({ code: 'RAFT_STATE_MACHINE_FAILED', outcome: 'committed' })
    expect(await after).toMatchObject({ code: 'RAFT_STATE_MACHINE_FAILED', outcome: 'committed' })
    expect(leader.machine.texts).toEqual(['before'])
  })

  it('does not disturb the others, which go on', async () => {
    leader.machine.beforeApply = poison
    void leader.raft.apply(bytesOf('poison')).catch(() => {})
    await cluster.clock.until(() => leader.raft.state === 'stopped')
    const rest = cluster.others(leader)
    const next = await cluster.leader(rest)
    await cluster.clock.wait(next.raft.apply(bytesOf('next')))
    await cluster.converged('next', rest)
    expect(next.machine.texts).toEqual(['poison', 'next'])
  })

  it('is not asked again: neither commands nor stale reads nor snapshots', async () => {
    leader.machine.beforeApply = poison
    void leader.raft.apply(bytesOf('poison')).catch(() => {})
    await cluster.clock.until(() => leader.raft.state === 'stopped')
    const { raft } = leader
    for (const call of [
      raft.apply(bytesOf('x')),
      raft.read(() => 1, { consistency: 'stale' }),
      raft.snapshot(),
    ])
      expect((await rejection(call)).code).toBe('RAFT_STOPPED')
  })

  it('is saved in no snapshot: what it holds now is the state of no index', async () => {
    const half = ({ data }: { readonly data: Uint8Array }): void => {
      if (textOf(data) === 'poison') leader.machine.texts.push('half of it')
      poison({ data })
    }
    leader.machine.beforeApply = half
    leader.raft.reloadConfig({ snapshotIntervalMs: 1000, snapshotThreshold: 3 })
    for (const text of ['a', 'b', 'c']) await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
    void leader.raft.apply(bytesOf('poison')).catch(() => {})
    await cluster.clock.until(() => leader.raft.state === 'stopped')
    await cluster.clock.advance(10_000)
    expect(await leader.snapshots.list()).toEqual([])
  })
})

describe('a state machine that calls its own server', () => {
  it('neither deadlocks nor nests', async () => {
    const inner: Promise<unknown>[] = []
    leader.machine.beforeApply = ({ data }) => {
      if (textOf(data) === 'outer') inner.push(leader.raft.apply(bytesOf('inner')))
    }
    await cluster.clock.wait(leader.raft.apply(bytesOf('outer')))
    await cluster.clock.wait(Promise.all(inner))
    expect(leader.machine.texts).toEqual(['outer', 'inner'])
  })

  it('is saved as of an entry, not in the middle of several, when it asks for a snapshot', async () => {
    const { machine, raft } = leader
    let saved: Promise<SnapshotMeta> | undefined
    machine.beforeApply = ({ data }) => {
      if (textOf(data) === 'save') saved = raft.snapshot()
    }
    const texts = ['a', 'b', 'save', 'c']
    const results = await cluster.clock.wait(
      Promise.all(texts.map((text) => raft.apply(bytesOf(text)))),
    )
    const { id, index } = await cluster.clock.wait(saved!)
    const opened = await leader.snapshots.open(id)
    let state = ''
    for await (const chunk of opened.state) state += textOf(chunk)
    await opened.close()
    const covered = texts.slice(0, results.filter((result) => result.index <= index).length)
    expect(JSON.parse(state)).toEqual(covered)
  })

  it('may shut it down in the middle of a command, which is waited for', async () => {
    const { machine, raft } = leader
    const order: string[] = []
    const apply = machine.apply.bind(machine)
    let finish: (() => void) | undefined
    let ended: Promise<void> | undefined
    const slow = async (entry: LogEntry): Promise<string> => {
      ended = raft.shutdown().then(() => void order.push('shut down'))
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      order.push('applied')
      return apply(entry)
    }
    Object.assign(machine, { apply: slow })
    const failed = rejection(raft.apply(bytesOf('x')))
    await cluster.clock.until(() => finish !== undefined)
    await cluster.clock.settle()
    finish?.()
    await cluster.clock.settle()
    await ended
    expect(order).toEqual(['applied', 'shut down'])
    expect(await failed).toMatchObject({ code: 'RAFT_SHUTDOWN', outcome: 'committed' })
  })
})
