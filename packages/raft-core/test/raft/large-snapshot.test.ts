import { InmemSnapshotStore } from '@raftkit/store-inmem'
import type {
  OpenSnapshot,
  SnapshotDescription,
  SnapshotMeta,
  SnapshotSink,
  SnapshotStore,
  StateMachine,
} from '@raftkit/interface'
import { bootstrapCluster, Raft } from '@raftkit/raft-core'
import { InmemStore } from '@raftkit/store-inmem'
import { InmemNetwork } from '@raftkit/transport-inmem'
import { describe, expect, it } from 'vitest'

const MIB = 1024 * 1024
const CHUNK_BYTES = 256 * 1024

/** Bytes that were made and not yet taken up by the state machine at the other end. */
class Gauge {
  outstanding = 0
  most = 0
  restored = 0

  made(bytes: number): void {
    this.outstanding += bytes
    this.most = Math.max(this.most, this.outstanding)
  }

  taken(bytes: number): void {
    this.outstanding -= bytes
  }
}

/** A store whose snapshots are generated when they are read and only counted when they are written. */
class GeneratedSnapshots implements SnapshotStore {
  readonly #gauge: Gauge
  readonly #size: number
  #meta: SnapshotMeta | undefined

  constructor(gauge: Gauge, size: number) {
    this.#gauge = gauge
    this.#size = size
  }

  async create(description: SnapshotDescription): Promise<SnapshotSink> {
    const gauge = this.#gauge
    return {
      id: 'generated',
      write: async (chunk) => {
        gauge.taken(chunk.length)
        // A disk takes a moment: what comes meanwhile must wait at its source.
        await new Promise((resolve) => setImmediate(resolve))
      },
      close: async () => {
        const meta = { ...description, id: 'generated', version: 1, size: this.#size }
        this.#meta = meta
        return meta
      },
      cancel: async () => {},
    }
  }

  async list(): Promise<readonly SnapshotMeta[]> {
    return this.#meta === undefined ? [] : [this.#meta]
  }

  async open(): Promise<OpenSnapshot> {
    return { meta: this.#meta!, state: this.#generate(), close: async () => {} }
  }

  async *#generate(): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < this.#size; sent += CHUNK_BYTES) {
      this.#gauge.made(CHUNK_BYTES)
      yield new Uint8Array(CHUNK_BYTES)
    }
  }
}

function machine(gauge: Gauge): StateMachine<null> {
  return {
    apply: () => null,
    snapshot: () => ({ persist: async () => {} }),
    restore: async (state) => {
      for await (const chunk of state) {
        gauge.taken(chunk.length)
        gauge.restored += chunk.length
      }
    },
  }
}

describe('a snapshot of 1 GiB', () => {
  it('goes to a follower with a few MiB of it in memory at any time', async () => {
    const size = 1024 * MIB
    const gauge = new Gauge()
    const network = new InmemNetwork()
    const configuration = {
      servers: ['a', 'b', 'c'].map((id) => ({ suffrage: 'voter' as const, id, address: id })),
    }
    const start = async (id: string): Promise<Raft<null>> => {
      const store = new InmemStore()
      const empty = new InmemSnapshotStore()
      const stores = { logStore: store, stableStore: store, snapshotStore: empty }
      await bootstrapCluster({ ...stores, configuration })
      return Raft.start<null>({
        id,
        ...stores,
        snapshotStore: new GeneratedSnapshots(gauge, size),
        stateMachine: machine(gauge),
        transport: network.transport(id),
        config: { trailingLogs: 0 },
      })
    }
    const rafts = [await start('a'), await start('b')]
    const leader = await new Promise<Raft<null>>((resolve) => {
      for (const raft of rafts) raft.on('leader-ready', () => resolve(raft))
    })
    await leader.apply(new Uint8Array(10))
    await leader.snapshot()
    const late = await start('c')
    await new Promise<void>((resolve) => late.on('snapshot-installed', () => resolve()))
    expect(gauge.restored).toBe(size)
    expect(gauge.most).toBeLessThan(16 * MIB)
    expect(leader.state).toBe('leader')
    await Promise.all([...rafts, late].map((raft) => raft.shutdown()))
  }, 60_000)
})
