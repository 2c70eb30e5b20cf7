// Nodes in one process on in-memory parts, with faults between them.
import { silentLogger } from '@raftkit/interface'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { InmemNetwork } from '@raftkit/transport-inmem'
import { startNode } from '../src/start/start-node.ts'
import type { RaftNode, RaftNodeOptions } from '../src/index.ts'
import { ledger, type Added } from './ledger.ts'

export type LedgerNode = RaftNode<string, Added, 'all' | 'fail', readonly string[]>
export type LedgerOptions = RaftNodeOptions<string, Added, 'all' | 'fail', readonly string[]>

/** For tests in which the leader changes. */
export const quick = {
  heartbeatTimeoutMs: 200,
  electionTimeoutMs: 200,
  leaderLeaseTimeoutMs: 150,
  commitTimeoutMs: 10,
  rpcTimeoutMs: 300,
} as const

/** For tests in which it must not, on a machine that is busy with others. */
export const calm = {
  ...quick,
  heartbeatTimeoutMs: 600,
  electionTimeoutMs: 600,
  leaderLeaseTimeoutMs: 600,
} as const

export class InmemCluster {
  readonly network = new InmemNetwork()
  readonly addresses: readonly string[]
  readonly nodes = new Map<string, LedgerNode>()
  readonly #stores = new Map<string, InmemStore>()
  readonly #snapshots = new Map<string, InmemSnapshotStore>()

  constructor(size: number) {
    this.addresses = Array.from({ length: size }, (_, i) => `node-${i + 1}:7000`)
  }

  static async start(size: number, options: Partial<LedgerOptions> = {}): Promise<InmemCluster> {
    const cluster = new InmemCluster(size)
    await Promise.all(cluster.addresses.map((address) => cluster.startNode(address, options)))
    await cluster.ready()
    return cluster
  }

  async startNode(address: string, options: Partial<LedgerOptions> = {}): Promise<LedgerNode> {
    const store = this.#stores.get(address)?.reopen() ?? new InmemStore()
    const snapshotStore = this.#snapshots.get(address) ?? new InmemSnapshotStore()
    this.#stores.set(address, store)
    this.#snapshots.set(address, snapshotStore)
    const node = await startNode(
      {
        address,
        peers: this.addresses,
        dataDir: 'unused-by-in-memory-parts',
        stateMachine: ledger(),
        logger: silentLogger,
        config: quick,
        ...options,
      },
      async (_options, keep) => {
        const transport = this.network.transport(address)
        keep(transport)
        return { logStore: store, stableStore: store, snapshotStore, transport }
      },
    )
    this.nodes.set(address, node)
    return node
  }

  async ready(): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.whenReady()))
  }

  get leader(): LedgerNode {
    const leader = [...this.nodes.values()].find((node) => node.isLeader)
    if (leader === undefined) throw new Error('no node leads')
    return leader
  }

  get followers(): LedgerNode[] {
    return [...this.nodes.values()].filter((node) => !node.isLeader)
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.nodes.values()].map((node) => node.stop({ transferLeadership: false })),
    )
  }
}

/** Resolves when `node` emits an event that fits. */
export function eventually(node: LedgerNode, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return
      for (const unsubscribe of unsubscribes) unsubscribe()
      resolve()
    }
    const unsubscribes = [
      node.raft.on('role-changed', look),
      node.raft.on('leader-changed', look),
      node.raft.on('leader-ready', look),
    ]
    look()
  })
}
