import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeliveryQueue } from '../src/delivery-queue.ts'
import { realClock } from '../src/real-clock.ts'
import { VirtualClock } from './virtual-clock.ts'

describe('DeliveryQueue', () => {
  it('runs everything at its time, in the order of time, then of scheduling', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 60 }), async (delays) => {
        const clock = new VirtualClock()
        const queue = new DeliveryQueue(clock)
        const start = clock.now()
        const ran: { id: number; at: number }[] = []
        for (const [id, delay] of delays.entries())
          queue.schedule(start + delay, () => ran.push({ id, at: clock.now() - start }))
        expect(ran).toEqual([])
        await clock.pass(20)
        const expected = delays
          .map((at, id) => ({ id, at }))
          .toSorted((a, b) => a.at - b.at || a.id - b.id)
        expect(ran).toEqual(expected)
        expect(clock.timers).toBe(0)
      }),
    )
  })

  it('sets one timer however much is scheduled', () => {
    const clock = new VirtualClock()
    const queue = new DeliveryQueue(clock)
    for (const delay of [30, 10, 20, 5]) queue.schedule(clock.now() + delay, () => {})
    expect(clock.timers).toBe(1)
  })

  it('runs what a delivery schedules in a later turn', async () => {
    const clock = new VirtualClock()
    const queue = new DeliveryQueue(clock)
    const ran: string[] = []
    queue.schedule(clock.now(), () => {
      queue.schedule(clock.now(), () => ran.push('inner'))
      ran.push('outer')
    })
    queue.schedule(clock.now(), () => ran.push('next'))
    await clock.settle()
    expect(ran).toEqual(['outer', 'next', 'inner'])
  })

  it('keeps its order in real time', async () => {
    const queue = new DeliveryQueue(realClock)
    const ran: number[] = []
    const start = realClock.now()
    await new Promise<void>((resolve) => {
      for (const delay of [3.5, 1.2, 0, 3.4, 1.1, 5])
        queue.schedule(start + delay, () => {
          ran.push(delay)
          expect(realClock.now() - start).toBeGreaterThanOrEqual(delay)
          if (delay === 5) resolve()
        })
    })
    expect(ran).toEqual([0, 1.1, 1.2, 3.4, 3.5, 5])
  })
})
