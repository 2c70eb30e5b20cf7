import { describe, expect, it } from 'vitest'
import { WakeTimer } from '../../src/runtime/wake-timer.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

function setUp() {
  const clock = new VirtualClock()
  const woken: number[] = []
  const start = clock.now()
  const timer = new WakeTimer(clock, () => woken.push(clock.now() - start))
  return { clock, woken, timer, at: (ms: number) => timer.wakeAt(start + ms) }
}

describe('WakeTimer', () => {
  it('wakes once, at the time of the newest wish', async () => {
    const { clock, woken, at } = setUp()
    at(50)
    at(20)
    await clock.advance(100)
    expect(woken).toEqual([20])
  })

  it('follows a wish to a later time, without a second timer', async () => {
    const { clock, woken, at } = setUp()
    at(20)
    at(50)
    expect(clock.timers).toBe(1)
    await clock.advance(100)
    expect(woken).toEqual([50])
  })

  it('wakes at once for a time that has passed', async () => {
    const { clock, woken, at } = setUp()
    at(-5)
    await clock.advance(0)
    expect(woken).toEqual([0])
  })

  it('is silent once closed', async () => {
    const { clock, woken, timer, at } = setUp()
    at(20)
    timer.close()
    await clock.advance(100)
    expect(woken).toEqual([])
    expect(clock.timers).toBe(0)
  })
})
