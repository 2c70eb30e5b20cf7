import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeProcess, until } from './node-process.ts'
import { freePorts } from './ports.ts'
import type { Status } from './status.ts'

/** Numbers small enough that an election, and a snapshot, happen within a demo. */
export const timing = { electionMs: 400, snapshotThreshold: 400, trailingLogs: 100 } as const

/** How often a cluster is set up on other ports when somebody else was quicker to take one. */
const launchAttempts = 3

/** Node processes on loopback with their data in a directory of their own. */
export class Cluster {
  readonly directory: string
  readonly #size: number
  readonly #terms = new Map<number, string>()
  #nodes: readonly NodeProcess[] = []

  constructor(directory: string, size: number) {
    this.directory = directory
    this.#size = size
  }

  static async create(size: number): Promise<Cluster> {
    return new Cluster(await mkdtemp(join(tmpdir(), 'raftkit-kv-')), size)
  }

  get nodes(): readonly NodeProcess[] {
    return this.#nodes
  }

  /** Terms in which somebody was seen to lead. */
  get elections(): number {
    return this.#terms.size
  }

  /** Sets up the nodes for the first time. */
  async launch(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.#nodes = await this.#newNodes(attempt)
      try {
        await this.start()
        return
      } catch (error) {
        if (attempt === launchAttempts) throw error
        await this.killAll()
      }
    }
  }

  /** Starts the nodes on the data that they have. */
  async start(): Promise<void> {
    const starts = await Promise.allSettled(this.nodes.map((node) => node.start()))
    const failed = starts.find((start) => start.status === 'rejected')
    if (failed !== undefined) throw failed.reason
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

  async #newNodes(attempt: number): Promise<readonly NodeProcess[]> {
    const ports = await freePorts(2 * this.#size)
    const peers = ports.slice(0, this.#size).map((port) => `127.0.0.1:${port}`)
    const nodes = peers.map((address, i) => {
      const name = `node ${i + 1}`
      const http = `127.0.0.1:${ports[this.#size + i]}`
      const directory = join(this.directory, `node-${i + 1}${attempt === 1 ? '' : `-${attempt}`}`)
      return new NodeProcess({ name, address, peers, http, directory, ...timing })
    })
    for (const node of nodes) await mkdir(node.options.directory)
    return nodes
  }
}
