// What the answer to a request, or its absence, means to the caller.
import {
  RaftError,
  type Clock,
  type ResponseOf,
  type RpcType,
  type ServerAddress,
} from '@raftkit/interface'
import type { OutboundConnection, Reply } from './outbound-connection.ts'

/** The text with which hashicorp/raft answers a request that its transport knows and its core does not. */
const UNKNOWN_COMMAND = 'unexpected command'

/**
 * The response, when it is one to a request of that type. Throws `RAFT_RPC_UNSUPPORTED` or `RAFT_REMOTE_ERROR`
 * for an error text, `RAFT_DECODE_FAILED` for a response of another type.
 */
export function responseOf<T extends RpcType>(
  type: T,
  address: ServerAddress,
  reply: Reply,
): ResponseOf<T> {
  if ('response' in reply) {
    const { response } = reply
    if (isResponseOf(type, response)) return response
    throw new RaftError(
      'RAFT_DECODE_FAILED',
      `${address} answered ${type} with a response to ${response.type}`,
      { details: { address, type } },
    )
  }
  if (reply.error.includes(UNKNOWN_COMMAND)) throw unsupported(type, address, reply.error)
  throw new RaftError('RAFT_REMOTE_ERROR', `${address} refused ${type}: ${reply.error}`, {
    details: { address, type, remoteMessage: reply.error },
  })
}

function isResponseOf<T extends RpcType>(
  type: T,
  response: { readonly type: RpcType },
): response is ResponseOf<T> {
  return response.type === type
}

function unsupported(type: RpcType, address: ServerAddress, remoteMessage?: string): RaftError {
  return new RaftError(
    'RAFT_RPC_UNSUPPORTED',
    `${address} does not know ${type}: it runs an older or another implementation; do without ${type} there`,
    { details: { address, type, ...(remoteMessage === undefined ? {} : { remoteMessage }) } },
  )
}

/** Closes without an answer count as one event for this long: connections are lost together. */
const SAME_EVENT_MS = 1000

/**
 * Knows which of the requests that not every server understands an address has answered. hashicorp/raft up to
 * 1.6 closes the connection on a type byte that it does not know, without an answer; only earlier answers tell
 * that from a server that went away.
 */
export class RpcSupport {
  readonly #clock: Clock
  /** Requests answered, and when a connection was first closed on one since. */
  readonly #known = new Map<string, { closedAt: number | undefined }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True when a connection that was used before may carry the request: its loss will mean nothing else. */
  isKnown(type: RpcType, address: ServerAddress): boolean {
    return !isOptional(type) || this.#known.has(keyOf(type, address))
  }

  /** The address answered such a request. */
  answered(type: RpcType, address: ServerAddress): void {
    if (isOptional(type)) this.#known.set(keyOf(type, address), { closedAt: undefined })
  }

  /** The error for a request that failed on `connection`: the one given, or `RAFT_RPC_UNSUPPORTED`. */
  explain(type: RpcType, connection: OutboundConnection, error: unknown): unknown {
    if (!isOptional(type) || !RaftError.is(error, 'RAFT_CONNECTION_LOST')) return error
    if (!connection.closedUnanswered) return error
    const key = keyOf(type, connection.address)
    const known = this.#known.get(key)
    if (known !== undefined) {
      // An address that answered before has most likely gone away. One that comes back and closes again may be
      // an older version that was put in its place.
      const now = this.#clock.now()
      known.closedAt ??= now
      if (now - known.closedAt <= SAME_EVENT_MS) return error
      this.#known.delete(key)
    }
    return unsupported(type, connection.address)
  }
}

function isOptional(type: RpcType): boolean {
  return type === 'request-pre-vote' || type === 'forward'
}

function keyOf(type: RpcType, address: ServerAddress): string {
  return `${type} ${address}`
}
