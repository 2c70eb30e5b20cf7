// How entries are handed to the state machine: one at a time, or in batches when it takes them.
import {
  type EntryBatch,
  type Index,
  type IndexedConfiguration,
  type LogEntry,
  LogType,
  messageOf,
  RaftError,
  type StateMachine,
} from '@raftkit/interface'
import { decodeConfiguration, decodeEntry } from '@raftkit/wire'

/** Responses of consecutive entries; undefined for an entry that is not a command. */
export type Responses<R> = (R | undefined)[]

/** Hands entries to the state machine. Synchronous state machines cost no promise. */
export class EntryApplier<R> {
  readonly #stateMachine: StateMachine<R>
  readonly #onConfiguration: (configuration: IndexedConfiguration) => void

  constructor(
    stateMachine: StateMachine<R>,
    onConfiguration: (configuration: IndexedConfiguration) => void,
  ) {
    this.#stateMachine = stateMachine
    this.#onConfiguration = onConfiguration
  }

  /**
   * Applies entries from `from` on and adds one response for each to `responses`: up to `to`, or up to the first
   * that the state machine answers with a promise. That promise is then returned, and settles when its response is
   * in the list. A failure of the state machine is `RAFT_STATE_MACHINE_FAILED`; what was done before it is in the list.
   */
  apply(
    batch: EntryBatch,
    from: Index,
    to: Index,
    responses: Responses<R>,
  ): Promise<void> | undefined {
    let index = from
    while (index <= to) {
      const start = responses.length
      const pending = this.#next(batch, index, to, responses)
      if (pending !== undefined) return pending
      index += responses.length - start
    }
    return undefined
  }

  #next(
    batch: EntryBatch,
    index: Index,
    to: Index,
    responses: Responses<R>,
  ): Promise<void> | undefined {
    try {
      const type = batch.typeAt(index)
      if (type === LogType.command)
        return this.#stateMachine.applyBatch === undefined
          ? this.#one(decodeEntry(batch, index), responses)
          : this.#many(commandsFrom(batch, index, to), responses)
      if (type === LogType.configuration) return this.#configuration(batch, index, responses)
    } catch (error) {
      throw stateMachineFailed(index, error)
    }
    responses.push(undefined)
    return undefined
  }

  #one(entry: LogEntry, responses: Responses<R>): Promise<void> | undefined {
    const response = this.#stateMachine.apply(entry)
    if (isPromise(response))
      return this.#settled(entry.index, response, (value) => responses.push(value))
    responses.push(response)
    return undefined
  }

  #many(entries: readonly LogEntry[], responses: Responses<R>): Promise<void> | undefined {
    const first = entries[0]!.index
    const results = this.#stateMachine.applyBatch!(entries)
    const add = (values: readonly R[]): void => addAll(values, entries.length, responses)
    if (isPromise(results)) return this.#settled(first, results, add)
    add(results)
    return undefined
  }

  #configuration(
    batch: EntryBatch,
    index: Index,
    responses: Responses<R>,
  ): Promise<void> | undefined {
    const configuration = decodeConfiguration(decodeEntry(batch, index).data)
    this.#onConfiguration({ configuration, index })
    const stored = this.#stateMachine.storeConfiguration?.(index, configuration)
    if (isPromise(stored)) return this.#settled(index, stored, () => responses.push(undefined))
    responses.push(undefined)
    return undefined
  }

  async #settled<T>(index: Index, pending: Promise<T>, add: (value: T) => void): Promise<void> {
    try {
      add(await pending)
    } catch (error) {
      throw stateMachineFailed(index, error)
    }
  }
}

function commandsFrom(batch: EntryBatch, from: Index, to: Index): LogEntry[] {
  const entries: LogEntry[] = []
  for (let index = from; index <= to && batch.typeAt(index) === LogType.command; index++)
    entries.push(decodeEntry(batch, index))
  return entries
}

function addAll<R>(values: readonly R[], expected: number, responses: Responses<R>): void {
  if (values.length !== expected)
    throw new Error(`applyBatch returned ${values.length} responses for ${expected} commands`)
  for (const value of values) responses.push(value)
}

function stateMachineFailed(index: Index, cause: unknown): RaftError {
  return new RaftError(
    'RAFT_STATE_MACHINE_FAILED',
    `the state machine failed at entry ${index}, so the server stops: ${messageOf(cause)}. ` +
      'To refuse a command, return a value that says so',
    { outcome: 'committed', cause, details: { index } },
  )
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
