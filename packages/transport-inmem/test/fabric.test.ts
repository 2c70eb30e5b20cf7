import { describe, expect, it } from 'vitest'
import { DeliveryQueue } from '../src/delivery-queue.ts'
import { Fabric } from '../src/fabric.ts'
import type { Dialling } from '../src/fabric.ts'
import type { ClientEnd, ServerEnd } from '../src/stream.ts'
import { seeded, VirtualClock } from './virtual-clock.ts'

/** A fabric where b listens; keeps the ends that were opened. */
function fabricWithB(): {
  clock: VirtualClock
  fabric: Fabric
  clients: ClientEnd[]
  servers: ServerEnd[]
  dial: (dialling: Dialling) => void
} {
  const clock = new VirtualClock()
  const random = seeded(1)
  const fabric = new Fabric({
    queue: new DeliveryQueue(clock),
    randomOf: () => random,
    halfOpenMs: 100,
  })
  const clients: ClientEnd[] = []
  const servers: ServerEnd[] = []
  fabric.listen('b', {
    serve: () => {
      throw new Error('no calls here')
    },
    accept: (end) => {
      servers.push(end)
      end.receive({ onFrame: () => {}, onClose: () => {} })
    },
  })
  const dial = (dialling: Dialling): void =>
    fabric.dial('a', 'b', dialling, (end) => clients.push(end))
  return { clock, fabric, clients, servers, dial }
}

const waiting: Dialling = { settled: false, fail: () => {} }

describe('Fabric', () => {
  it('forgets a stream once both ends are gone', async () => {
    const { clock, fabric, clients, servers, dial } = fabricWithB()
    dial(waiting)
    await clock.settle()
    expect(fabric.streams.size).toBe(1)
    clients[0]?.close()
    expect(fabric.streams.size).toBe(1)
    await clock.settle()
    expect([servers[0]?.closed, fabric.streams.size]).toEqual([true, 0])
  })

  it('ends a stream that opens when nobody waits for it any more', async () => {
    const { clock, fabric, clients, servers, dial } = fabricWithB()
    dial({ settled: true, fail: () => {} })
    await clock.settle()
    expect([clients.length, servers.length, fabric.streams.size]).toEqual([0, 1, 0])
  })

  it('ends a stream whose opening the caller never heard of', async () => {
    const { clock, fabric, clients, dial } = fabricWithB()
    fabric.link('b', 'a').cut = true
    dial(waiting)
    await clock.pass(99)
    expect([clients.length, fabric.streams.size]).toEqual([0, 1])
    await clock.pass(1)
    expect(fabric.streams.size).toBe(0)
  })

  it('opens one stream for a dial, also when its messages are doubled', async () => {
    const { clock, fabric, clients } = fabricWithB()
    fabric.link('a', 'b').faults = { ...fabric.defaults, duplication: 1 }
    fabric.link('b', 'a').faults = { ...fabric.defaults, duplication: 1 }
    const dialling = { settled: false, fail: () => {} }
    fabric.dial('a', 'b', dialling, (end) => {
      dialling.settled = true
      clients.push(end)
    })
    await clock.settle()
    expect([clients.length, fabric.streams.size]).toEqual([1, 1])
  })
})
