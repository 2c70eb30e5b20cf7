import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deadline } from '../src/deadline.ts'

const nothing = (): (() => void) => () => {}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('Deadline', () => {
  it('counts down from the default, or from what the call says', () => {
    const byDefault = new Deadline(undefined, 100)
    const bySelf = new Deadline({ timeoutMs: 30 }, 100)
    vi.advanceTimersByTime(40)
    expect([byDefault.remainingMs, byDefault.passed]).toEqual([60, false])
    expect([bySelf.remainingMs, bySelf.passed]).toEqual([0, true])
    expect(bySelf.rest).toEqual({ timeoutMs: 1 })
  })

  it('pauses no longer than asked, and not beyond its end', async () => {
    const deadline = new Deadline(undefined, 100)
    const short = deadline.pause(10, nothing)
    vi.advanceTimersByTime(10)
    await short
    const long = deadline.pause(5000, nothing)
    vi.advanceTimersByTime(90)
    await long
    expect(deadline.passed).toBe(true)
  })

  it('ends a pause when it is woken, and takes its subscription back', async () => {
    let wake = (): void => {}
    let subscribed = 0
    const pause = new Deadline(undefined, 60_000).pause(60_000, (call) => {
      wake = call
      subscribed += 1
      return () => (subscribed -= 1)
    })
    expect(subscribed).toBe(1)
    wake()
    await pause
    expect(subscribed).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends a pause when the caller gives up', async () => {
    const abort = new AbortController()
    const deadline = new Deadline({ signal: abort.signal }, 60_000)
    const pause = deadline.pause(60_000, nothing)
    abort.abort('enough')
    await pause
    expect(() => deadline.check('unknown')).toThrow(
      expect.objectContaining({ code: 'RAFT_ABORTED', outcome: 'unknown', cause: 'enough' }),
    )
  })
})
