import {
  RaftError,
  type Clock,
  type RpcHeader,
  type RpcType,
  type ServerAddress,
} from '@raftkit/interface'
import type { OutboundConnection, Reply } from './outbound-connection.ts'
import { unsupported } from './rpc-outcome.ts'

/** Closes without an answer count as one event for this long: connections are lost together. */
const SAME_EVENT_MS = 1000

/** Addresses remembered. Far more than a cluster has; whoever makes up senders must not fill the memory. */
const MAX_ADDRESSES = 1024

/**
 * Knows which addresses understand the requests that not every server does: pre-vote, which hashicorp/raft has
 * since 1.7, and forward, which only raftkit has. An older server closes the connection on a type byte that it
 * does not know, without an answer; only what was heard before tells that from a server that went away.
 */
export class RpcSupport {
  readonly #clock: Clock
  /** Addresses that answered a pre-vote or are raftkit, and when one first closed on a pre-vote since. */
  readonly #preVote = new Map<ServerAddress, { closedAt: number | undefined }>()
  /** Addresses that said of themselves that they are raftkit. */
  readonly #raftkit = new Set<ServerAddress>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What the sender of a received request says of itself. */
  heard({ address, extensionLevel }: RpcHeader): void {
    if (extensionLevel === undefined) this.#raftkit.delete(address)
    else if (!this.#raftkit.has(address)) this.#addRaftkit(address)
  }

  /** The address answered such a request, if only with an error. */
  answered(type: RpcType, address: ServerAddress, reply: Reply): void {
    const isRaftkit = 'response' in reply && reply.response.header.extensionLevel !== undefined
    if (isRaftkit || type === 'forward') this.#addRaftkit(address)
    if (type === 'request-pre-vote') this.#addPreVote(address)
  }

  /** True when a connection that was used before may carry the request: its loss will mean nothing else. */
  isKnown(type: RpcType, address: ServerAddress): boolean {
    if (type === 'forward') return this.#raftkit.has(address)
    return type !== 'request-pre-vote' || this.#preVote.has(address)
  }

  /** The error for a request that failed on `connection`: the one given, or `RAFT_RPC_UNSUPPORTED`. */
  explain(type: RpcType, connection: OutboundConnection, error: unknown): unknown {
    if (!RaftError.is(error, 'RAFT_CONNECTION_LOST') || !connection.closedUnanswered) return error
    const { address } = connection
    // A forwarded command may have been carried out: only a server that never claimed to know it can be said not to.
    if (type === 'forward') return this.#raftkit.has(address) ? error : unsupported(type, address)
    if (type !== 'request-pre-vote') return error
    const known = this.#preVote.get(address)
    if (known !== undefined) {
      // Most likely it has just gone away. If it comes back and closes again, an older version took its place.
      const now = this.#clock.now()
      known.closedAt ??= now
      if (now - known.closedAt <= SAME_EVENT_MS) return error
      this.#preVote.delete(address)
    }
    return unsupported(type, address)
  }

  #addRaftkit(address: ServerAddress): void {
    if (this.#raftkit.has(address)) return
    this.#raftkit.add(address)
    forgetOldest(this.#raftkit)
    this.#addPreVote(address)
  }

  #addPreVote(address: ServerAddress): void {
    this.#preVote.set(address, { closedAt: undefined })
    forgetOldest(this.#preVote)
  }
}

function forgetOldest(addresses: Set<ServerAddress> | Map<ServerAddress, unknown>): void {
  if (addresses.size <= MAX_ADDRESSES) return
  const [oldest] = addresses.keys()
  if (oldest !== undefined) addresses.delete(oldest)
}
