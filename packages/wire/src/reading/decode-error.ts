// The two errors that bytes from outside can cause.
import { RaftError } from '@raftkit/interface'

/** The bytes are not what hashicorp/raft or raftkit would send. */
export function decodeFailed(
  message: string,
  details?: Readonly<Record<string, unknown>>,
): RaftError {
  return new RaftError(
    'RAFT_DECODE_FAILED',
    `cannot decode: ${message}; check that the other end speaks hashicorp/raft's protocol`,
    details === undefined ? {} : { details },
  )
}

/** The bytes ask for more than a limit allows. */
export function limitExceeded(limit: string, allowed: number, asked: number): RaftError {
  return new RaftError(
    'RAFT_LIMIT_EXCEEDED',
    `refused to decode: ${limit} is ${allowed} and the message has ${asked}; raise the limit if the sender is to be trusted`,
    { details: { limit, allowed, asked } },
  )
}
