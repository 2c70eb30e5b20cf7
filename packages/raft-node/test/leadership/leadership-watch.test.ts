import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { LeadershipWatch } from '../../src/leadership/leadership-watch.ts'
import type { Leadership } from '../../src/leadership/leadership.ts'
import { FakeRaft } from '../fake-raft.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function setUp(logger = silentLogger) {
  const raft = new FakeRaft()
  return { raft, watch: new LeadershipWatch(raft, logger) }
}

describe('LeadershipWatch', () => {
  it('calls back with the term as fencing token, and aborts the signal when leadership is lost', async () => {
    const { raft, watch } = setUp()
    const periods: Leadership[] = []
    watch.onLeadership((leadership) => void periods.push(leadership))
    raft.lead(3)
    await settled()
    expect(periods).toMatchObject([{ term: 3, fencingToken: 3 }])
    expect(periods[0]!.signal.aborted).toBe(false)
    raft.follow({ id: 'b', address: 'b:1' }, 4)
    expect(periods[0]!.signal.aborted).toBe(true)
    expect(periods[0]!.signal.reason).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST' })
    raft.lead(5)
    await settled()
    expect(periods.map(({ fencingToken }) => fencingToken)).toEqual([3, 5])
  })

  it('calls at once when this node leads already', async () => {
    const { raft, watch } = setUp()
    raft.lead(2)
    const terms: number[] = []
    watch.onLeadership(({ term }) => void terms.push(term))
    await settled()
    expect(terms).toEqual([2])
  })

  it('does not call when leadership is over before the call', async () => {
    const { raft, watch } = setUp()
    const terms: number[] = []
    watch.onLeadership(({ term }) => void terms.push(term))
    raft.lead(2)
    raft.follow(undefined, 3)
    await settled()
    expect(terms).toEqual([])
  })

  it('lets the calls of one callback never overlap', async () => {
    const { raft, watch } = setUp()
    const ends: (() => void)[] = []
    const terms: number[] = []
    watch.onLeadership(({ term }) => {
      terms.push(term)
      return new Promise((resolve) => ends.push(resolve))
    })
    raft.lead(1)
    await settled()
    raft.follow(undefined, 2)
    raft.lead(3)
    await settled()
    expect(terms).toEqual([1])
    raft.follow(undefined, 4)
    raft.lead(5)
    ends[0]!()
    await settled()
    expect(terms).toEqual([1, 5])
    ends[1]!()
  })

  it('logs what a callback throws and goes on; the abort itself is no failure', async () => {
    const logged: string[] = []
    const { raft, watch } = setUp({
      ...silentLogger,
      error: (_fields, message) => void logged.push(message),
    })
    const terms: number[] = []
    watch.onLeadership(() => Promise.reject(new Error('broken')))
    watch.onLeadership(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        }),
    )
    watch.onLeadership(({ signal }) => sleep(60_000, undefined, { signal }))
    watch.onLeadership(({ term }) => void terms.push(term))
    raft.lead(1)
    await settled()
    raft.follow(undefined, 2)
    await settled()
    expect(terms).toEqual([1])
    expect(logged).toEqual(['a leadership callback failed: broken'])
  })

  it('does not call a callback that was taken back', async () => {
    const { raft, watch } = setUp()
    const terms: number[] = []
    const remove = watch.onLeadership(({ term }) => void terms.push(term))
    remove()
    raft.lead(1)
    await settled()
    expect(terms).toEqual([])
  })

  it('ends a period when the server stops', async () => {
    const { raft, watch } = setUp()
    const periods: Leadership[] = []
    watch.onLeadership((leadership) => void periods.push(leadership))
    raft.lead(1)
    await settled()
    raft.emit('stopped', {})
    expect(periods[0]!.signal.aborted).toBe(true)
  })

  it('waits at its close for callbacks that run, and calls none after', async () => {
    const { raft, watch } = setUp()
    let finish = (): void => {}
    const terms: number[] = []
    let aborted = false
    watch.onLeadership(({ term, signal }) => {
      terms.push(term)
      signal.addEventListener('abort', () => (aborted = true))
      return new Promise((resolve) => (finish = resolve))
    })
    raft.lead(1)
    await settled()
    let closed = false
    const closing = watch.close().then(() => (closed = true))
    await settled()
    expect([aborted, closed]).toEqual([true, false])
    finish()
    await closing
    raft.lead(2)
    watch.onLeadership(({ term }) => void terms.push(term))
    await settled()
    expect(terms).toEqual([1])
    expect(raft.listenerCount('leader-ready')).toBe(0)
  })
})
