import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ReadOptions } from '@raftkit/raft-core'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
beforeEach(async () => {
  cluster = await TestCluster.start()
  leader = await cluster.leader()
})
afterEach(() => cluster.stop())

describe('a linearizable read', () => {
  it('sees every command that was acknowledged before', async () => {
    for (const text of ['1', '2', '3']) {
      await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
      const seen = await cluster.clock.wait(leader.raft.read(() => leader.machine.texts.at(-1)))
      expect(seen).toBe(text)
    }
  })

  it('on a follower sees every command that was acknowledged before', async () => {
    const [follower] = cluster.others(leader)
    for (const text of ['1', '2', '3']) {
      await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
      const seen = await cluster.clock.wait(
        follower!.raft.read(() => follower!.machine.texts.at(-1)),
      )
      expect(seen).toBe(text)
    }
  })

  it('on a follower shares one question to the leader with others of the same turn', async () => {
    const [follower] = cluster.others(leader)
    await cluster.clock.until(() => follower!.raft.leader !== undefined)
    let questions = 0
    cluster.network.intercept(({ message, kind }) => {
      if (kind === 'request' && message.type === 'forward') questions++
    })
    const reads = Array.from({ length: 100 }, () => follower!.raft.read(() => 1))
    await cluster.clock.wait(Promise.all(reads))
    expect(questions).toBe(1)
  })

  it('on a follower that knows no leader is refused', async () => {
    const [follower] = cluster.others(leader)
    cluster.network.isolate(follower!.id)
    await cluster.clock.until(() => follower!.raft.leader === undefined)
    const refused = rejection(follower!.raft.read(() => 1))
    await cluster.clock.settle()
    expect(await refused).toMatchObject({ code: 'RAFT_NO_LEADER', retryable: true })
  })

  it('on a follower of a leader that is cut off is never answered with old state', async () => {
    const [follower, other] = cluster.others(leader)
    await cluster.clock.until(() => follower!.raft.leader !== undefined)
    cluster.network.isolate(leader.id)
    cluster.network.heal(leader.id, follower!.id)
    cluster.network.isolate(other!.id)
    const seen = follower!.raft.read(() => follower!.machine.texts.at(-1))
    const outcome = seen.catch(() => 'refused')
    await cluster.clock.advance(2000)
    cluster.network.heal()
    expect(['refused', undefined]).toContain(await cluster.clock.wait(outcome))
  })

  it('on a removed server is refused', async () => {
    const [follower] = cluster.others(leader)
    const told: unknown[] = []
    follower!.raft.on('removed', (event) => told.push(event))
    await cluster.clock.wait(leader.raft.removeServer(follower!.id))
    await cluster.clock.until(() => told.length > 0)
    expect((await rejection(follower!.raft.read(() => 1))).code).toBe('RAFT_REMOVED')
    expect((await rejection(follower!.raft.apply(bytesOf('x')))).code).toBe('RAFT_REMOVED')
    await cluster.clock.wait(leader.raft.addVoter(follower!.id, follower!.id))
    expect(await cluster.clock.wait(follower!.raft.read(() => 1))).toBe(1)
  })

  it('is not served by a leader that is cut off, even before it notices', async () => {
    cluster.network.isolate(leader.id)
    let isRun = false
    const refused = rejection(leader.raft.read(() => (isRun = true)))
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    expect((await refused).code).toBe('RAFT_LEADERSHIP_LOST')
    expect(isRun).toBe(false)
  })

  it('waits until the state machine is there', async () => {
    leader.machine.beforeApply = () => {}
    const written = leader.raft.apply(bytesOf('w'))
    await cluster.clock.settle()
    await written
    const index = await cluster.clock.wait(leader.raft.readIndex())
    expect(leader.raft.appliedIndex).toBeGreaterThanOrEqual(index)
  })

  it('gives what fn throws to the caller', async () => {
    const failing = leader.raft.read(() => {
      throw new Error('mine')
    })
    await expect(cluster.clock.wait(failing)).rejects.toThrow('mine')
  })

  it('shares one round of heartbeats with others of the same turn', async () => {
    let heartbeats = 0
    cluster.network.intercept(({ from, message, kind }) => {
      if (from === leader.id && kind === 'request' && message.type === 'append-entries')
        heartbeats++
    })
    const reads = Array.from({ length: 100 }, () => leader.raft.read(() => 1))
    await cluster.clock.settle()
    await Promise.all(reads)
    expect(heartbeats).toBeLessThanOrEqual(4)
  })
})

describe('a lease read', () => {
  const lease = { consistency: 'lease' } as const

  it('asks nobody while the lease holds, and sees what was acknowledged', async () => {
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.advance(30)
    for (const other of cluster.others(leader)) cluster.network.isolate(other.id)
    const read = leader.raft.read(() => leader.machine.texts.at(-1), lease)
    await cluster.clock.settle()
    expect(await read).toBe('x')
  })

  it('is not served by a leader whose lease has run out', async () => {
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    cluster.network.isolate(leader.id)
    // The lease is 80 ms less a tenth; after 80 ms this server steps down.
    await cluster.clock.advance(75)
    const refused = rejection(leader.raft.read(() => 1, lease))
    await cluster.clock.advance(200)
    expect((await refused).code).toBe('RAFT_LEADERSHIP_LOST')
  })

  it('needs a round after the event loop stood still', async () => {
    await cluster.clock.advance(30)
    for (const other of cluster.others(leader)) cluster.network.isolate(other.id)
    cluster.clock.freeze(60)
    let isRun = false
    const refused = rejection(leader.raft.read(() => (isRun = true), lease))
    await cluster.clock.advance(500)
    await refused
    expect(isRun).toBe(false)
  })

  it('is served on a follower too, by the lease of the leader', async () => {
    const [follower, other] = cluster.others(leader)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    cluster.network.isolate(other!.id)
    const seen = follower!.raft.read(() => follower!.machine.texts.at(-1), lease)
    expect(await cluster.clock.wait(seen)).toBe('x')
  })
})

