import { describe, expect, it } from 'vitest'
import { StallWatch } from '../../src/runtime/stall-watch.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

function setUp() {
  const clock = new VirtualClock()
  const told: number[] = []
  const watch = new StallWatch(clock, 100, (forMs) => told.push(forMs))
  watch.start()
  return { clock, told, watch }
}

describe('StallWatch', () => {
  it('is silent while the event loop runs', async () => {
    const { clock, told, watch } = setUp()
    await clock.advance(1000)
    expect(watch.take(clock.now())).toBeUndefined()
    expect(told).toEqual([])
  })

  it('reports a stall to the turn that comes first after it', async () => {
    const { clock, told, watch } = setUp()
    await clock.advance(250)
    clock.freeze(500)
    const stalled = watch.take(clock.now())!
    expect(stalled).toBeGreaterThanOrEqual(475)
    expect(stalled).toBeLessThanOrEqual(500)
    expect(told).toEqual([stalled])
    expect(watch.take(clock.now())).toBeUndefined()
  })

  it('keeps a stall that its own timer noticed for the next turn', async () => {
    const { clock, told, watch } = setUp()
    clock.freeze(500)
    await clock.advance(10)
    expect(told).toHaveLength(1)
    expect(watch.take(clock.now())).toBe(told[0])
  })

  it('does not take a pause below the threshold for a stall', async () => {
    const { clock, told, watch } = setUp()
    clock.freeze(100)
    expect(watch.take(clock.now())).toBeUndefined()
    await clock.advance(0)
    expect(told).toEqual([])
  })
})
