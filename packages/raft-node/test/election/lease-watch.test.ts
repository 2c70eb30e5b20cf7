import { RaftError, silentLogger } from '@raftkit/interface'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LeaseWatch } from '../../src/election/lease-watch.ts'
import type { Leadership } from '../../src/index.ts'
import { clockOf } from '../clock-of.ts'
import { FakeRaft } from '../fake-raft.ts'

const leaseMs = 100

let raft: FakeRaft
let watch: LeaseWatch
let periods: Leadership[]
let now = 0

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  now = 5000
  raft = new FakeRaft()
  watch = new LeaseWatch(
    raft,
    leaseMs,
    silentLogger,
    clockOf(() => now),
  )
  periods = []
  watch.onLeadership((leadership) => void periods.push(leadership))
})

afterEach(async () => {
  await watch.close()
  vi.useRealTimers()
})

const pass = async (ms: number): Promise<void> => {
  for (let i = 0; i < ms; i += 1) {
    now += 1
    await vi.advanceTimersByTimeAsync(1)
  }
}

describe('LeaseWatch', () => {
  it('begins when an entry of the leader is committed and a quorum has confirmed it', async () => {
    const barrier = vi.spyOn(raft, 'barrier')
    let confirm = (): void => {}
    raft.onVerify = () => new Promise((resolve) => (confirm = resolve))
    raft.lead(3)
    await pass(5)
    expect(barrier).toHaveBeenCalledOnce()
    expect([periods, watch.current]).toEqual([[], undefined])
    confirm()
    await pass(0)
    await vi.advanceTimersByTimeAsync(0)
    expect(periods).toMatchObject([{ term: 3, fencingToken: 1 }])
    expect(watch.current).toBe(periods[0])
  })

  it('goes on as long as a quorum confirms', async () => {
    raft.lead(3)
    await pass(1000)
    expect(periods).toHaveLength(1)
    expect(periods[0]!.signal.aborted).toBe(false)
  })

  it('is over one lease after the last confirmation was asked for', async () => {
    raft.lead(3)
    await pass(60)
    let asked = 0
    raft.onVerify = async () => {
      asked = now
      await new Promise((resolve) => setTimeout(resolve, 20))
      raft.onVerify = () => new Promise(() => {})
    }
    let overAt = 0
    periods[0]!.signal.addEventListener('abort', () => (overAt = now))
    await pass(300)
    expect(asked).toBeGreaterThan(0)
    expect(overAt).toBe(asked + leaseMs)
    expect(watch.current).toBeUndefined()
  })

  it('does not begin with a confirmation that took a whole lease', async () => {
    raft.onVerify = async () => {
      await new Promise((resolve) => setTimeout(resolve, leaseMs + 1))
    }
    raft.lead(3)
    await pass(500)
    expect(periods).toEqual([])
  })

  it('is over as soon as this server leads no more, or stops', async () => {
    raft.lead(3)
    await pass(10)
    raft.follow({ id: 'b', address: 'b:1' }, 4)
    expect(periods[0]!.signal.aborted).toBe(true)
    raft.lead(5)
    await pass(10)
    raft.emit('stopped', {})
    expect(periods.map(({ signal }) => signal.aborted)).toEqual([true, true])
    await pass(500)
    expect(periods).toHaveLength(2)
  })

  it('begins anew, with a higher token, when a stall was no more than that', async () => {
    raft.lead(3)
    await pass(10)
    now += 1000
    expect(periods[0]!.signal.aborted).toBe(true)
    await pass(100)
    expect(periods).toHaveLength(2)
    expect(periods.map(({ term, fencingToken }) => [term, fencingToken])).toEqual([
      [3, 1],
      [3, 2],
    ])
    expect(watch.current).toBe(periods[1])
  })

  it('tries again when a confirmation fails', async () => {
    raft.lead(3)
    await pass(10)
    let failures = 0
    raft.onVerify = async () => {
      failures += 1
      if (failures < 3) throw new RaftError('RAFT_TIMEOUT', 'slow')
    }
    await pass(500)
    expect(failures).toBeGreaterThan(3)
    expect(periods).toHaveLength(1)
  })

  it('takes up a leadership that was there before it', async () => {
    const early = new FakeRaft()
    early.state = 'leader'
    early.currentTerm = 9
    const late = new LeaseWatch(
      early,
      leaseMs,
      silentLogger,
      clockOf(() => now),
    )
    await pass(5)
    expect(late.current).toMatchObject({ term: 9 })
    early.lead(9)
    expect(late.current).toMatchObject({ term: 9 })
    await late.close()
  })

  it('calls nothing after its close, and waits for what runs', async () => {
    raft.lead(3)
    await pass(10)
    let finish = (): void => {}
    watch.onLeadership(() => new Promise((resolve) => (finish = resolve)))
    await pass(1)
    let closed = false
    const closing = watch.close().then(() => (closed = true))
    await pass(5)
    expect([periods[0]!.signal.aborted, closed]).toEqual([true, false])
    finish()
    await closing
    raft.lead(4)
    await pass(300)
    expect(periods).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})
