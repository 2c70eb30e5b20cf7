// Whoever starts a server may give that up.
import { RaftError } from '@raftkit/interface'

/** What an aborted start rejects with. */
export function abortedStart(signal: AbortSignal | undefined): RaftError {
  return new RaftError('RAFT_ABORTED', 'the start of the server was aborted', {
    cause: signal?.reason,
  })
}

/** Throws `RAFT_ABORTED` when whoever starts a server has given up. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedStart(signal)
}
