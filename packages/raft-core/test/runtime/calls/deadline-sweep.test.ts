import { describe, expect, it } from 'vitest'
import { DeadlineSweep } from '../../../src/runtime/calls/deadline-sweep.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

function setUp() {
  const clock = new VirtualClock()
  let deadlines: number[] = []
  const sweeps: number[] = []
  const sweep = new DeadlineSweep(clock, (now) => {
    sweeps.push(now)
    deadlines = deadlines.filter((deadline) => deadline > now)
    return Math.min(Infinity, ...deadlines)
  })
  const wait = (ms: number): void => {
    deadlines.push(clock.now() + ms)
    sweep.note(clock.now() + ms)
  }
  return { clock, sweep, wait, sweeps, left: () => deadlines.length }
}

describe('DeadlineSweep', () => {
  it('sweeps at the earliest deadline, then at the next', async () => {
    const { clock, wait, sweeps, left } = setUp()
    const start = clock.now()
    wait(100)
    wait(30)
    await clock.advance(200)
    expect(sweeps).toEqual([start + 30, start + 100])
    expect(left()).toBe(0)
  })

  it('serves many callers of the same timeout with one timer', async () => {
    const { clock, wait, sweeps } = setUp()
    for (let count = 0; count < 1000; count++) {
      wait(3000)
      await clock.advance(1)
    }
    expect(clock.timers).toBe(1)
    expect(sweeps).toEqual([])
  })

  it('serves distinct deadlines close to each other together', async () => {
    const { clock, wait, sweeps, left } = setUp()
    for (let ms = 10; ms < 20; ms++) wait(ms)
    await clock.advance(30)
    expect(left()).toBe(0)
    expect(sweeps.length).toBeLessThanOrEqual(3)
  })

  it('is silent once closed', async () => {
    const { clock, wait, sweep, sweeps } = setUp()
    wait(10)
    sweep.close()
    wait(1)
    await clock.advance(50)
    expect(sweeps).toEqual([])
    expect(clock.timers).toBe(0)
  })
})
