import type { Clock, ServerAddress } from '@raftkit/interface'
import { Countdown } from '../timing/countdown.ts'
import type { OutboundConnection } from './outbound-connection.ts'

interface Idle {
  readonly connection: OutboundConnection
  readonly expiresAt: number
}

/**
 * Idle connections by address, newest first, so that the ones that are not needed grow old and expire. A
 * connection that ends while it is idle leaves at once: nobody is given a dead one.
 */
export class ConnectionPool {
  readonly #maxIdle: number
  readonly #idleTimeoutMs: number
  readonly #clock: Clock
  readonly #expiry: Countdown
  readonly #idle = new Map<ServerAddress, Idle[]>()
  #size = 0

  constructor(maxIdle: number, idleTimeoutMs: number, clock: Clock) {
    this.#maxIdle = maxIdle
    this.#idleTimeoutMs = idleTimeoutMs
    this.#clock = clock
    this.#expiry = new Countdown(clock, () => this.#expire())
  }

  /** Idle connections to all addresses. */
  get size(): number {
    return this.#size
  }

  /** The connection that was used last. */
  take(address: ServerAddress): OutboundConnection | undefined {
    const list = this.#idle.get(address)
    const taken = list?.pop()
    if (taken === undefined) return undefined
    if (list?.length === 0) this.#idle.delete(address)
    this.#size -= 1
    taken.connection.watch(() => {})
    return taken.connection
  }

  /** Keeps a connection whose last request was answered; ends it when there are enough. */
  give(connection: OutboundConnection): void {
    if (connection.gone) return
    const { address } = connection
    const list = this.#idle.get(address) ?? []
    if (list.length >= this.#maxIdle) {
      connection.end()
      return
    }
    list.push({ connection, expiresAt: this.#clock.now() + this.#idleTimeoutMs })
    this.#idle.set(address, list)
    this.#size += 1
    connection.watch(() => this.#remove(connection))
    if (this.#size === 1) this.#expiry.start(this.#idleTimeoutMs)
  }

  /** Ends the idle connections to an address: whatever made one of them fail may have hit them all. */
  drop(address: ServerAddress): void {
    for (const { connection } of this.#idle.get(address)?.slice() ?? []) connection.end()
  }

  /** Stops the clock. The connections are ended by whoever dialled them. */
  close(): void {
    this.#expiry.end()
  }

  #remove(connection: OutboundConnection): void {
    const list = this.#idle.get(connection.address)
    const place = list?.findIndex((idle) => idle.connection === connection) ?? -1
    if (list === undefined || place < 0) return
    list.splice(place, 1)
    if (list.length === 0) this.#idle.delete(connection.address)
    this.#size -= 1
  }

  #expire(): void {
    const now = this.#clock.now()
    let next = Infinity
    for (const list of this.#idle.values()) {
      const expired = list.filter(({ expiresAt }) => expiresAt <= now)
      for (const { connection } of expired) connection.end()
      next = Math.min(next, list[0]?.expiresAt ?? Infinity)
    }
    if (next !== Infinity) this.#expiry.start(next - now)
  }
}
