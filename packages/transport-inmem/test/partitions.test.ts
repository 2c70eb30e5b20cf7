import { describe, expect, it } from 'vitest'
import type { RpcContext } from '@raftkit/interface'
import { answerTo, append, follow, peers, silent, snapshot, vote, world } from './world.ts'

describe('partitions', () => {
  it('cut both ways, and heal', async () => {
    const at = world()
    at.a.setHandler(silent)
    at.network.cut('a:1', 'b:1')
    const calls = [follow(at.a.call(peers.b, vote(1))), follow(at.b.call(peers.a, vote(1)))]
    await at.clock.pass(1000)
    expect(calls.map((call) => call.state)).toEqual(['RAFT_RPC_TIMEOUT', 'RAFT_RPC_TIMEOUT'])
    expect(at.log).toEqual([])
    at.network.heal('b:1', 'a:1')
    const after = follow(at.a.call(peers.b, vote(2)))
    await at.clock.settle()
    expect(after.state).toBe('resolved')
  })

  it('cut one way: requests arrive, answers do not', async () => {
    const at = world()
    at.network.cutOneWay('b:1', 'a:1')
    const call = follow(at.a.call(peers.b, vote(1)))
    await at.clock.pass(1000)
    expect(at.log).toHaveLength(1)
    expect(call.state).toBe('RAFT_RPC_TIMEOUT')
    at.network.healOneWay('b:1', 'a:1')
    const after = follow(at.a.call(peers.b, vote(2)))
    await at.clock.settle()
    expect(after.state).toBe('resolved')
  })

  it('lose what is under way when the link is cut', async () => {
    const at = world({ faults: { minDelayMs: 100 } })
    const call = follow(at.a.call(peers.b, vote(1)))
    await at.clock.pass(50)
    at.network.cutOneWay('a:1', 'b:1')
    await at.clock.pass(50)
    at.network.heal()
    await at.clock.pass(900)
    expect(at.log).toEqual([])
    expect(call.state).toBe('RAFT_RPC_TIMEOUT')
  })

  it('split servers into groups; who is in none reaches everyone', async () => {
    const at = world()
    const c = at.network.transport('c:1')
    const d = at.network.transport('d:1')
    for (const transport of [at.a, at.b, c, d])
      transport.setHandler(() => ({ type: 'timeout-now', header: vote(1).header }))
    at.network.partition(['a:1'], ['b:1', 'c:1'])
    const reach = async (from: typeof c, to: string): Promise<string> => {
      const message = { type: 'timeout-now', header: vote(1).header } as const
      const call = follow(from.call({ id: to, address: to }, message))
      await at.clock.pass(1000)
      return call.state
    }
    expect(await reach(at.a, 'b:1')).toBe('RAFT_RPC_TIMEOUT')
    expect(await reach(c, 'a:1')).toBe('RAFT_RPC_TIMEOUT')
    expect(await reach(at.b, 'c:1')).toBe('resolved')
    expect(await reach(d, 'a:1')).toBe('resolved')
    expect(await reach(c, 'd:1')).toBe('resolved')
    at.network.heal('a:1')
    expect(await reach(at.a, 'b:1')).toBe('resolved')
    at.network.isolate('a:1')
    for (const to of ['b:1', 'c:1', 'd:1']) expect(await reach(at.a, to)).toBe('RAFT_RPC_TIMEOUT')
    expect(await reach(d, 'a:1')).toBe('RAFT_RPC_TIMEOUT')
    expect(await reach(at.b, 'c:1')).toBe('resolved')
    at.network.heal()
    expect(await reach(d, 'a:1')).toBe('resolved')
    expect(at.network.addresses).toEqual(['a:1', 'b:1', 'c:1', 'd:1'])
  })

  it('isolate a server also from those that are down at the moment', async () => {
    const at = world()
    follow(at.a.call(peers.b, vote(1)))
    await at.clock.settle()
    await at.b.close()
    at.network.isolate('a:1')
    const again = at.network.transport('b:1')
    again.setHandler(answerTo)
    const call = follow(at.a.call(peers.b, vote(1)))
    await at.clock.pass(1000)
    expect(call.state).toBe('RAFT_RPC_TIMEOUT')
  })

  it('never cut a server off from itself', async () => {
    const at = world()
    at.network.cut(['a:1', 'b:1'], ['a:1', 'b:1'])
    const call = follow(at.b.call(peers.b, vote(1)))
    await at.clock.settle()
    expect(call.state).toBe('resolved')
  })

  it('survive a restart of a server: they are about addresses', async () => {
    const at = world()
    at.network.cut('a:1', 'b:1')
    await at.a.close()
    const again = at.network.transport('a:1')
    const call = follow(again.call(peers.b, vote(1)))
    await at.clock.pass(1000)
    expect(call.state).toBe('RAFT_RPC_TIMEOUT')
  })
})

