import { describe, expect, it } from 'vitest'
import type { AppendPipeline, RpcContext } from '@raftkit/interface'
import { answerTo, append, follow, peers, silent, termOf, vote, world } from './world.ts'
import type { World } from './world.ts'

async function open(at: World): Promise<AppendPipeline> {
  const opening = at.a.openPipeline(peers.b)
  await at.clock.pass(100)
  return opening
}

describe('a pipeline', () => {
  it('breaks at both ends when a message is lost', async () => {
    const at = world()
    const pipeline = await open(at)
    const contexts: RpcContext[] = []
    at.b.setHandler((_request, context) => {
      contexts.push(context)
      return new Promise(() => {})
    })
    const first = follow(pipeline.send(append(1)))
    await at.clock.settle()
    at.network.setFaults({ loss: 1 })
    const second = follow(pipeline.send(append(2)))
    expect([first.state, pipeline.closed]).toEqual(['pending', false])
    await at.clock.settle()
    expect([first.state, second.state]).toEqual(['RAFT_CONNECTION_LOST', 'RAFT_CONNECTION_LOST'])
    expect(pipeline.closed).toBe(true)
    expect(contexts.map((context) => context.signal.aborted)).toEqual([true])
  })

  it('counts as open until both ends have ended', async () => {
    const at = world()
    expect(at.network.openStreams).toBe(0)
    const pipeline = await open(at)
    expect(at.network.openStreams).toBe(1)
    pipeline.close()
    await at.clock.settle()
    expect(at.network.openStreams).toBe(0)
  })

  it('breaks when an answer is lost', async () => {
    const at = world()
    const pipeline = await open(at)
    at.network.setLinkFaults('b:1', 'a:1', { loss: 1 })
    const send = follow(pipeline.send(append(1)))
    await at.clock.settle()
    expect(at.log).toHaveLength(1)
    expect(send.state).toBe('RAFT_CONNECTION_LOST')
  })

  it('keeps its order whatever the delays, and never doubles', async () => {
    const at = world({ faults: { jitterMs: 10, duplication: 1, reordering: 1 } })
    const opening = at.a.openPipeline(peers.b)
    await at.clock.pass(500)
    const pipeline = await opening
    const sends = Array.from({ length: 50 }, (_, i) => follow(pipeline.send(append(i + 1))))
    await at.clock.pass(900)
    expect(at.log.map(({ request }) => termOf(request))).toEqual(sends.map((_, i) => i + 1))
    expect(sends.every((send) => send.state === 'resolved')).toBe(true)
  })

  it('is not writable while too much is under way', async () => {
    const at = world({ faults: { minDelayMs: 10 }, defaults: { maxBufferedBytes: 5000 } })
    const pipeline = await open(at)
    follow(pipeline.send(append(1, 4000)))
    expect(pipeline.writable).toBe(true)
    follow(pipeline.send(append(2, 4000)))
    expect(pipeline.writable).toBe(false)
    await at.clock.pass(10)
    expect(pipeline.writable).toBe(true)
  })

  it('refuses more sends than its limit', async () => {
    const at = world({ defaults: { maxPipelinedSends: 2 } })
    at.b.setHandler(silent)
    const pipeline = await open(at)
    const sends = [1, 2, 3].map((term) => follow(pipeline.send(append(term))))
    expect(pipeline.writable).toBe(false)
    await at.clock.settle()
    expect(sends.map((send) => send.state)).toEqual(['pending', 'pending', 'RAFT_OVERLOADED'])
    expect(pipeline.closed).toBe(false)
    pipeline.close()
  })

  it('measures each send by its own deadline', async () => {
    const at = world({ defaults: { timeoutMs: 100 } })
    const pipeline = await open(at)
    for (let i = 0; i < 10; i++) {
      const send = follow(pipeline.send(append(i + 1)))
      await at.clock.pass(60)
      expect(send.state).toBe('resolved')
    }
    at.b.setHandler(silent)
    const send = follow(pipeline.send(append(11)))
    await at.clock.pass(99)
    expect(send.state).toBe('pending')
    await at.clock.pass(1)
    expect(send.state).toBe('RAFT_RPC_TIMEOUT')
  })

  it('breaks when the network is told to reset it, and only that one', async () => {
    const at = world()
    const c = at.network.transport('c:1')
    c.setHandler(answerTo)
    const pipeline = await open(at)
    const opening = at.a.openPipeline(peers.c)
    await at.clock.settle()
    const other = await opening
    at.network.reset('b:1', 'a:1')
    expect(pipeline.closed).toBe(false)
    await at.clock.settle()
    expect([pipeline.closed, other.closed]).toEqual([true, false])
    at.network.reset('c:1')
    await at.clock.settle()
    expect(other.closed).toBe(true)
    const last = await open(at)
    at.network.reset()
    await at.clock.settle()
    expect(last.closed).toBe(true)
  })

  it('shares no state with its caller or its handler', async () => {
    const at = world()
    const seen: number[] = []
    at.b.setHandler((request) => {
      if (request.type !== 'append-entries') throw new Error('unexpected')
      const { bytes } = request.entries![0]!
      seen.push(bytes[0]!)
      bytes.fill(99)
      return answerTo(request)
    })
    const pipeline = await open(at)
    const request = append(5, 10)
    follow(pipeline.send(request))
    request.entries![0]!.bytes.fill(6)
    await at.clock.settle()
    expect(seen).toEqual([5])
    expect([...request.entries![0]!.bytes]).toEqual(Array<number>(10).fill(6))
  })
})

