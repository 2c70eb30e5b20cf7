// Three servers in this process that do everything there is to measure.
import type { Metrics, StateMachine } from '@raftkit/interface'
import { bootstrapCluster, Raft } from '@raftkit/raft-core'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { InmemNetwork } from '@raftkit/transport-inmem'

const IDS = ['a', 'b', 'c']
const TIMES = {
  heartbeatTimeoutMs: 200,
  electionTimeoutMs: 200,
  leaderLeaseTimeoutMs: 150,
  commitTimeoutMs: 10,
  verifyDisks: false,
}

const configuration = {
  servers: IDS.map((id) => ({ suffrage: 'voter' as const, id, address: id })),
}

/** Counts commands; takes them in batches or one by one. */
function counter(inBatches: boolean): StateMachine<number> {
  let count = 0
  return {
    apply: () => ++count,
    ...(inBatches && { applyBatch: (entries) => entries.map(() => ++count) }),
    storeConfiguration: () => {},
    snapshot: () => ({ persist: (writer) => writer.write(Uint8Array.of(count)) }),
    restore: async (state) => {
      for await (const [first] of state) count = first ?? 0
    },
  }
}

interface Member {
  readonly id: string
  raft: Raft<number>
  store: InmemStore
  snapshots: InmemSnapshotStore
}

export class BusyCluster {
  readonly #network = new InmemNetwork()
  readonly #metrics: (id: string) => Metrics
  readonly #members: Member[] = []

  private constructor(metrics: (id: string) => Metrics) {
    this.#metrics = metrics
  }

  /** Starts the servers; `metrics` gives each its own, or all the same. */
  static async start(metrics: (id: string) => Metrics): Promise<BusyCluster> {
    const cluster = new BusyCluster(metrics)
    for (const id of IDS) {
      const store = new InmemStore()
      const snapshots = new InmemSnapshotStore()
      const stores = { logStore: store, stableStore: store, snapshotStore: snapshots }
      await bootstrapCluster({ ...stores, configuration })
      const raft = await cluster.#run(id, store, snapshots)
      cluster.#members.push({ id, raft, store, snapshots })
    }
    return cluster
  }

  get servers(): readonly Raft<number>[] {
    return this.#members.map(({ raft }) => raft)
  }

  /** Has commands, barriers, reads, snapshots, a restore and a restart done, and every server apply them. */
  async work(): Promise<void> {
    const leader = await this.#leader()
    await Promise.all(Array.from({ length: 20 }, () => leader.apply(Uint8Array.of(1))))
    await leader.barrier()
    await leader.verifyLeader()
    await leader.snapshot()
    const state = Uint8Array.of(7)
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield state
    }
    await leader.restore({ version: 1, index: 1, size: state.length }, stream())
    await this.#caughtUp(leader)
    await this.#restart(this.#members.find(({ raft }) => raft !== leader)!)
    await this.#caughtUp(leader)
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.shutdown()))
  }

  #run(id: string, store: InmemStore, snapshots: InmemSnapshotStore): Promise<Raft<number>> {
    return Raft.start<number>({
      id,
      logStore: store,
      stableStore: store,
      snapshotStore: snapshots,
      config: TIMES,
      transport: this.#network.transport(id),
      // Some take batches and some do not, so that there is something of everything.
      stateMachine: counter(id !== 'a'),
      metrics: this.#metrics(id),
    })
  }

  async #restart(member: Member): Promise<void> {
    await member.raft.shutdown()
    member.store = member.store.reopen()
    member.snapshots = member.snapshots.reopen()
    member.raft = await this.#run(member.id, member.store, member.snapshots)
  }

  /** Resolves when every server has applied one more command. */
  async #caughtUp(leader: Raft<number>): Promise<void> {
    const { index } = await leader.apply(Uint8Array.of(1))
    for (const server of this.servers)
      while (server.appliedIndex < index) await leader.verifyLeader()
  }

  async #leader(): Promise<Raft<number>> {
    const leader = this.servers.find(({ state }) => state === 'leader')
    if (leader !== undefined) return leader
    return new Promise((resolve) => {
      for (const server of this.servers) server.on('leader-ready', () => resolve(server))
    })
  }
}
