import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { realClock, realRandom } from '@raftkit/raft-core'

describe('the real clock', () => {
  it('does not fire a timer before its time', async () => {
    const clock = realClock()
    for (const delayMs of [0, 0.3, 1.7, 5]) {
      const from = clock.now()
      await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve))
      expect(clock.now() - from).toBeGreaterThanOrEqual(delayMs)
    }
  })

  it('tells the end of a turn after promises and waiting input', async () => {
    const clock = realClock()
    const order: string[] = []
    await new Promise<void>((resolve) => {
      clock.afterInput(() => {
        order.push('end')
        resolve()
      })
      void Promise.resolve().then(() => order.push('promise'))
    })
    expect(order).toEqual(['promise', 'end'])
  })

  describe('with a fake platform', () => {
    beforeEach(() => vi.useFakeTimers())
    afterEach(() => void vi.useRealTimers())

    it('cancels a timer, and may be told so twice', async () => {
      const fired = vi.fn<() => void>()
      const timer = realClock().setTimer(10, fired)
      timer.cancel()
      timer.cancel()
      await vi.advanceTimersByTimeAsync(100)
      expect(fired).not.toHaveBeenCalled()
    })

    it('carries a delay that is too long for the platform', async () => {
      const fired = vi.fn<() => void>()
      const month = 31 * 24 * 3600 * 1000
      realClock().setTimer(month, fired)
      await vi.advanceTimersByTimeAsync(month - 1)
      expect(fired).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(1)
      expect(fired).toHaveBeenCalledTimes(1)
    })
  })

  describe('without setImmediate', () => {
    const { setImmediate, MessageChannel } = globalThis
    afterEach(() => Object.assign(globalThis, { setImmediate, MessageChannel }))

    it.each(['with MessageChannel', 'with timers only'])('ends turns %s, in order', async (how) => {
      Object.assign(globalThis, { setImmediate: undefined })
      const channels: InstanceType<typeof MessageChannel>[] = []
      class Channel extends MessageChannel {
        constructor() {
          super()
          channels.push(this)
        }
      }
      Object.assign(globalThis, {
        MessageChannel: how === 'with MessageChannel' ? Channel : undefined,
      })
      const clock = realClock()
      const order: number[] = []
      await new Promise<void>((resolve) => {
        clock.afterInput(() => order.push(1))
        clock.afterInput(() => {
          order.push(2)
          resolve()
        })
        order.push(0)
      })
      expect(order).toEqual([0, 1, 2])
      for (const { port1, port2 } of channels) {
        port1.close()
        port2.close()
      }
    })
  })
})

describe('the real randomness', () => {
  it('is uniform enough to spread elections', () => {
    const random = realRandom()
    const numbers = Array.from({ length: 1000 }, () => random.next())
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...numbers)).toBeLessThan(1)
    expect(new Set(numbers).size).toBeGreaterThan(990)
  })
})
