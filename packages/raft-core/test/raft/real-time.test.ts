import { bootstrapCluster, Raft } from '@raftkit/raft-core'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { InmemNetwork } from '@raftkit/transport-inmem'
import { describe, expect, it } from 'vitest'
import { bytesOf, TextMachine } from '../support/text-machine.ts'

/** Whole servers on the platform's clock. */
async function startAll(network: InmemNetwork, ids: readonly string[]) {
  const configuration = {
    servers: ids.map((id) => ({ suffrage: 'voter' as const, id, address: id })),
  }
  return Promise.all(
    ids.map(async (id) => {
      const store = new InmemStore()
      const stores = {
        logStore: store,
        stableStore: store,
        snapshotStore: new InmemSnapshotStore(),
      }
      await bootstrapCluster({ ...stores, configuration })
      const stateMachine = new TextMachine()
      const transport = network.transport(id)
      const config = { heartbeatTimeoutMs: 300, electionTimeoutMs: 300, leaderLeaseTimeoutMs: 200 }
      return {
        raft: await Raft.start<string>({ id, ...stores, stateMachine, transport, config }),
        stateMachine,
      }
    }),
  )
}

describe.each([3, 5])('%d servers in real time', (size) => {
  it('elect, replicate, survive their leader, and end', async () => {
    const network = new InmemNetwork()
    const servers = await startAll(network, ['a', 'b', 'c', 'd', 'e'].slice(0, size))
    const rafts = servers.map(({ raft }) => raft)
    const ready = (among: readonly Raft<string>[]) =>
      new Promise<Raft<string>>((resolve) => {
        for (const raft of among) raft.on('leader-ready', () => resolve(raft))
      })
    const first = await ready(rafts)
    const texts = Array.from({ length: 500 }, (_, at) => `c${at}`)
    await Promise.all(texts.map((text) => first.apply(bytesOf(text))))
    const rest = rafts.filter((raft) => raft !== first)
    const next = ready(rest)
    await first.shutdown()
    const second = await next
    expect(await second.read(() => 'served')).toBe('served')
    await second.apply(bytesOf('last'))
    const leading = servers.find(({ raft }) => raft === second)!
    expect(leading.stateMachine.texts).toEqual([...texts, 'last'])
    await Promise.all(rest.map((raft) => raft.shutdown()))
  })
})

describe('await using', () => {
  it('ends a server at the end of the block', async () => {
    const [only] = await startAll(new InmemNetwork(), ['a'])
    const { raft } = only!
    {
      await using server = raft
      expect(server.state).toBe('follower')
    }
    expect(raft.state).toBe('stopped')
  })
})
