// What raftkit adds to the protocol (docs/formats.md) never reaches a server that is not known to be raftkit.
import { join } from 'node:path'
import { createKvMachine } from '@raftkit-examples/kv/kv-machine'
import { RaftError, type RpcRequest } from '@raftkit/interface'
import { bootstrapCluster, Raft } from '@raftkit/raft-core'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { NetworkTransport } from '@raftkit/transport-network'
import { TcpStreamLayer } from '@raftkit/transport-tcp'
import { RequestDecoder } from '@raftkit/wire'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { ClusterServer } from '../src/cluster-server.ts'
import { DEFAULT_CONFIG } from '../src/cluster.ts'
import type { Member } from '../src/protocol.ts'
import { until } from '../src/waiting.ts'
import { RecordedStreams } from './recorded-streams.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A raftkit server in this process, whose writes to the network are kept. */
class WatchedServer {
  readonly streams: RecordedStreams[] = []
  readonly #store = new InmemStore()
  readonly #snapshots = new InmemSnapshotStore()
  #transport: NetworkTransport | undefined
  #address = '127.0.0.1:0'

  async listen(): Promise<string> {
    const stream = new RecordedStreams(new TcpStreamLayer({ bind: this.#address }))
    this.streams.push(stream)
    this.#transport = await NetworkTransport.open({ stream })
    this.#address = stream.localAddress
    return this.#address
  }

  async start(members?: readonly Member[]): Promise<Raft<Uint8Array>> {
    const stores = {
      logStore: this.#store,
      stableStore: this.#store,
      snapshotStore: this.#snapshots,
    }
    if (members !== undefined)
      await bootstrapCluster({ ...stores, configuration: { servers: members } })
    if (this.#transport === undefined) throw new Error('listen first')
    return Raft.start({
      id: 'node-1',
      config: DEFAULT_CONFIG,
      stateMachine: createKvMachine(),
      transport: this.#transport,
      ...stores,
    })
  }

  /** Everything that it asked others. */
  requests(): readonly RpcRequest[] {
    return this.streams.flatMap(({ dialled }) =>
      dialled.flatMap((chunks) => requestsIn(Buffer.concat(chunks))),
    )
  }

  /** Everything that it answered. */
  answers(): Buffer {
    return Buffer.concat(this.streams.flatMap(({ accepted }) => accepted.flat()))
  }
}

function requestsIn(bytes: Uint8Array): readonly RpcRequest[] {
  const decoder = new RequestDecoder()
  decoder.push(bytes)
  const found: RpcRequest[] = []
  for (;;) {
    if (decoder.takeSnapshot() !== undefined) continue
    const request = decoder.next()
    if (request === undefined) return found
    found.push(request)
  }
}

describe.runIf(inject('hasGo'))('among hashicorp/raft servers, raftkit', () => {
  it('sends no hint and no request of its own, and says only what it is', async () => {
    const root = await temporaryDirectory()
    const go = ['go-1', 'go-2'].map(
      (id) => new ClusterServer('go', { id, directory: join(root, id), config: DEFAULT_CONFIG }),
    )
    onTestFinished(async () => void (await Promise.all(go.map((server) => server.kill()))))
    const watched = new WatchedServer()
    const address = await watched.listen()
    await Promise.all(go.map((server) => server.launch()))
    const members = [
      ...go.map((server) => server.member),
      { id: 'node-1', address, suffrage: 'voter' as const },
    ]
    await Promise.all(go.map((server) => server.join(members)))
    let raft = await watched.start(members)

    const leading = (): Promise<ClusterServer> =>
      until('a Go leader', async () => {
        const statuses = await Promise.all(go.map((server) => server.status()))
        const leader = go.find((_, i) => statuses[i]?.state === 'leader')
        if (leader !== undefined) return leader
        if (raft.state === 'leader') await raft.transferLeadership('go-1').catch(() => {})
        return undefined
      })
    const first = await leading()
    await first.call('put', { key: 'a', value: 'b' })
    await until('the leader to be known', () => Promise.resolve(raft.leader))
    const refusal = await raft.forwardToLeader(new Uint8Array(10)).catch((error: unknown) => error)
    expect(RaftError.is(refusal, 'RAFT_RPC_UNSUPPORTED')).toBe(true)

    // A new leader asks a server that has fallen behind for an entry that it does not have.
    await raft.shutdown()
    for (let i = 0; i < 20; i += 1) await first.call('put', { key: `k${i}`, value: 'v' })
    const second = go.find((server) => server !== first)
    if (second === undefined) throw new Error('there is one Go server only')
    await first.call('transfer', { to: second.id, address: second.address })
    await second.until('leadership', ({ state }) => state === 'leader')
    await second.call('barrier')
    const { lastIndex } = await second.status()
    // The old leader may still be about to send what it had for this server.
    await first.kill()
    await watched.listen()
    raft = await watched.start()
    onTestFinished(() => raft.shutdown())
    await until('the log', async () => (raft.lastIndex >= lastIndex ? true : undefined))
    await raft.shutdown()

    const answers = watched.answers().toString('latin1')
    expect(answers).toContain('NoRetryBackoff\u{c3}') // It did refuse.
    expect(answers).not.toContain('Conflict')
    expect(answers).toContain('Raftkit')
    expect(watched.requests().map(({ type }) => type)).not.toContain('forward')
  })
})
