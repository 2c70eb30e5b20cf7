import { messageOf, RaftError, type ServerAddress, type StreamConnection } from '@raftkit/interface'
import type { CallGuard } from './call-guard.ts'
import { DialBackoff } from './dial-backoff.ts'
import type { ResolvedOptions } from '../options.ts'
import { OutboundConnection } from './outbound-connection.ts'

/** Makes the connections to other servers and knows every one that is open or being made. */
export class Dialler {
  readonly #options: ResolvedOptions
  readonly #backoff: DialBackoff
  readonly #dialling = new Set<(reason: unknown) => void>()
  readonly #connections = new Set<OutboundConnection>()
  readonly #perAddress = new Map<ServerAddress, number>()

  constructor(options: ResolvedOptions) {
    this.#options = options
    const { dialBackoffMinMs, dialBackoffMaxMs, clock, random } = options
    this.#backoff = new DialBackoff(dialBackoffMinMs, dialBackoffMaxMs, clock, random)
  }

  /** Open connections, pooled or in use. */
  get connections(): number {
    return this.#connections.size
  }

  /**
   * A new connection. Rejects with `RAFT_DIAL_FAILED`, or with whatever the guard strikes with; that the caller had no
   * more time says nothing of the address.
   */
  dial(address: ServerAddress, guard: CallGuard): Promise<OutboundConnection> {
    const { clock } = this.#options
    const startedAt = clock.now()
    const controller = new AbortController()
    return new Promise((resolve, reject) => {
      this.#backoff.check(address)
      this.#countUp(address)
      let abandoned = false
      const abandon = (reason: unknown): void => {
        abandoned = true
        this.#dialling.delete(abandon)
        this.#countDown(address)
        reject(reason)
        controller.abort(reason)
      }
      this.#dialling.add(abandon)
      guard.watch(abandon)
      if (abandoned) return
      this.#connect(address, controller.signal).then(
        (connection) => {
          if (abandoned) {
            discard(connection)
            return
          }
          this.#dialling.delete(abandon)
          this.#backoff.succeeded(address)
          resolve(this.#adopt(address, connection, guard))
        },
        (error: unknown) => {
          if (abandoned) return
          this.#dialling.delete(abandon)
          this.#countDown(address)
          this.#backoff.failed(address, startedAt, error)
          reject(dialError(address, error))
        },
      )
    })
  }

  /** Ends every connection and every dial. */
  close(reason: RaftError): void {
    for (const abandon of this.#dialling) abandon(reason)
    for (const connection of this.#connections) connection.fail(reason)
  }

  /** A stream layer that throws instead of rejecting is one that cannot connect. */
  async #connect(address: ServerAddress, signal: AbortSignal): Promise<StreamConnection> {
    const { stream, dialTimeoutMs } = this.#options
    return stream.dial(address, { timeoutMs: dialTimeoutMs, signal })
  }

  #adopt(address: ServerAddress, stream: StreamConnection, guard: CallGuard): OutboundConnection {
    const connection = new OutboundConnection(address, stream, this.#options.wireLimits, () => {
      this.#connections.delete(connection)
      this.#countDown(address)
    })
    this.#connections.add(connection)
    guard.watch((reason) => connection.fail(reason))
    return connection
  }

  #countUp(address: ServerAddress): void {
    const { maxConnectionsPerAddress } = this.#options
    const count = this.#perAddress.get(address) ?? 0
    if (count >= maxConnectionsPerAddress)
      throw new RaftError(
        'RAFT_OVERLOADED',
        `there are ${count} connections to ${address} already: call less at once or raise maxConnectionsPerAddress`,
        { retryable: true, details: { address, connections: count } },
      )
    this.#perAddress.set(address, count + 1)
  }

  #countDown(address: ServerAddress): void {
    const count = this.#perAddress.get(address) ?? 0
    if (count > 1) this.#perAddress.set(address, count - 1)
    else this.#perAddress.delete(address)
  }
}

function discard(connection: StreamConnection): void {
  connection.start({ onData: () => {}, onClose: () => {} })
  connection.destroy()
}

function dialError(address: ServerAddress, error: unknown): RaftError {
  if (RaftError.is(error)) return error
  return new RaftError('RAFT_DIAL_FAILED', `cannot connect to ${address}: ${messageOf(error)}`, {
    retryable: true,
    cause: error,
    details: { address },
  })
}
