import {
  RaftError,
  type Clock,
  type RpcHandler,
  type RpcHeader,
  type StreamConnection,
} from '@raftkit/interface'
import { InboundConnection } from './inbound-connection.ts'
import type { AcceptedConnection, InboundHost } from './inbound-host.ts'
import type { NetworkMeter } from '../metrics/network-meter.ts'
import type { ResolvedOptions } from '../options.ts'

/** The accepted connections, of which there are never more than `maxConnections`. */
export class InboundConnections {
  /** Who takes the requests. */
  handler: RpcHandler = () => {
    throw new Error('this server is starting and takes no requests yet')
  }

  readonly #options: ResolvedOptions
  readonly #clock: Clock
  readonly #host: InboundHost
  readonly #connections = new Set<AcceptedConnection>()
  #heldBytes = 0
  #closed: RaftError | undefined
  #warned = false

  /** `onHeader` is told who sends each request. */
  constructor(
    options: ResolvedOptions,
    meter: NetworkMeter | undefined,
    onHeader: (header: RpcHeader) => void,
  ) {
    this.#options = options
    this.#clock = options.clock
    const { limits, wireLimits, clock, logger } = options
    this.#host = {
      handle: (request, context) => {
        onHeader(request.header)
        return this.handler(request, context)
      },
      limits,
      wireLimits,
      clock,
      logger,
      meter,
      onHeld: (bytes) => this.#hold(bytes),
      onGone: (connection) => this.#connections.delete(connection),
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#connections.size
  }

  /** Takes over a connection that was just accepted, or ends one to keep to the limit. */
  accept(stream: StreamConnection): void {
    if (this.#closed === undefined && this.#makeRoom()) {
      this.#connections.add(new InboundConnection(stream, this.#host))
      return
    }
    stream.start({ onData: () => {}, onClose: () => {} })
    stream.destroy()
  }

  /** Ends every connection, and every one that still comes. */
  close(reason: RaftError): void {
    this.#closed = reason
    for (const connection of this.#connections) connection.close(reason)
  }

  #hold(bytes: number): void {
    const { limits, logger } = this.#options
    this.#heldBytes += bytes
    if (bytes < 0 || this.#heldBytes <= limits.maxInboundBytes) return
    let greediest: AcceptedConnection | undefined
    for (const connection of this.#connections)
      if (connection.heldBytes > (greediest?.heldBytes ?? 0)) greediest = connection
    logger.warn(
      { maxInboundBytes: limits.maxInboundBytes, heldBytes: greediest?.heldBytes },
      'too many bytes of requests are held: the connection with most of them is closed; raise limits.maxInboundBytes if they are all yours',
    )
    greediest?.close(
      new RaftError('RAFT_LIMIT_EXCEEDED', 'the connection held too many bytes of requests', {
        details: { maxInboundBytes: limits.maxInboundBytes },
      }),
    )
  }

  #makeRoom(): boolean {
    const { limits, logger } = this.#options
    if (this.#connections.size < limits.maxConnections) {
      if (this.#connections.size < limits.maxConnections / 2) this.#warned = false
      return true
    }
    if (!this.#warned)
      logger.warn(
        { maxConnections: limits.maxConnections },
        'too many connections: each new one ends one that is not in use, or is refused; raise limits.maxConnections if they are all yours',
      )
    this.#warned = true
    const victim = this.#leastUseful()
    victim?.close(
      new RaftError('RAFT_LIMIT_EXCEEDED', 'the connection made room for another one', {
        details: { maxConnections: limits.maxConnections },
      }),
    )
    return victim !== undefined
  }

  /** The oldest that never sent a request, else the one idle longest: whoever floods the port loses first. */
  #leastUseful(): AcceptedConnection | undefined {
    let longestIdle: AcceptedConnection | undefined
    let idleSince = this.#clock.now()
    for (const connection of this.#connections) {
      if (connection.isStranger) return connection
      if (!connection.isIdle || connection.lastRequestAt > idleSince) continue
      longestIdle = connection
      idleSince = connection.lastRequestAt
    }
    return longestIdle
  }
}
