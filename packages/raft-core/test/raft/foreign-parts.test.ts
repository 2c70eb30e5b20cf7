// Stores, transports and state machines of others that do not keep to the letter of their contracts.
import { afterEach, describe, expect, it } from 'vitest'
import { TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
afterEach(() => cluster.stop())

describe('a transport that throws at once instead of rejecting', () => {
  it('is as good as an unreachable peer', async () => {
    cluster = await TestCluster.start({
      transport: (transport) => ({
        localAddress: transport.localAddress,
        setHandler: (handler) => transport.setHandler(handler),
        call: (peer, request, options) => {
          if (peer.id === 'c') throw new Error('bad address')
          return transport.call(peer, request, options)
        },
        openPipeline: (peer, options) => {
          if (peer.id === 'c') throw new Error('bad address')
          return transport.openPipeline(peer, options)
        },
        installSnapshot: (...call) => transport.installSnapshot(...call),
        close: () => transport.close(),
      }),
    })
    const able = cluster.others(cluster.member('c'))
    const leader = await cluster.leader(able)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.converged('x', able)
    expect(cluster.members.map(({ raft }) => raft.state)).not.toContain('stopped')
  })
})

describe('a logger that throws', () => {
  it('stops nothing', async () => {
    const fail = (): never => {
      throw new Error('the log is full')
    }
    const logger = { trace: fail, debug: fail, info: fail, warn: fail, error: fail }
    cluster = await TestCluster.start({ options: { logger } })
    const leader = await cluster.leader()
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    cluster.network.isolate(leader.id)
    const next = await cluster.leader(cluster.others(leader))
    await cluster.clock.wait(next.raft.apply(bytesOf('y')))
    cluster.network.heal()
    await cluster.converged('y')
    expect(cluster.members.map(({ raft }) => raft.state)).not.toContain('stopped')
  })
})

describe('a transport that never answers', () => {
  it('to one peer does not keep the others from committing', async () => {
    cluster = await TestCluster.start({
      transport: (transport) => ({
        localAddress: transport.localAddress,
        setHandler: (handler) => transport.setHandler(handler),
        call: (peer, request, options) =>
          peer.id === 'c' ? new Promise(() => {}) : transport.call(peer, request, options),
        openPipeline: (peer, options) =>
          peer.id === 'c' ? new Promise(() => {}) : transport.openPipeline(peer, options),
        installSnapshot: (...call) => transport.installSnapshot(...call),
        close: () => transport.close(),
      }),
    })
    const able = cluster.others(cluster.member('c'))
    const leader = await cluster.leader(able)
    for (const text of ['1', '2', '3']) await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
    await cluster.converged('3', able)
    const from = cluster.clock.now()
    await cluster.clock.wait(leader.raft.shutdown())
    expect(cluster.clock.now() - from).toBeLessThan(100)
  })
})
