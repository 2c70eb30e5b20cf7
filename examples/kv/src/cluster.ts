import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeProcess, until } from './node-process.ts'
import { freePorts } from './ports.ts'
import type { Status } from './status.ts'

/** Numbers small enough that an election, and a snapshot, happen within a demo. */
export const timing = { electionMs: 400, snapshotThreshold: 400, trailingLogs: 100 } as const

/** Three node processes on loopback with their data in a directory of their own. */
export class Cluster {
  readonly directory: string
  readonly nodes: readonly NodeProcess[]
  readonly #terms = new Map<number, string>()

  constructor(directory: string, nodes: readonly NodeProcess[]) {
    this.directory = directory
    this.nodes = nodes
  }

  static async create(size: number): Promise<Cluster> {
    const directory = await mkdtemp(join(tmpdir(), 'raftkit-kv-'))
    const ports = await freePorts(2 * size)
    const peers = ports.slice(0, size).map((port) => `127.0.0.1:${port}`)
    const nodes = peers.map((address, i) => {
      const name = `node ${i + 1}`
      const http = `127.0.0.1:${ports[size + i]}`
      return new NodeProcess({
        name,
        address,
        peers,
        http,
        directory: join(directory, `node-${i + 1}`),
        ...timing,
      })
    })
    for (const node of nodes) await mkdir(node.options.directory)
    return new Cluster(directory, nodes)
  }

  /** Terms in which somebody was seen to lead. */
  get elections(): number {
    return this.#terms.size
  }

  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()))
  }

  /** Waits for a leader, in a term after `afterTerm`, that a majority knows and that takes writes. */
  async leader(afterTerm = 0): Promise<{ readonly node: NodeProcess; readonly status: Status }> {
    return until('a leader', async () => {
      for (const node of this.nodes) {
        const status = await node.client.status()
        if (status?.state !== 'leader') continue
        this.#terms.set(status.term, status.id)
        if (status.term > afterTerm && (await node.client.ready())) return { node, status }
      }
      return undefined
    })
  }

  /** Waits until every node has applied the same commands. */
  async settled(): Promise<void> {
    await until('all nodes to apply the same commands', async () => {
      const { status } = await this.leader()
      const statuses = await Promise.all(this.nodes.map((node) => node.client.status()))
      const even = statuses.every(
        (other) => other?.appliedIndex === status.lastIndex && other.term === status.term,
      )
      return even ? true : undefined
    })
  }

  /** kill -9 for all at the same time, as a power cut would. */
  async killAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()))
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  /** Ends the processes without waiting: for the end of this process. */
  killNow(): void {
    for (const node of this.nodes) node.killNow()
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }
}
