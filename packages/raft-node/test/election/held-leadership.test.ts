import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HeldLeadership } from '../../src/election/held-leadership.ts'
import { systemClock } from '../../src/system.ts'
import { clockOf } from '../clock-of.ts'

const leads = { term: 4, fencingToken: 17 }

/** Keeps the event loop from running. */
function stall(forMs: number): void {
  const end = performance.now() + forMs
  while (performance.now() < end);
}

describe('HeldLeadership', () => {
  let now = 0
  let reasons: string[] = []
  const held = (until: number): HeldLeadership =>
    new HeldLeadership(
      leads,
      until,
      clockOf(() => now),
      (reason) => reasons.push(reason),
    )

  beforeEach(() => {
    now = 1000
    reasons = []
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  const pass = (ms: number): void => {
    now += ms
    vi.advanceTimersByTime(ms)
  }

  it('aborts its signal by itself when the lease runs out', () => {
    const one = held(1100)
    const { signal } = one.leadership
    const aborted = vi.fn()
    signal.addEventListener('abort', aborted)
    pass(99)
    expect(aborted).not.toHaveBeenCalled()
    pass(1)
    expect(aborted).toHaveBeenCalledOnce()
    expect(signal.reason).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST' })
    expect(reasons).toHaveLength(1)
    expect(one.remainingMs).toBe(0)
  })

  it('goes on while it is confirmed', () => {
    const one = held(1100)
    for (let i = 0; i < 10; i += 1) {
      pass(50)
      one.extend(now + 100)
    }
    expect(one.isHeld).toBe(true)
    expect(one.remainingMs).toBe(100)
    pass(100)
    expect(one.isHeld).toBe(false)
  })

  it('is not held for less because an older confirmation came late', () => {
    const one = held(1100)
    one.extend(1050)
    pass(99)
    expect(one.isHeld).toBe(true)
  })

  it('has its signal aborted for whoever looks, before any timer could run', () => {
    const { signal } = held(1100).leadership
    const aborted = vi.fn()
    signal.addEventListener('abort', aborted)
    signal.throwIfAborted()
    expect(signal.aborted).toBe(false)
    now = 1100
    expect(signal.aborted).toBe(true)
    expect(() => signal.throwIfAborted()).toThrow('Leadership of term 4 is over')
    expect(aborted).toHaveBeenCalledOnce()
  })

  it('cannot be revived by a confirmation that waited through a stall', () => {
    const one = held(1100)
    now = 1100
    one.extend(1200)
    expect(one.isHeld).toBe(false)
    expect(one.leadership.signal.aborted).toBe(true)
  })

  it('ends once', () => {
    const one = held(1100)
    one.end('first')
    one.end('second')
    pass(500)
    expect(reasons).toEqual(['first'])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('after a stall of the event loop', () => {
  const now = (): number => performance.now()
  let one: HeldLeadership

  beforeEach(() => {
    one = new HeldLeadership(leads, now() + 200, systemClock, () => {})
  })

  afterEach(() => {
    one.end('the test is over')
  })

  it('the code that stalled finds its signal aborted at once', () => {
    const { signal } = one.leadership
    expect(signal.aborted).toBe(false)
    stall(200)
    expect(signal.aborted).toBe(true)
  })

  it('those who only listen hear of it from the timers, or from whoever looks first', async () => {
    const { signal } = one.leadership
    const both = AbortSignal.any([signal])
    const heard = new Promise((resolve) => both.addEventListener('abort', resolve))
    await nextTurn()
    stall(200)
    await heard
    expect(both.aborted).toBe(true)
  })
})
