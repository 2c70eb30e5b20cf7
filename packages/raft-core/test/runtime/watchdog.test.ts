import type { Clock } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { Watchdog } from '../../src/runtime/watchdog.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

function setUp() {
  const clock = new VirtualClock()
  const stalls: number[] = []
  return { clock, stalls, watchdog: new Watchdog(clock, 100, (forMs) => stalls.push(forMs)) }
}

describe('Watchdog', () => {
  it('tells of something that makes no progress', async () => {
    const { clock, stalls, watchdog } = setUp()
    watchdog.start()
    await clock.advance(99)
    expect(stalls).toEqual([])
    await clock.advance(1)
    expect(stalls).toEqual([100])
  })

  it('counts from the last progress', async () => {
    const { clock, stalls, watchdog } = setUp()
    watchdog.start()
    await clock.advance(70)
    watchdog.start()
    await clock.advance(99)
    expect(stalls).toEqual([])
    await clock.advance(1)
    expect(stalls).toEqual([100])
  })

  it('is silent about what has ended', async () => {
    const { clock, stalls, watchdog } = setUp()
    watchdog.start()
    watchdog.stop()
    await clock.advance(500)
    expect(stalls).toEqual([])
  })

  it('sets one timer, however often it is started', () => {
    const { clock, watchdog } = setUp()
    for (let count = 0; count < 100; count++) {
      watchdog.start()
      watchdog.stop()
    }
    expect(clock.timers).toBe(1)
  })

  it('lets news that waited during a stall come first', async () => {
    const clock = new VirtualClock()
    const stalls: number[] = []
    const news: Clock = {
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
      afterInput: (callback) => {
        watchdog.stop()
        clock.afterInput(callback)
      },
    }
    const watchdog = new Watchdog(news, 100, (forMs) => stalls.push(forMs))
    watchdog.start()
    clock.freeze(5000)
    await clock.advance(0)
    expect(stalls).toEqual([])
  })

  it('leaves no timer behind', () => {
    const { clock, watchdog } = setUp()
    watchdog.start()
    watchdog.close()
    expect(clock.timers).toBe(0)
  })

  // Seed 247: a write that waited behind a hung disk began after the shutdown, and a timer outlived the server.
  it('watches nothing that begins after it was closed', async () => {
    const { clock, stalls, watchdog } = setUp()
    watchdog.start()
    await clock.advance(100)
    watchdog.close()
    watchdog.start()
    expect(clock.timers).toBe(0)
    await clock.advance(500)
    expect(stalls).toEqual([100])
  })
})