describe('a pipeline of datagrams', () => {
  const options = { defaults: { pipelines: 'datagram' } } as const

  it('loses sends one by one and goes on', async () => {
    const at = world(options)
    const pipeline = await open(at)
    at.network.setFaults({ loss: 0.3 })
    const sends = Array.from({ length: 100 }, (_, i) => follow(pipeline.send(append(i + 1))))
    await at.clock.pass(1000)
    const states = new Set(sends.map((send) => send.state))
    expect(states).toEqual(new Set(['resolved', 'RAFT_RPC_TIMEOUT']))
    expect(pipeline.closed).toBe(false)
    at.network.setFaults({})
    const send = follow(pipeline.send(append(101)))
    await at.clock.settle()
    expect(send.state).toBe('resolved')
  })

  it('may be overtaken', async () => {
    const at = world(options)
    const pipeline = await open(at)
    at.network.setFaults({ reordering: 0.5 })
    for (let term = 1; term <= 50; term++) follow(pipeline.send(append(term)))
    await at.clock.pass(1000)
    const terms = at.log.map(({ request }) => termOf(request))
    expect(terms).toHaveLength(50)
    expect(terms).not.toEqual(terms.toSorted((x, y) => x - y))
  })

  it('counts what is outstanding, and rejects it when closed', async () => {
    const at = world({ defaults: { ...options.defaults, maxPipelinedSends: 2 } })
    at.b.setHandler(silent)
    const pipeline = await open(at)
    const sends = [1, 2, 3].map((term) => follow(pipeline.send(append(term))))
    await at.clock.settle()
    expect(pipeline.writable).toBe(false)
    pipeline.close()
    pipeline.close()
    const after = follow(pipeline.send(append(4)))
    await at.clock.settle()
    expect([...sends, after].map((send) => send.state)).toEqual([
      'RAFT_PIPELINE_CLOSED',
      'RAFT_PIPELINE_CLOSED',
      'RAFT_OVERLOADED',
      'RAFT_PIPELINE_CLOSED',
    ])
    expect(at.clock.timers).toBe(0)
  })

  it('is writable again when what was outstanding is answered', async () => {
    const at = world({
      defaults: { ...options.defaults, maxPipelinedSends: 3, maxBufferedBytes: 5000 },
    })
    const pipeline = await open(at)
    for (const size of [10, 4000]) {
      const sends = [1, 2].map((term) => follow(pipeline.send(append(term, size))))
      if (size === 10) sends.push(follow(pipeline.send(append(3, size))))
      expect(pipeline.writable).toBe(false)
      await at.clock.settle()
      expect(sends.every((send) => send.state === 'resolved')).toBe(true)
      expect(pipeline.writable).toBe(true)
    }
  })

  it('ends with its transport', async () => {
    const at = world(options)
    at.b.setHandler(silent)
    const pipeline = await open(at)
    const send = follow(pipeline.send(append(1)))
    await at.a.close()
    await at.clock.settle()
    expect(send.state).toBe('RAFT_TRANSPORT_CLOSED')
    expect(pipeline.closed).toBe(true)
  })

  it('aborts the signal of the handler when a send is given up', async () => {
    const at = world(options)
    const contexts: RpcContext[] = []
    at.b.setHandler((_request, context) => {
      contexts.push(context)
      return new Promise(() => {})
    })
    const pipeline = await open(at)
    follow(pipeline.send(append(1)))
    follow(at.a.call(peers.b, vote(1)))
    await at.clock.settle()
    pipeline.close()
    await at.clock.settle()
    expect(contexts.map((context) => context.signal.aborted)).toEqual([true, false])
  })
})
