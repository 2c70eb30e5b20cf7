import { Client } from './client.ts'
import type { Cluster } from './cluster.ts'
import { Ledger } from './ledger.ts'
import { until } from './waiting.ts'

/** Clients that write at the same time. */
const CLIENTS = 16

/** What is written to a cluster during a scenario. */
export class Workload {
  readonly ledger: Ledger = new Ledger()
  readonly #clients: readonly Client[]

  constructor(cluster: Cluster) {
    this.#clients = Array.from(
      { length: CLIENTS },
      (_, i) => new Client(cluster, this.ledger, `client${i + 1}`),
    )
  }

  /** Writes `count` keys. */
  async write(count: number): Promise<void> {
    let left = count
    const run = async (client: Client): Promise<void> => {
      while (left > 0) {
        left -= 1
        await client.write()
      }
    }
    await Promise.all(this.#clients.map(run))
  }

  /** Writes one key of the caller's. */
  async put(key: string, value: string): Promise<void> {
    await this.#clients[0]!.put(key, value)
  }

  /** Writes for as long as `act` takes. */
  async during<T>(act: () => Promise<T>): Promise<T> {
    const end = new AbortController()
    this.ledger.begin()
    const writing = Promise.all(this.#clients.map((client) => client.writeUntil(end.signal)))
    try {
      // A client that cannot go on ends the wait.
      return await Promise.race([act(), writing.then(() => never<T>())])
    } finally {
      end.abort()
      await writing
    }
  }

  /** Waits until this many further writes are acknowledged; meant for inside {@link during}. */
  async progress(count: number): Promise<void> {
    const target = this.ledger.acknowledged + count
    await until(`${count} further writes`, () =>
      Promise.resolve(this.ledger.acknowledged >= target ? true : undefined),
    )
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}
