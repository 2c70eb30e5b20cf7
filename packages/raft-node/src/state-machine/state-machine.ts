import type { StateMachine } from '@raftkit/interface'

/**
 * A state machine that a node can run: it works on bytes (commands in, responses out), and says how the
 * application's values become bytes. `defineStateMachine` makes one; implement it by hand to use another encoding
 * or a state outside of memory.
 *
 * `apply` returns the encoded response, so that what a caller gets is a copy of its own whether the command was
 * forwarded or not.
 */
export interface NodeStateMachine<
  Command,
  Response,
  Query,
  Answer,
> extends StateMachine<Uint8Array> {
  /** Throws `RAFT_INVALID_ARGUMENT` for a command that has no encoding. */
  readonly encodeCommand: (command: Command) => Uint8Array
  /** Throws what the caller of `apply` shall get when the bytes stand for a refused command. */
  readonly decodeResponse: (bytes: Uint8Array) => Response
  /** Throws `RAFT_INVALID_ARGUMENT` for a query that has no encoding. */
  readonly encodeQuery: (query: Query) => Uint8Array
  /** Answers from the state as it is, without changing it. A throw becomes `RAFT_READ_FAILED` at the caller. */
  readonly answer: (query: Uint8Array) => Uint8Array | Promise<Uint8Array>
  readonly decodeAnswer: (bytes: Uint8Array) => Answer
}