describe('a bounded read', () => {
  const bounded = { consistency: 'bounded', maxStalenessMs: 100 } as const

  it('asks the leader when it knows nothing newer, and nobody while it does', async () => {
    const [follower] = cluster.others(leader)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    const read = (): Promise<string | undefined> =>
      follower!.raft.read(() => follower!.machine.texts.at(-1), bounded)
    expect(await cluster.clock.wait(read())).toBe('x')
    cluster.network.isolate(follower!.id)
    await cluster.clock.advance(50)
    expect(await read()).toBe('x')
    await cluster.clock.advance(60)
    const late = rejection(read())
    await cluster.clock.advance(20_000)
    expect((await late).code).toMatch(/^RAFT_/)
  })

  it.each([undefined, 0, -1])('needs a bound, which %s is not', async (maxStalenessMs) => {
    const options = { consistency: 'bounded', maxStalenessMs } as ReadOptions
    expect((await rejection(leader.raft.read(() => 1, options))).code).toBe('RAFT_INVALID_ARGUMENT')
  })
})

it('a consistency that is none is refused', async () => {
  const options = { consistency: 'strong' } as object as ReadOptions
  expect((await rejection(leader.raft.read(() => 1, options))).code).toBe('RAFT_INVALID_ARGUMENT')
})

describe('a stale read', () => {
  it('is served by any server at once', async () => {
    const [follower] = cluster.others(leader)
    expect(await follower!.raft.read(() => 'mine', { consistency: 'stale' })).toBe('mine')
  })

  it('is not served by a server that was shut down', async () => {
    await cluster.kill(leader)
    const refused = await rejection(leader.raft.read(() => 1, { consistency: 'stale' }))
    expect(refused.code).toBe('RAFT_SHUTDOWN')
  })
})

describe('a read while a snapshot replaces the state machine', () => {
  let follower: Member
  let isHalf: boolean
  let finish: () => void
  beforeEach(async () => {
    follower = cluster.others(leader)[0]!
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.wait(follower.raft.read(() => 1))
    isHalf = false
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const { machine } = follower
    const restore = machine.restore.bind(machine)
    machine.restore = async (state) => {
      isHalf = true
      await finished
      await restore(state)
      isHalf = false
    }
    const backup = bytesOf('["old"]')
    async function* state(): AsyncGenerator<Uint8Array> {
      yield backup
    }
    const meta = { version: 1, index: 1, size: backup.length }
    await cluster.clock.wait(leader.raft.restore(meta, state()))
    await cluster.clock.until(() => isHalf)
  })

  it.each([
    { consistency: 'stale' },
    { consistency: 'bounded', maxStalenessMs: 60_000 },
    { consistency: 'linearizable' },
  ] as const)('waits until there is one state: $consistency', async (options) => {
    let isOver = false
    const read = follower.raft.read(() => ({ isHalf, texts: follower.machine.texts }), options)
    void read.then(() => (isOver = true))
    await cluster.clock.advance(20)
    expect(isOver).toBe(false)
    finish()
    expect(await cluster.clock.wait(read)).toEqual({ isHalf: false, texts: ['old'] })
  })

  it('waits as long as its caller likes, and ends with the server', async () => {
    const stale = { consistency: 'stale' } as const
    const late = rejection(follower.raft.read(() => 1, { ...stale, timeoutMs: 5 }))
    await cluster.clock.advance(6)
    expect((await late).code).toBe('RAFT_TIMEOUT')
    const waiting = rejection(follower.raft.read(() => 1, stale))
    const killed = cluster.kill(follower)
    finish()
    await cluster.clock.wait(killed)
    expect((await waiting).code).toBe('RAFT_SHUTDOWN')
  })
})

describe('verifyLeader', () => {
  it('resolves while a quorum follows', async () => {
    await expect(cluster.clock.wait(leader.raft.verifyLeader())).resolves.toBeUndefined()
  })

  it('rejects when leadership goes meanwhile', async () => {
    cluster.network.isolate(leader.id)
    const refused = rejection(leader.raft.verifyLeader())
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    expect((await refused).code).toBe('RAFT_LEADERSHIP_LOST')
  })
})

describe('readIndex', () => {
  it('covers what earlier leaders acknowledged: a new leader commits an entry of its own first', async () => {
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    const { index } = { index: leader.raft.commitIndex }
    await cluster.kill(leader)
    const next = await cluster.clock.until(() =>
      cluster.others(leader).find(({ raft }) => raft.state === 'leader'),
    )
    const confirmed = await cluster.clock.wait(next.raft.readIndex())
    expect(confirmed).toBeGreaterThan(index)
  })
})
