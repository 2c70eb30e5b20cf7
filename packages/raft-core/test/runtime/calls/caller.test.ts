import { describe, expect, it, vi } from 'vitest'
import { Caller } from '../../../src/runtime/calls/caller.ts'
import { deadlineOf, waitFor } from '../../../src/runtime/calls/wait.ts'
import { rejection } from '../../support/rejection.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

function caller(parts: { signal?: AbortSignal; deadline?: number } = {}) {
  const resolve = vi.fn<(value: number) => void>()
  const reject = vi.fn<(error: unknown) => void>()
  const made = new Caller<number>({
    resolve,
    reject,
    subject: 'the command',
    deadline: parts.deadline ?? Infinity,
    signal: parts.signal,
    weight: 1,
    outcome: 'not-committed',
  })
  return { made, resolve, reject }
}

describe('Caller', () => {
  it('settles once', () => {
    const { made, resolve, reject } = caller()
    made.resolve(1)
    made.resolve(2)
    made.reject(new Error('late'))
    expect(resolve.mock.calls).toEqual([[1]])
    expect(reject).not.toHaveBeenCalled()
  })

  it('is rejected when its signal is aborted, with the reason as cause', () => {
    const abort = new AbortController()
    const { made, reject } = caller({ signal: abort.signal })
    made.outcome = 'unknown'
    abort.abort('enough')
    expect(reject.mock.calls[0]![0]).toMatchObject({
      code: 'RAFT_ABORTED',
      outcome: 'unknown',
      cause: 'enough',
    })
  })

  it('is rejected at once when the signal was aborted before', () => {
    const { made, reject } = caller({ signal: AbortSignal.abort() })
    expect(made.settled).toBe(true)
    expect(reject.mock.calls[0]![0]).toMatchObject({ outcome: 'not-committed' })
  })

  it('leaves no listener behind', () => {
    const { signal } = new AbortController()
    const removed = vi.spyOn(signal, 'removeEventListener')
    const { made } = caller({ signal })
    made.resolve(1)
    expect(removed).toHaveBeenCalledTimes(1)
  })

  it('expires at its deadline, not before', () => {
    const { made, reject } = caller({ deadline: 10 })
    made.expire(9)
    expect(made.settled).toBe(false)
    made.expire(10)
    expect(reject.mock.calls[0]![0]).toMatchObject({ code: 'RAFT_TIMEOUT', retryable: true })
  })
})

describe('deadlineOf', () => {
  it.each([
    [undefined, Infinity],
    [{}, Infinity],
    [{ timeoutMs: 5 }, 105],
  ])('of %j is %d', (options, deadline) => {
    expect(deadlineOf(options, 100)).toBe(deadline)
  })

  it.each([-1, 0, Number.NaN])('refuses a timeout of %d', (timeoutMs) => {
    expect(() => deadlineOf({ timeoutMs }, 100)).toThrow('it must be a number of milliseconds')
  })
})

describe('waitFor', () => {
  it('resolves with what the caller is given, and leaves no timer behind', async () => {
    const clock = new VirtualClock()
    const value = waitFor<number>(clock, 'it', { timeoutMs: 50 }, (made) => made.resolve(7))
    expect(await value).toBe(7)
    expect(clock.timers).toBe(0)
  })

  it('rejects after the timeout', async () => {
    const clock = new VirtualClock()
    const error = rejection(waitFor<number>(clock, 'the snapshot', { timeoutMs: 50 }, () => {}))
    await clock.advance(50)
    expect(await error).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: undefined })
  })

  it('does not start what was aborted before', async () => {
    const start = vi.fn<() => void>()
    const options = { signal: AbortSignal.abort() }
    const error = await rejection(waitFor<number>(new VirtualClock(), 'it', options, start))
    expect(error.code).toBe('RAFT_ABORTED')
    expect(start).not.toHaveBeenCalled()
  })
})
