import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { InmemNetwork } from '../src/index.ts'
import type { InmemTransportOptions } from '../src/index.ts'
import { VirtualClock } from './virtual-clock.ts'
import { answerTo, append, follow, header, peers, silent, snapshot, vote, world } from './world.ts'

describe('InmemTransport', () => {
  it('refuses an address that is taken, and gives it back when closed', async () => {
    const network = new InmemNetwork()
    const first = network.transport('a:1')
    expect(() => network.transport('a:1')).toThrow(
      expect.objectContaining({ code: 'RAFT_LISTEN_FAILED' }),
    )
    await first.close()
    expect(network.transport('a:1').localAddress).toBe('a:1')
  })

  it.each<InmemTransportOptions>([
    { timeoutMs: 0 },
    { snapshotTimeoutMs: -1 },
    { maxBufferedBytes: Number.NaN },
    { maxPipelinedSends: 0 },
  ])('refuses %o', (options) => {
    const make = (): unknown => new InmemNetwork().transport('a:1', options)
    expect(make).toThrow(expect.objectContaining({ code: 'RAFT_INVALID_CONFIG' }))
  })

  it('leaves no timer and no address behind when everything is closed', async () => {
    const at = world()
    at.b.setHandler(silent)
    const opening = at.a.openPipeline(peers.b)
    await at.clock.settle()
    const pipeline = await opening
    follow(at.a.call(peers.b, vote(1)))
    follow(pipeline.send(append(1)))
    async function* state(): AsyncGenerator<Uint8Array, void, undefined> {
      yield new Uint8Array(10)
    }
    follow(at.a.installSnapshot(peers.b, snapshot(20), state()))
    await at.clock.settle()
    expect(at.clock.timers).toBeGreaterThan(0)
    await at.a.close()
    await at.b.close()
    await at.clock.settle()
    expect(at.clock.timers).toBe(0)
    expect(at.network.addresses).toEqual([])
  })

  it('does not hold on to a signal once the call has ended', async () => {
    const at = world()
    const { signal } = new AbortController()
    const calls = [1, 2, 3].map((term) => follow(at.a.call(peers.b, vote(term), { signal })))
    expect(getEventListeners(signal, 'abort')).toHaveLength(3)
    await at.clock.settle()
    expect(calls.map((call) => call.state)).toEqual(['resolved', 'resolved', 'resolved'])
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('measures its deadlines by its own clock', async () => {
    const at = world({ faults: { loss: 1 } })
    const clock = new VirtualClock()
    const slow = at.network.transport('c:1', { clock })
    const call = follow(slow.call(peers.b, vote(1)))
    await at.clock.pass(5000)
    expect(call.state).toBe('pending')
    await clock.pass(1000)
    expect(call.state).toBe('RAFT_RPC_TIMEOUT')
  })

  it('hands a late request to whoever has the address by then', async () => {
    const at = world({ faults: { minDelayMs: 50 } })
    const call = follow(at.a.call(peers.b, vote(1)))
    await at.clock.pass(20)
    await at.b.close()
    const again = at.network.transport('b:1')
    again.setHandler(answerTo)
    await at.clock.pass(80)
    expect(call.state).toBe('resolved')
  })

  it('hands over an overtaken request whose caller has left with its signal aborted', async () => {
    const at = world()
    const signals: AbortSignal[] = []
    at.b.setHandler((_request, context) => {
      signals.push(context.signal)
      return new Promise(() => {})
    })
    at.network.setFaults({ minDelayMs: 100, reordering: 1 })
    const call = follow(at.a.call(peers.b, vote(1), { timeoutMs: 10 }))
    at.network.setFaults({})
    await at.clock.pass(20)
    expect([call.state, signals]).toEqual(['RAFT_RPC_TIMEOUT', []])
    await at.clock.pass(1000)
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
  })

  it('tells callers when it closes while it serves them', async () => {
    const at = world({ faults: { minDelayMs: 10 } })
    at.b.setHandler(silent)
    const call = follow(at.a.call(peers.b, vote(1)))
    await at.clock.pass(10)
    await at.b.close()
    await at.clock.pass(9)
    expect(call.state).toBe('pending')
    await at.clock.pass(1)
    expect(call.state).toBe('RAFT_CONNECTION_LOST')
  })

  it('shares no state between caller and handler, either way', async () => {
    const at = world()
    const kept = Uint8Array.of(1, 2, 3)
    at.b.setHandler((request) => {
      if (request.type !== 'forward') throw new Error('unexpected')
      expect(request.payload).toEqual(Uint8Array.of(7, 7))
      request.payload.fill(0)
      return { type: 'forward', header, payload: kept }
    })
    const payload = Uint8Array.of(7, 7)
    const call = at.a.call(peers.b, { type: 'forward', header, payload })
    payload[0] = 9
    await at.clock.settle()
    const answer = await call
    kept.fill(0)
    expect(payload).toEqual(Uint8Array.of(9, 7))
    expect(answer.payload).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('copies what a snapshot source gives: it may use its buffer again', async () => {
    const at = world()
    const received: number[] = []
    at.b.setHandler(async (request, context) => {
      for await (const chunk of context.snapshot!) received.push(...chunk)
      return answerTo(request)
    })
    async function* state(): AsyncGenerator<Uint8Array, void, undefined> {
      const buffer = new Uint8Array(2)
      for (let i = 1; i <= 3; i++) yield buffer.fill(i)
    }
    const install = follow(at.a.installSnapshot(peers.b, snapshot(6), state()))
    await at.clock.settle()
    expect(install.state).toBe('resolved')
    expect(received).toEqual([1, 1, 2, 2, 3, 3])
  })

  it('sends nothing when it closes with nothing under way', async () => {
    let draws = 0
    const at = world({ random: { next: () => (draws++, 0.5) } })
    const calls = [1, 2, 3].map((term) => follow(at.a.call(peers.b, vote(term))))
    await at.clock.settle()
    expect(calls.map((call) => call.state)).toEqual(['resolved', 'resolved', 'resolved'])
    const before = draws
    await at.b.close()
    await at.a.close()
    expect([before, draws]).toEqual([36, 36])
  })

  it('turns an answer of the wrong type into an error', async () => {
    const at = world()
    at.b.setHandler(() => ({ type: 'timeout-now', header }))
    const call = follow(at.a.call(peers.b, vote(1)))
    await at.clock.settle()
    expect(call.state).toBe('RAFT_REMOTE_ERROR')
  })

  it('fails an install whose source cannot even be opened', async () => {
    const at = world()
    at.b.setHandler(silent)
    const state = {
      [Symbol.asyncIterator]: (): AsyncIterator<Uint8Array> => {
        throw new Error('no such file')
      },
    }
    const install = follow(at.a.installSnapshot(peers.b, snapshot(5), state))
    await at.clock.settle()
    expect(install.state).toBe('RAFT_SNAPSHOT_FAILED')
  })

  it('is closed at the end of an await using block', async () => {
    const network = new InmemNetwork()
    {
      await using transport = network.transport('a:1')
      expect(network.addresses).toEqual([transport.localAddress])
    }
    expect(network.addresses).toEqual([])
  })
})

describe('intercept', () => {
  it('shows every message and drops those it is told to', async () => {
    const at = world()
    const shown: string[] = []
    const stop = at.network.intercept(({ from, to, kind, message }) => {
      shown.push(`${from} ${to} ${kind} ${message.type}`)
      return message.type === 'request-vote' && kind === 'response' ? 'drop' : undefined
    })
    const vote1 = follow(at.a.call(peers.b, vote(1)))
    const timeoutNow = follow(at.a.call(peers.b, { type: 'timeout-now', header }))
    await at.clock.pass(1000)
    expect([vote1.state, timeoutNow.state]).toEqual(['RAFT_RPC_TIMEOUT', 'resolved'])
    expect(shown).toEqual([
      'a:1 b:1 request request-vote',
      'a:1 b:1 request timeout-now',
      'b:1 a:1 response request-vote',
      'b:1 a:1 response timeout-now',
    ])
    stop()
    const vote2 = follow(at.a.call(peers.b, vote(2)))
    await at.clock.settle()
    expect(vote2.state).toBe('resolved')
    expect(shown).toHaveLength(4)
  })

  it('wedges the stream of a message that it drops', async () => {
    const at = world()
    const opening = at.a.openPipeline(peers.b)
    await at.clock.settle()
    const pipeline = await opening
    at.network.intercept(({ message }) =>
      'entries' in message && message.term === 2 ? 'drop' : undefined,
    )
    const sends = [1, 2, 3].map((term) => follow(pipeline.send(append(term))))
    await at.clock.pass(999)
    expect(sends.map((send) => send.state)).toEqual(['resolved', 'pending', 'pending'])
    expect(at.log).toHaveLength(1)
    await at.clock.pass(1)
    expect(sends[1]?.state).toBe('RAFT_RPC_TIMEOUT')
  })

  it('drops a snapshot before it starts, and its answer', async () => {
    const at = world()
    let kind = 'request'
    at.network.intercept((message) => (message.kind === kind ? 'drop' : undefined))
    async function* state(): AsyncGenerator<Uint8Array, void, undefined> {
      yield new Uint8Array(5)
    }
    const install = (): Promise<unknown> =>
      at.a.installSnapshot(peers.b, snapshot(5), state(), { timeoutMs: 100 })
    const first = follow(install())
    await at.clock.pass(100)
    expect([first.state, at.log.length]).toEqual(['RAFT_RPC_TIMEOUT', 0])
    kind = 'response'
    const second = follow(install())
    await at.clock.pass(100)
    expect([second.state, at.log.length]).toEqual(['RAFT_RPC_TIMEOUT', 1])
  })
})
