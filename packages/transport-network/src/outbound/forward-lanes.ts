import { RaftError, type ServerAddress } from '@raftkit/interface'
import type { CallGuard } from './call-guard.ts'
import type { OutboundConnection, Reply } from './outbound-connection.ts'

/** What forwarding needs from the transport. */
export interface ForwardHost {
  /** An idle connection, or a new one. */
  readonly connect: (address: ServerAddress) => Promise<OutboundConnection>
  /** Takes back a connection on which nothing waits. */
  readonly release: (connection: OutboundConnection) => void
  /** The error for the caller of a request that failed on that connection. */
  readonly explain: (connection: OutboundConnection, error: unknown) => unknown
  /** Forwarded requests to one server at once. */
  readonly maxInflight: number
}

/** Requests that share a connection: half of what a server, by default, takes from one at once. */
const REQUESTS_PER_LANE = 64

/**
 * Forwarded requests come in crowds (every command that a client gives to a follower is one), so they share
 * connections and are sent ahead, like those of a pipeline.
 */
export class ForwardLanes {
  readonly #host: ForwardHost
  readonly #lanes = new Map<ServerAddress, Lane[]>()

  constructor(host: ForwardHost) {
    this.#host = host
  }

  /** Rejects with `RAFT_OVERLOADED`, nothing sent, when too many requests to the address wait already. */
  async send(
    address: ServerAddress,
    chunks: readonly Uint8Array[],
    guard: CallGuard,
  ): Promise<Reply> {
    return this.#laneTo(address).send(chunks, guard)
  }

  #laneTo(address: ServerAddress): Lane {
    let lanes = this.#lanes.get(address) ?? []
    if (lanes.some((each) => !each.open)) lanes = lanes.filter((each) => each.open)
    let inflight = 0
    let lane: Lane | undefined
    for (const each of lanes) {
      inflight += each.inflight
      if (each.inflight < REQUESTS_PER_LANE) lane ??= each
    }
    if (inflight >= this.#host.maxInflight)
      throw new RaftError(
        'RAFT_OVERLOADED',
        `${inflight} forwarded requests to ${address} wait for an answer: send fewer at once or raise maxForwardInflight`,
        { retryable: true, outcome: 'not-committed', details: { address, inflight } },
      )
    if (lane !== undefined) return lane
    lane = new Lane(this.#host, address)
    this.#lanes.set(address, [...lanes, lane])
    return lane
  }
}

/** One connection for as long as requests wait on it. */
class Lane {
  /** Requests that wait for their answer. */
  inflight = 0
  /** Takes further requests. After one ran out of time the others may still be answered, but no more are sent. */
  open = true
  readonly #host: ForwardHost
  readonly #dialling: Promise<OutboundConnection>
  #connection: OutboundConnection | undefined

  constructor(host: ForwardHost, address: ServerAddress) {
    this.#host = host
    this.#dialling = host.connect(address)
    this.#dialling.then(
      (connection) => {
        this.#connection = connection
        if (this.inflight === 0) this.#end()
      },
      () => (this.open = false),
    )
  }

  send(chunks: readonly Uint8Array[], guard: CallGuard): Promise<Reply> {
    this.inflight += 1
    return new Promise<Reply>((resolve, reject) => {
      let waiting = true
      const leave = (): boolean => {
        if (!waiting) return false
        waiting = false
        this.inflight -= 1
        if (this.inflight === 0 && this.#connection !== undefined) this.#end()
        return true
      }
      guard.watch((reason) => {
        if (RaftError.is(reason, 'RAFT_RPC_TIMEOUT')) this.open = false
        leave()
        reject(reason)
      })
      this.#request(chunks, () => waiting).then(
        (reply) => leave() && resolve(reply),
        (error: unknown) => {
          this.open = false
          leave()
          reject(error)
        },
      )
    })
  }

  async #request(chunks: readonly Uint8Array[], isWaiting: () => boolean): Promise<Reply> {
    const connection = this.#connection ?? (await this.#dialling)
    // Given up while the connection was made: nothing needs to be sent.
    if (!isWaiting()) return { error: '' }
    try {
      return await connection.request('forward', chunks)
    } catch (error) {
      throw this.#host.explain(connection, error)
    }
  }

  /** Nobody waits: the connection is good for others, unless an answer is still to come on it. */
  #end(): void {
    this.open = false
    const connection = this.#connection
    if (connection === undefined || connection.gone) return
    if (connection.inflight === 0) this.#host.release(connection)
    else connection.end()
  }
}
