import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import type { ClusterServer } from './cluster-server.ts'
import type { Ledger } from './ledger.ts'
import { CallError } from './server-process.ts'
import { PATIENCE_MS } from './waiting.ts'

/** Pause after a round of refusals: there is no leader. */
const PAUSE_MS = 5

/** Writes through whichever server leads, and keeps account. */
export class Client {
  readonly #cluster: Cluster
  readonly #ledger: Ledger
  readonly #name: string
  #writes = 0
  #guess: ClusterServer | undefined

  constructor(cluster: Cluster, ledger: Ledger, name: string) {
    this.#cluster = cluster
    this.#ledger = ledger
    this.#name = name
  }

  /** One write of a key of its own; resolves when it is acknowledged, or when its outcome cannot be known. */
  write(): Promise<void> {
    this.#writes += 1
    const key = `${this.#name}-${this.#writes}`
    return this.put(key, `${key}:${'x'.repeat(this.#writes % 100)}`)
  }

  /** The same for a key of the caller's, which must be new. */
  async put(key: string, value: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const outcome = await this.#attempt(key, value)
      if (outcome === 'acknowledged') return this.#ledger.acknowledge(key, value)
      if (outcome === 'unknown') return this.#ledger.leaveOpen(key, value)
      if (performance.now() > deadline)
        throw new Error(`no server took the write ${key} within ${PATIENCE_MS} ms`)
      await sleep(PAUSE_MS)
    }
  }

  /** Writes until `signal` is aborted. */
  async writeUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.write()
  }

  async #attempt(key: string, value: string): Promise<'acknowledged' | 'refused' | 'unknown'> {
    const servers = new Set(this.#guess === undefined ? [] : [this.#guess])
    for (const server of this.#cluster.up) servers.add(server)
    for (const server of servers)
      try {
        await server.call('put', { key, value })
        this.#guess = server
        return 'acknowledged'
      } catch (error) {
        if (!(error instanceof CallError) || error.outcome !== 'not-committed') {
          // It may be on its way out: the next write begins with another.
          const others = this.#cluster.up.filter((other) => other !== server)
          this.#guess = others[this.#writes % others.length]
          return 'unknown'
        }
      }
    return 'refused'
  }
}
