import { RaftError, silentLogger } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { Deadline } from '../src/deadline.ts'
import { LeaderService } from '../src/forwarding/leader-service.ts'
import { caughtUp } from '../src/readiness.ts'
import { Router } from '../src/forwarding/router.ts'
import { CountingClock } from './clock-of.ts'
import { FakeRaft } from './fake-raft.ts'

function setUp() {
  const raft = new FakeRaft()
  raft.lead(1)
  const router = new Router(raft, new LeaderService(() => raft, { answer: (q) => q }, silentLogger))
  return { raft, router }
}

describe('caughtUp', () => {
  it('waits until everything up to the read index is applied', async () => {
    const { raft, router } = setUp()
    raft.appliedIndex = 6
    let isReady = false
    const ready = caughtUp(raft, router, new Deadline(undefined, 60_000)).then(
      () => (isReady = true),
    )
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(isReady).toBe(false)
    raft.appliedIndex = 7
    await ready
  })

  it('gives up at the deadline, and when the caller does', async () => {
    const { raft, router } = setUp()
    await expect(caughtUp(raft, router, new Deadline(undefined, 20))).rejects.toMatchObject({
      code: 'RAFT_TIMEOUT',
    })
    const abort = new AbortController()
    const ready = caughtUp(raft, router, new Deadline({ signal: abort.signal }, 60_000))
    abort.abort()
    await expect(ready).rejects.toMatchObject({ code: 'RAFT_ABORTED' })
  })

  it('ends with the router, and leaves no timer behind', async () => {
    const { raft, router } = setUp()
    const clock = new CountingClock()
    const ready = caughtUp(raft, router, new Deadline(undefined, 60_000, clock))
    while (clock.timers === 0) await new Promise((resolve) => setImmediate(resolve))
    router.close(new RaftError('RAFT_SHUTDOWN', 'stopping', { outcome: 'not-committed' }))
    expect(clock.timers).toBe(0)
    await expect(ready).rejects.toMatchObject({ code: 'RAFT_SHUTDOWN' })
    expect(clock.timers).toBe(0)
  })
})