describe('streams on a cut link', () => {
  it('stay half-open: sends time out, and the pipeline is closed', async () => {
    const at = world()
    const opening = at.a.openPipeline(peers.b)
    await at.clock.settle()
    const pipeline = await opening
    at.network.cut('a:1', 'b:1')
    const first = follow(pipeline.send(append(1)))
    await at.clock.pass(400)
    const second = follow(pipeline.send(append(2)))
    at.network.heal()
    const third = follow(pipeline.send(append(3)))
    await at.clock.pass(599)
    expect([first, second, third].map((send) => send.state)).toEqual(Array(3).fill('pending'))
    expect(pipeline.closed).toBe(false)
    await at.clock.pass(1)
    expect(first.state).toBe('RAFT_RPC_TIMEOUT')
    expect(second.state).toBe('RAFT_CONNECTION_LOST')
    expect(third.state).toBe('RAFT_CONNECTION_LOST')
    expect(pipeline.closed).toBe(true)
    expect(at.log).toEqual([])
  })

  it('lose what was sent on the cut link, also when it heals before that would arrive', async () => {
    const at = world({ faults: { minDelayMs: 50 } })
    const opening = at.a.openPipeline(peers.b)
    await at.clock.pass(100)
    const pipeline = await opening
    at.network.cut('a:1', 'b:1')
    const send = follow(pipeline.send(append(1)))
    at.network.heal()
    await at.clock.pass(1000)
    expect(at.log).toEqual([])
    expect(send.state).toBe('RAFT_RPC_TIMEOUT')
  })

  it('are forgotten by the other end after halfOpenMs', async () => {
    const at = world({ halfOpenMs: 700 })
    const contexts: RpcContext[] = []
    at.b.setHandler((_request, context) => {
      contexts.push(context)
      return new Promise(() => {})
    })
    const opening = at.a.openPipeline(peers.b)
    await at.clock.settle()
    const pipeline = await opening
    follow(pipeline.send(append(1)))
    await at.clock.settle()
    at.network.cut('a:1', 'b:1')
    pipeline.close()
    await at.clock.pass(699)
    expect(contexts[0]?.signal.aborted).toBe(false)
    await at.clock.pass(1)
    expect(contexts[0]?.signal.aborted).toBe(true)
  })

  it('are forgotten when the answer to the dial was lost', async () => {
    const at = world({ halfOpenMs: 700, faults: { minDelayMs: 10 } })
    const opening = follow(at.a.openPipeline(peers.b))
    await at.clock.pass(15)
    at.network.cutOneWay('b:1', 'a:1')
    await at.clock.pass(2000)
    expect(opening.state).toBe('RAFT_RPC_TIMEOUT')
    await at.a.close()
    await at.b.close()
    expect(at.clock.timers).toBe(0)
  })

  it('stop a snapshot at both ends', async () => {
    const at = world({ halfOpenMs: 300 })
    let failure: unknown
    at.b.setHandler(async (request, context) => {
      try {
        for await (const chunk of context.snapshot!) if (chunk) at.network.cut('a:1', 'b:1')
      } catch (error) {
        failure = error
      }
      return answerTo(request)
    })
    const size = 8 * 1024 * 1024
    async function* state(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let sent = 0; sent < size; sent += 65_536) yield new Uint8Array(65_536)
    }
    const install = at.a.installSnapshot(peers.b, snapshot(size), state(), { timeoutMs: 500 })
    const outcome = follow(install)
    await at.clock.pass(500)
    expect(outcome.state).toBe('RAFT_RPC_TIMEOUT')
    expect(failure).toBe(undefined)
    await at.clock.pass(300)
    expect(failure).toMatchObject({ code: 'RAFT_CONNECTION_LOST' })
  })
})
