// What the end of a WebSocket means to the one who reads the log.
import { messageOf, RaftError } from '@raftkit/interface'

/** Close codes of an end that is no complaint: normal, going away, none given, connection just ended. */
const ORDERLY = new Set([1000, 1001, 1005, 1006])

/** The other side did what it must not. */
export function violationError(remote: string, error: Error): RaftError {
  const tooLarge = 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
  return new RaftError(
    tooLarge ? 'RAFT_LIMIT_EXCEEDED' : 'RAFT_DECODE_FAILED',
    tooLarge
      ? `${remote} sent a message above maxMessageBytes; it is no raftkit, or that limit is smaller here than its frames`
      : `${remote} broke the rules of this protocol: ${messageOf(error)}`,
    { cause: error, details: { remote } },
  )
}

/** The other side closed the connection and said why; undefined when it had nothing to say. */
export function closeError(
  remote: string,
  code: number,
  reason: Uint8Array,
): RaftError | undefined {
  if (ORDERLY.has(code)) return undefined
  const words = reason.byteLength === 0 ? '' : ` (${new TextDecoder().decode(reason)})`
  return new RaftError(
    'RAFT_CONNECTION_LOST',
    `${remote} closed the connection with WebSocket code ${code}${words}`,
    { retryable: true, details: { remote, code } },
  )
}
