// Nodes in one process on their real parts: TCP on loopback, LevelDB and snapshot files in a temporary directory.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@raftkit/interface'
import { createRaftNode } from '../src/index.ts'
import type { LedgerNode, LedgerOptions } from './inmem-cluster.ts'
import { ledger } from './ledger.ts'

const patient = {
  heartbeatTimeoutMs: 600,
  electionTimeoutMs: 600,
  leaderLeaseTimeoutMs: 600,
} as const

export class DiskCluster {
  readonly directory: string
  readonly addresses: readonly string[]
  readonly nodes = new Map<string, LedgerNode>()
  readonly options: Partial<LedgerOptions>

  constructor(directory: string, addresses: readonly string[], options: Partial<LedgerOptions>) {
    this.directory = directory
    this.addresses = addresses
    this.options = options
  }

  static async create(size: number, options: Partial<LedgerOptions> = {}): Promise<DiskCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'raftkit-node-'))
    return new DiskCluster(directory, await freeAddresses(size), options)
  }

  async start(): Promise<void> {
    await Promise.all(this.addresses.map((address) => this.startNode(address)))
    await Promise.all([...this.nodes.values()].map((node) => node.whenReady()))
  }

  dataDir(address: string): string {
    return join(this.directory, address.replace(':', '-'))
  }

  async startNode(address: string, options: Partial<LedgerOptions> = {}): Promise<LedgerNode> {
    const node = await createRaftNode({
      address,
      peers: this.addresses,
      dataDir: this.dataDir(address),
      stateMachine: ledger(),
      logger: silentLogger,
      config: patient,
      ...this.options,
      ...options,
    })
    this.nodes.set(address, node)
    return node
  }

  get leader(): LedgerNode {
    const leader = [...this.nodes.values()].find((node) => node.isLeader)
    if (leader === undefined) throw new Error('no node leads')
    return leader
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.nodes.values()].map((node) => node.stop({ transferLeadership: false })),
    )
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.directory, { recursive: true })
  }
}

/** Addresses on loopback that are free now, all different. */
export async function freeAddresses(count: number): Promise<string[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const addresses = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return addresses
}
