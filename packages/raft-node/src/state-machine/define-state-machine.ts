import { RaftError, messageOf, type LogEntry, type StateMachineSnapshot } from '@raftkit/interface'
import { messagePackCodec, type Codec } from '../message-pack.ts'
import { openResponse, sealResponse, sealUndecodable } from './response-envelope.ts'
import { readParts, writeParts } from './snapshot-parts.ts'
import type { NodeStateMachine } from './state-machine.ts'

/** Where a command stands in the log: the same on every server, so `apply` may use it. */
export type CommandPosition = Pick<LogEntry, 'index' | 'term' | 'appendedAt'>

/** Values that a state is saved as; each is encoded on its own. */
export type SnapshotParts = Iterable<unknown> | AsyncIterable<unknown>

/** What {@link defineStateMachine} is given. */
export interface StateMachineDefinition<State, Command, Response, Query, Answer> {
  /** The state before the first command. Called again for every restore. */
  readonly initial: () => State
  /**
   * Changes the state by one command and returns the response. Must be deterministic: it may use the state, the
   * command and its position, and nothing else (no clock, no randomness, no I/O). To refuse a command, return a
   * value that says so: a throw stops this server, and every other one at the same command.
   */
  readonly apply: (state: State, command: Command, position: CommandPosition) => Response
  /** Answers from the state without changing it. A throw reaches the caller as `RAFT_READ_FAILED`. */
  readonly query: (state: State, query: Query) => Answer
  /**
   * Optional check of a decoded command, run on every server: returns the command, or throws when it is not one.
   * Must be deterministic. A refused command changes nothing; its caller gets `RAFT_DECODE_FAILED`.
   */
  readonly parse?: (command: unknown) => Command
  /**
   * Optional, with `restore`: the state as parts. Called between two commands and must be quick; the parts are
   * read while later commands run, so they must not change with the state. Without it the whole state is encoded
   * in one go, which blocks the event loop: fine for some megabytes.
   */
  readonly snapshot?: (state: State) => SnapshotParts
  /** Optional, with `snapshot`: builds the state from its parts, in the order in which they were given. */
  readonly restore?: (parts: AsyncIterable<unknown>) => State | Promise<State>
  /** How values become bytes. Default {@link messagePackCodec}. Every server must use the same. */
  readonly codec?: Codec
}

/**
 * A state machine in memory whose commands, queries and responses are typed end to end. Annotate the second
 * parameter of `apply` and of `query`; the node's `apply` and `query` then take and return exactly these types.
 */
export function defineStateMachine<State, Command, Response, Query, Answer>(
  definition: StateMachineDefinition<State, Command, Response, Query, Answer>,
): NodeStateMachine<Command, Response, Query, Answer> {
  if ((definition.snapshot === undefined) !== (definition.restore === undefined))
    throw new RaftError(
      'RAFT_INVALID_ARGUMENT',
      'A state machine needs both snapshot and restore, or neither. Add the missing one.',
    )
  return new DefinedStateMachine(definition)
}

class DefinedStateMachine<State, Command, Response, Query, Answer> implements NodeStateMachine<
  Command,
  Response,
  Query,
  Answer
> {
  readonly #definition: StateMachineDefinition<State, Command, Response, Query, Answer>
  readonly #codec: Codec
  #state: State

  constructor(definition: StateMachineDefinition<State, Command, Response, Query, Answer>) {
    this.#definition = definition
    this.#codec = definition.codec ?? messagePackCodec
    this.#state = definition.initial()
  }

  readonly encodeCommand = (command: Command): Uint8Array => this.#codec.encode(command)

  readonly encodeQuery = (query: Query): Uint8Array => this.#codec.encode(query)

  // What was encoded as a Response or Answer decodes as one: the one place where bytes become those types.
  readonly decodeResponse = (bytes: Uint8Array): Response =>
    openResponse(this.#codec, bytes) as Response

  readonly decodeAnswer = (bytes: Uint8Array): Answer => this.#codec.decode(bytes) as Answer

  readonly answer = (query: Uint8Array): Uint8Array =>
    this.#codec.encode(this.#definition.query(this.#state, this.#codec.decode(query) as Query))

  apply(entry: LogEntry): Uint8Array {
    let command: Command
    try {
      command = this.#commandOf(entry.data)
    } catch (error) {
      return sealUndecodable(error)
    }
    return sealResponse(this.#codec, this.#definition.apply(this.#state, command, entry))
  }

  snapshot(): StateMachineSnapshot {
    const parts = this.#definition.snapshot?.(this.#state)
    if (parts === undefined) {
      const whole = this.#codec.encode(this.#state)
      return { persist: (writer) => writeParts(writer, [whole]) }
    }
    return { persist: (writer) => writeParts(writer, encodeEach(this.#codec, parts)) }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    const parts = decodeEach(this.#codec, readParts(state))
    this.#state = await (this.#definition.restore ?? onlyPart<State>)(parts)
  }

  #commandOf(data: Uint8Array): Command {
    const command = this.#codec.decode(data)
    return this.#definition.parse === undefined
      ? (command as Command)
      : this.#definition.parse(command)
  }
}

async function* encodeEach(codec: Codec, parts: SnapshotParts): AsyncGenerator<Uint8Array> {
  for await (const part of parts) yield codec.encode(part)
}

async function* decodeEach(
  codec: Codec,
  parts: AsyncIterable<Uint8Array>,
): AsyncGenerator<unknown> {
  for await (const part of parts) {
    let value: unknown
    try {
      value = codec.decode(part)
    } catch (error) {
      throw new RaftError(
        'RAFT_SNAPSHOT_CORRUPT',
        `A part of the snapshot does not decode: ${messageOf(error)}`,
        { cause: error },
      )
    }
    yield value
  }
}

async function onlyPart<State>(parts: AsyncIterable<unknown>): Promise<State> {
  const values: unknown[] = []
  for await (const value of parts) values.push(value)
  if (values.length !== 1)
    throw new RaftError(
      'RAFT_SNAPSHOT_CORRUPT',
      `The snapshot has ${values.length} parts where one was expected. Was it written by another version of the state machine?`,
    )
  return values[0] as State
}
