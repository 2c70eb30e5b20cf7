import { join } from 'node:path'
import { ClusterServer } from './cluster-server.ts'
import type { ServerConfig } from './protocol.ts'
import type { Family, ServerKind } from './server-kind.ts'
import { CallError } from './server-process.ts'
import { until } from './waiting.ts'

/** Options of every server unless a scenario says otherwise: short elections, no snapshots but those asked for. */
export const DEFAULT_CONFIG: ServerConfig = {
  heartbeatTimeoutMs: 500,
  electionTimeoutMs: 500,
  leaderLeaseTimeoutMs: 250,
  commitTimeoutMs: 20,
  snapshotThreshold: 1_000_000,
}

/** How a cluster is made. */
export interface ClusterOptions {
  readonly kinds: readonly ServerKind[]
  readonly directory: string
  /** Beside {@link DEFAULT_CONFIG}, for each server. */
  readonly config: (kind: ServerKind) => ServerConfig
}

/** Servers of both kinds as one cluster. */
export class Cluster {
  readonly #options: ClusterOptions
  readonly #servers: ClusterServer[] = []
  #made = 0

  private constructor(options: ClusterOptions) {
    this.#options = options
  }

  /** Starts all servers and waits for a leader. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options)
    try {
      for (const kind of options.kinds) cluster.add(kind)
      await Promise.all(cluster.servers.map((server) => server.launch()))
      const members = cluster.servers.map((server) => server.member)
      await Promise.all(cluster.servers.map((server) => server.join(members)))
      await cluster.leader()
      return cluster
    } catch (error) {
      await cluster.kill()
      throw error
    }
  }

  /** As of now. */
  get servers(): readonly ClusterServer[] {
    return [...this.#servers]
  }

  /** The servers whose processes run. */
  get up(): readonly ClusterServer[] {
    return this.#servers.filter((server) => server.isUp)
  }

  /** The first server of a family that is not `except`. */
  one(family: Family, except?: ClusterServer): ClusterServer {
    const found = this.#servers.find(
      (server) => server.family === family && server !== except && server.isUp,
    )
    if (found === undefined) throw new Error(`the cluster has no other ${family} server`)
    return found
  }

  /** Another server, not started. */
  add(kind: ServerKind): ClusterServer {
    this.#made += 1
    const id = `${kind}-${this.#made}`
    const directory = join(this.#options.directory, id)
    const config = { ...DEFAULT_CONFIG, ...this.#options.config(kind) }
    const server = new ClusterServer(kind, { id, directory, config })
    this.#servers.push(server)
    return server
  }

  /** Puts a server in the place of another that was stopped. */
  replace(old: ClusterServer, by: ClusterServer): void {
    this.#servers[this.#servers.indexOf(old)] = by
  }

  /** Takes a server that was stopped off the list. */
  forget(server: ClusterServer): void {
    this.#servers.splice(this.#servers.indexOf(server), 1)
  }

  /** The server that leads in the highest term; waits until one says so that a majority of those up follows. */
  leader(): Promise<ClusterServer> {
    return until('a leader that the others follow', async () => {
      const seen = await Promise.all(
        this.up.map(async (server) => {
          try {
            return { server, status: await server.status() }
          } catch (error) {
            if (error instanceof CallError) return
            throw error
          }
        }),
      )
      const known = seen.filter((one) => one !== undefined)
      const [newest] = known
        .filter(({ status }) => status.state === 'leader')
        .sort((a, b) => b.status.term - a.status.term)
      if (newest === undefined) return
      const followers = known.filter(({ status }) => status.leader === newest.server.id)
      return followers.length * 2 > this.#servers.length ? newest.server : undefined
    })
  }

  /** Has a server of the family lead, by handing leadership over where needed. */
  async lead(family: Family): Promise<ClusterServer> {
    return until(`a ${family} leader`, async () => {
      const leader = await this.leader()
      if (leader.family === family) return leader
      const to = this.one(family)
      try {
        await leader.call('transfer', { to: to.id, address: to.address })
      } catch (error) {
        // A transfer may fail, as when the target is too far behind: try again.
        if (!(error instanceof CallError)) throw error
      }
      return undefined
    })
  }

  async kill(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()))
  }
}
