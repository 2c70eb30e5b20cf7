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
})
