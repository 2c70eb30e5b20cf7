// Defects of hashicorp/raft in elections and terms, by their number in its issue tracker. None of them may come back.
import type { RpcRequest, RpcResponse } from '@raftkit/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster, type ClusterOptions } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
async function start(options: ClusterOptions = {}): Promise<void> {
  cluster = await TestCluster.start(options)
  leader = await cluster.leader()
}
afterEach(() => cluster.stop())

/** Sends a request to a server as a stranger on the network would. */
async function send<T extends RpcRequest>(to: string, request: T): Promise<RpcResponse> {
  const address = `stranger-${cluster.network.addresses.length}`
  const transport = cluster.network.transport(address)
  const { type } = request
  if (type === 'install-snapshot') throw new Error('not a call')
  const answer = transport.call<typeof type>({ id: to, address: to }, request as never)
  const response = await cluster.clock.wait(answer)
  await transport.close()
  return response
}

const headerOf = (id: string) => ({ protocolVersion: 3, id, address: id })

describe('#695: a heartbeat of a higher term while the leader appends', () => {
  it('never lets the old leader write an entry of a term that it does not own', async () => {
    await start()
    const [other] = cluster.others(leader)
    const term = leader.raft.currentTerm
    leader.store.hang()
    const lost = rejection(leader.raft.apply(bytesOf('x'), { timeoutMs: 3000 }))
    await send(leader.id, {
      type: 'append-entries',
      header: headerOf(other!.id),
      term: term + 5,
      prevLogIndex: 0,
      prevLogTerm: 0,
      leaderCommit: 0,
      entries: null,
    }).catch(() => {})
    const late = await rejection(leader.raft.apply(bytesOf('y')))
    expect(late.code).toBe('RAFT_NOT_LEADER')
    leader.store.release()
    await cluster.clock.settle()
    expect(leader.raft.state).toBe('follower')
    const { lastIndex } = await leader.data.bounds()
    const batch = await leader.data.read(1, lastIndex, { maxBytes: 1e6 })
    expect(Math.max(...batch.terms)).toBe(term)
    await lost.catch(() => {})
  })
})

describe('#661: term and vote are saved apart', () => {
  it('saves them as one write, before the vote leaves', async () => {
    cluster = await TestCluster.start()
    const [a] = cluster.members
    a!.store.hang()
    const answered: RpcResponse[] = []
    const vote = send('a', {
      type: 'request-vote',
      header: headerOf('b'),
      term: 9,
      lastLogIndex: 1,
      lastLogTerm: 1,
      leadershipTransfer: false,
    }).then((response) => answered.push(response))
    await cluster.clock.settle()
    expect(answered).toEqual([])
    a!.store.release()
    await vote
    expect(answered).toMatchObject([{ granted: true, term: 9 }])
    expect(await a!.data.loadHardState()).toEqual({ term: 9, votedFor: { id: 'b', address: 'b' } })
    expect(a!.store.operations.filter((line) => line.startsWith('saveHardState'))).toEqual([
      'saveHardState 9',
    ])
  })
})

describe('#606, #605: pre-votes and the known leader', () => {
  it('lets a deposed leader come back by pre-vote when the others are gone', async () => {
    await start()
    const others = cluster.others(leader)
    for (const member of others) await cluster.kill(member)
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    for (const member of others) await cluster.restart(member)
    await expect(cluster.leader()).resolves.toBeDefined()
  })

  it('does not take a pre-vote for contact with a leader: a follower without one still campaigns', async () => {
    await start()
    const [first, second] = cluster.others(leader)
    await cluster.kill(leader)
    await cluster.kill(second!)
    const from = cluster.clock.now()
    const ask = {
      type: 'request-pre-vote',
      header: headerOf(second!.id),
      term: 50,
      lastLogIndex: 0,
      lastLogTerm: 0,
    } as const
    for (let count = 0; count < 20 && first!.raft.state === 'follower'; count++) {
      await send(first!.id, ask)
      await cluster.clock.advance(20)
    }
    expect(first!.raft.state).not.toBe('follower')
    expect(cluster.clock.now() - from).toBeLessThanOrEqual(400)
  })
})

describe('#524, #526: servers outside of the configuration, and without a vote', () => {
  it('a stranger with a high term does not disturb the leader', async () => {
    await start()
    const response = await send(leader.id, {
      type: 'request-vote',
      header: headerOf('removed'),
      term: 99,
      lastLogIndex: 1000,
      lastLogTerm: 98,
      leadershipTransfer: false,
    })
    expect(response).toMatchObject({ granted: false })
    await cluster.clock.advance(1000)
    expect(leader.raft.state).toBe('leader')
    expect(leader.raft.currentTerm).toBeLessThan(99)
  })

  it('a nonvoter never campaigns', async () => {
    await start({ ids: ['a', 'n'], suffrage: { n: 'nonvoter' } })
    await cluster.kill(leader)
    await cluster.clock.advance(10_000)
    expect(cluster.member('n').raft.state).toBe('follower')
    expect(cluster.member('n').raft.currentTerm).toBe(leader.raft.currentTerm)
  })
})

describe('TimeoutNow is taken from anyone, in any state', () => {
  it('a blank server is not made a candidate by it', async () => {
    cluster = await TestCluster.start({ ids: ['a'] })
    const blank = await cluster.add('z', false)
    await send('z', { type: 'timeout-now', header: headerOf('a') }).catch(() => {})
    await cluster.clock.advance(1000)
    expect(blank.raft.state).toBe('follower')
    expect(blank.raft.currentTerm).toBe(0)
  })

  it('a follower does not obey a server that does not lead', async () => {
    await start()
    const [follower, other] = cluster.others(leader)
    await send(follower!.id, { type: 'timeout-now', header: headerOf(other!.id) }).catch(() => {})
    await cluster.clock.advance(500)
    expect(leader.raft.state).toBe('leader')
  })
})

describe('pre-vote beside servers that do not know it (hashicorp/raft up to 1.6)', () => {
  it('elects a leader all the same', async () => {
    cluster = await TestCluster.start({
      transport: (transport) => ({
        localAddress: transport.localAddress,
        setHandler: (handler) =>
          transport.setHandler((request, context) => {
            if (request.type !== 'request-pre-vote' || transport.localAddress === 'a')
              return handler(request, context)
            throw new Error('unexpected command')
          }),
        call: (peer, request, options) =>
          transport.call(peer, request, options).catch((error: Error) => {
            if (!error.message.includes('unexpected command')) throw error
            throw Object.assign(error, { code: 'RAFT_RPC_UNSUPPORTED' })
          }),
        installSnapshot: (...call) => transport.installSnapshot(...call),
        openPipeline: (...call) => transport.openPipeline(...call),
        close: () => transport.close(),
      }),
    })
    await expect(cluster.leader()).resolves.toBeDefined()
  })
})
