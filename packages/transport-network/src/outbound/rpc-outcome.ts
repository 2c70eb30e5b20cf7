// What the answer to a request, or its absence, means to the caller.
import { RaftError, type ResponseOf, type RpcType, type ServerAddress } from '@raftkit/interface'
import type { Reply } from './outbound-connection.ts'

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

/** The error for a request that the other server does not know; nothing was carried out when it said so itself. */
export function unsupported(
  type: RpcType,
  address: ServerAddress,
  remoteMessage?: string,
): RaftError {
  return new RaftError(
    'RAFT_RPC_UNSUPPORTED',
    `${address} does not know ${type}: it runs an older or another implementation; do without ${type} there`,
    remoteMessage === undefined
      ? { outcome: 'unknown', details: { address, type } }
      : { outcome: 'not-committed', details: { address, type, remoteMessage } },
  )
}
