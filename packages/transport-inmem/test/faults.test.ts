import { describe, expect, it } from 'vitest'
import { drawFate, NO_FAULTS } from '../src/faults.ts'
import type { LinkFaults } from '../src/index.ts'
import { InmemNetwork } from '../src/index.ts'
import { seeded } from './virtual-clock.ts'
import { append, follow, peers, termOf, vote, world } from './world.ts'
import type { World } from './world.ts'

/** Calls b `count` times at once and lets time pass until all is done. */
async function callMany(at: World, count: number): Promise<number> {
  const outcomes = Array.from({ length: count }, (_, i) =>
    follow(at.a.call(peers.b, vote(i + 1), { timeoutMs: 10_000 })),
  )
  await at.clock.pass(20_000)
  return outcomes.filter((outcome) => outcome.state === 'resolved').length
}

describe('link faults', () => {
  it('deliver at the end of the turn when there is no delay, never inside the call', async () => {
    const at = world()
    const call = follow(at.a.call(peers.b, vote(1)))
    expect(at.log).toEqual([])
    await at.clock.settle()
    expect(at.log.map((entry) => entry.at)).toEqual([0])
    expect(call.state).toBe('resolved')
  })

  it('delay both the request and the answer', async () => {
    const at = world({ faults: { minDelayMs: 20 } })
    const call = follow(at.a.call(peers.b, vote(1)))
    await at.clock.pass(39)
    expect(at.log.map((entry) => entry.at)).toEqual([20])
    expect(call.state).toBe('pending')
    await at.clock.pass(1)
    expect(call.state).toBe('resolved')
  })

  it('delay by an exponentially distributed time and keep the order', async () => {
    const at = world({ faults: { minDelayMs: 5, jitterMs: 50 } })
    const delays: number[] = []
    for (let i = 0; i < 300; i++) {
      const sent = at.log.length
      const before = at.clock.now()
      follow(at.a.call(peers.b, vote(i + 1)))
      await at.clock.pass(1000)
      delays.push(at.log[sent]!.at + 1000 - before)
    }
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(5)
    expect(mean).toBeGreaterThan(45)
    expect(mean).toBeLessThan(65)
    expect(await callMany(at, 100)).toBe(100)
    const terms = at.log.slice(300).map((entry) => termOf(entry.request))
    expect(terms).toEqual(terms.toSorted((x, y) => x - y))
  })

  it('lose some of the requests and some of the answers', async () => {
    const at = world({ faults: { loss: 0.3 } })
    const answered = await callMany(at, 1000)
    expect(at.log.length).toBeGreaterThan(650)
    expect(at.log.length).toBeLessThan(750)
    expect(answered).toBeGreaterThan(430)
    expect(answered).toBeLessThan(550)
  })

  it('let a lost call end at its deadline', async () => {
    const at = world({ faults: { loss: 1 } })
    const call = follow(at.a.call(peers.b, vote(1), { timeoutMs: 250 }))
    const standard = follow(at.a.call(peers.b, vote(1)))
    await at.clock.pass(249)
    expect(call.state).toBe('pending')
    await at.clock.pass(1)
    expect(call.state).toBe('RAFT_RPC_TIMEOUT')
    await at.clock.pass(749)
    expect(standard.state).toBe('pending')
    await at.clock.pass(1)
    expect(standard.state).toBe('RAFT_RPC_TIMEOUT')
  })

  it('deliver a duplicated request twice, each copy its own, and drop the second answer', async () => {
    const at = world({ faults: { duplication: 1 } })
    const seen: Uint8Array[] = []
    at.b.setHandler((request) => {
      if (request.type !== 'forward') throw new Error('unexpected')
      seen.push(request.payload.slice())
      request.payload.fill(0)
      return { ...request, payload: Uint8Array.of(seen.length) }
    })
    const forward = { type: 'forward', header: vote(1).header, payload: Uint8Array.of(7) } as const
    const call = at.a.call(peers.b, forward)
    await at.clock.settle()
    expect(seen).toEqual([Uint8Array.of(7), Uint8Array.of(7)])
    expect((await call).payload).toEqual(Uint8Array.of(1))
  })

  it('let later messages overtake only when told to', async () => {
    const at = world({ faults: { jitterMs: 20 } })
    at.network.setFaults({ reordering: 0.2, reorderDelayMs: 30 })
    expect(await callMany(at, 100)).toBe(100)
    const terms = at.log.map((entry) => termOf(entry.request))
    expect(terms).not.toEqual(terms.toSorted((x, y) => x - y))
    expect(terms.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
  })

  it('slow a link down to its rate, and do not let calls wait for streams', async () => {
    const at = world({ faults: { bytesPerSecond: 10_000 }, defaults: { timeoutMs: 100_000 } })
    const opening = at.a.openPipeline(peers.b)
    await at.clock.pass(1000)
    const pipeline = await opening
    const start = at.clock.now()
    const sends = [1, 2, 3].map((term) => follow(pipeline.send(append(term, 10_000))))
    follow(at.a.call(peers.b, vote(99)))
    await at.clock.pass(500)
    expect(at.log.map((entry) => termOf(entry.request))).toEqual([99])
    await at.clock.pass(10_000)
    const times = at.log.slice(1).map((entry) => entry.at + 1000 - start)
    for (const [i, time] of times.entries()) expect(time / 1000).toBeCloseTo(i + 1, 1)
    expect(sends.map((send) => send.state)).toEqual(['resolved', 'resolved', 'resolved'])
  })

  it('lose calls beyond what the link holds', async () => {
    const at = world({ faults: { minDelayMs: 10, capacityBytes: 64 * 5 } })
    expect(await callMany(at, 20)).toBe(5)
    expect(await callMany(at, 5)).toBe(5)
  })

  it('of one link go before the general ones, in one direction', async () => {
    const at = world({ faults: { minDelayMs: 10 } })
    at.network.setLinkFaults('a:1', 'b:1', { jitterMs: 0, minDelayMs: 100 })
    at.network.setFaults({ minDelayMs: 20 })
    const call = follow(at.a.call(peers.b, vote(1)))
    await at.clock.pass(119)
    expect(at.log.map((entry) => entry.at)).toEqual([100])
    expect(call.state).toBe('pending')
    await at.clock.pass(1)
    expect(call.state).toBe('resolved')
    at.network.setLinkFaults('a:1', 'b:1', undefined)
    follow(at.a.call(peers.b, vote(2)))
    await at.clock.pass(20)
    expect(at.log).toHaveLength(2)
  })

  it.each<Partial<LinkFaults>>([
    { loss: -0.1 },
    { loss: 1.1 },
    { duplication: Number.NaN },
    { reordering: 2 },
    { minDelayMs: -1 },
    { jitterMs: Infinity },
    { bytesPerSecond: 0 },
  ])('refuse %o', (faults) => {
    const [name] = Object.keys(faults)
    expect(() => new InmemNetwork({ faults })).toThrow(name)
    expect(() => new InmemNetwork().setLinkFaults('a', 'b', faults)).toThrow(name)
  })
})

describe('chance', () => {
  /** What happens to 200 calls, as text. */
  async function story(seed: number, faults: Partial<LinkFaults>): Promise<string> {
    const at = world({ random: seeded(seed), faults })
    const outcomes = Array.from({ length: 200 }, (_, i) => follow(at.a.call(peers.b, vote(i))))
    await at.clock.pass(5000)
    const received = at.log.map((entry) => `${entry.at.toFixed(3)}:${termOf(entry.request)}`)
    return JSON.stringify([received, outcomes])
  }

  const all = { jitterMs: 9, loss: 0.2, duplication: 0.2, reordering: 0.2 }

  it('is the same for the same seed, and other for another', async () => {
    expect(await story(5, all)).toBe(await story(5, all))
    expect(await story(5, all)).not.toBe(await story(6, all))
  })

  it('decides the same losses whether or not other faults are on', () => {
    const losses = (faults: Partial<LinkFaults>): boolean[] => {
      const random = seeded(3)
      return Array.from({ length: 100 }, () => drawFate(random, { ...NO_FAULTS, ...faults }).lost)
    }
    expect(losses(all)).toEqual(losses({ loss: 0.2 }))
    expect(losses(all)).toContain(true)
  })

  it('may have a source of its own for each link', async () => {
    const links: string[] = []
    const at = world({
      randomOf: (from, to) => {
        links.push(`${from} ${to}`)
        return seeded(links.length)
      },
      faults: { loss: 0.5 },
    })
    await callMany(at, 20)
    expect(links).toEqual(['a:1 b:1', 'b:1 a:1'])
  })
})
