import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DialBackoff } from '../../src/outbound/dial-backoff.ts'
import { heartbeat, openPair, peerB, settle } from '../fixtures.ts'
import { ManualClock } from '../manual-clock.ts'

describe('DialBackoff', () => {
  function waits(random: () => number, failures: number): number[] {
    const clock = new ManualClock()
    const backoff = new DialBackoff(10, 500, clock, { next: random })
    return Array.from({ length: failures }, () => {
      const startedAt = clock.now()
      backoff.failed('b:1', startedAt, new Error('refused'))
      try {
        backoff.check('b:1')
        return 0
      } catch (error) {
        const { retryInMs } = (error as { details: { retryInMs: number } }).details
        clock.advance(retryInMs)
        backoff.check('b:1')
        return retryInMs
      }
    })
  }

  it('doubles the wait up to the limit, in its upper half', () => {
    expect(waits(() => 0, 8)).toEqual([5, 10, 20, 40, 80, 160, 250, 250])
    expect(waits(() => 0.9999, 8)).toEqual([10, 20, 40, 80, 160, 320, 500, 500])
  })

  it('never waits longer than the limit, however often it failed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0, max: 0.999 }),
        (n, chance) => {
          const last = waits(() => (Number.isNaN(chance) ? 0 : chance), n).at(-1)
          expect(last).toBeLessThanOrEqual(500)
        },
      ),
      { numRuns: 20 },
    )
  })

  it('counts dials that ran side by side as one failure', () => {
    const clock = new ManualClock()
    const backoff = new DialBackoff(10, 500, clock, { next: () => 1 })
    clock.advance(100)
    for (let dial = 0; dial < 5; dial += 1) backoff.failed('b:1', 0, new Error('refused'))
    expect(() => backoff.check('b:1')).toThrow(
      expect.objectContaining({ details: { address: 'b:1', retryInMs: 10, failures: 1 } }),
    )
  })

  it('says that it may be tried again, when, and what happened last', () => {
    const backoff = new DialBackoff(10, 500, new ManualClock(), { next: () => 1 })
    const cause = new Error('refused')
    backoff.failed('b:1', 0, cause)
    expect(() => backoff.check('b:1')).toThrow(
      expect.objectContaining({ code: 'RAFT_DIAL_FAILED', retryable: true, cause }),
    )
    expect(() => backoff.check('c:1')).not.toThrow()
  })
})

describe('NetworkTransport', () => {
  it('does not dial an address again before its wait is over', async () => {
    const { a, b, clock, streamA } = await openPair({ random: { next: () => 1 } })
    await b.close()
    const call = () => a.call(peerB, heartbeat())
    await expect(call()).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED', retryable: true })
    await expect(call()).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED', retryable: true })
    expect(streamA.dials).toBe(1)
    clock.advance(10)
    await expect(call()).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED' })
    expect(streamA.dials).toBe(2)
    clock.advance(10)
    await expect(call()).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED' })
    expect(streamA.dials).toBe(2)
    clock.advance(10)
    await expect(call()).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED' })
    expect(streamA.dials).toBe(3)
  })

  it('starts from the shortest wait again after a success', async () => {
    const { a, clock, streamA } = await openPair({ random: { next: () => 1 }, maxPool: 0 })
    let refuse = true
    streamA.onDial = async () => {
      if (refuse) throw new Error('refused')
    }
    for (let failure = 0; failure < 5; failure += 1) {
      await expect(a.call(peerB, heartbeat())).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED' })
      clock.advance(500)
    }
    refuse = false
    await a.call(peerB, heartbeat())
    refuse = true
    await expect(a.call(peerB, heartbeat())).rejects.toMatchObject({ code: 'RAFT_DIAL_FAILED' })
    clock.advance(10)
    refuse = false
    await a.call(peerB, heartbeat())
  })

  it('does not count a dial that the caller gave up or had no time for', async () => {
    const { a, clock, streamA } = await openPair({ random: { next: () => 1 } })
    streamA.onDial = () => new Promise(() => {})
    const controller = new AbortController()
    const abandoned = a.call(peerB, heartbeat(), { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(abandoned).rejects.toThrow('enough')
    const late = a.call(peerB, heartbeat(), { timeoutMs: 50 })
    clock.advance(50)
    await expect(late).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
    streamA.onDial = async () => {}
    expect(await a.call(peerB, heartbeat())).toMatchObject({ success: true })
    expect(streamA.dials).toBe(3)
  })

  it('limits the connections to one address', async () => {
    const { a, streamA } = await openPair({ maxConnectionsPerAddress: 2 })
    const first = await a.openPipeline(peerB)
    await a.openPipeline(peerB)
    await expect(a.openPipeline(peerB)).rejects.toMatchObject({ code: 'RAFT_OVERLOADED' })
    expect(streamA.dials).toBe(2)
    first.close()
    await a.openPipeline(peerB)
    await settle()
    expect(a.stats().outboundConnections).toBe(2)
  })

  it('forgets failed and abandoned dials in its count of connections', async () => {
    const { a, clock, streamA } = await openPair({ maxConnectionsPerAddress: 1 })
    streamA.onDial = () => new Promise(() => {})
    for (let dial = 0; dial < 3; dial += 1) {
      const controller = new AbortController()
      const call = a.call(peerB, heartbeat(), { signal: controller.signal })
      controller.abort(new Error('enough'))
      await expect(call).rejects.toThrow('enough')
    }
    streamA.onDial = async () => {}
    for (let failure = 0; failure < 3; failure += 1) {
      await expect(a.call({ id: 'c', address: 'c:1' }, heartbeat())).rejects.toMatchObject({
        code: 'RAFT_DIAL_FAILED',
      })
      clock.advance(500)
    }
  })
})
