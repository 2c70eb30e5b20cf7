import type {
  Configuration,
  Index,
  LogEntry,
  ServerId,
  StateMachine,
  StateMachineSnapshot,
} from '@raftkit/interface'
import type { AppliedLog } from './applied-log.ts'
import { hashOf } from './entry-tree.ts'
import type { Violate } from './violation.ts'

/** Bytes in front of every snapshot: the index applied last and the chain hash. */
export const SNAPSHOT_HEADER_BYTES = 16

/** What a {@link CheckedMachine} works with. */
export interface CheckedMachineParts<R> {
  readonly id: ServerId
  readonly machine: StateMachine<R>
  readonly applied: AppliedLog
  readonly violate: Violate
  /** Called before a command is given to the machine; its promise is awaited: a slow machine. */
  readonly beforeApply: (entry: LogEntry) => void | Promise<void>
  /** Called before a state takes the place of the machine's, and awaited. */
  readonly beforeRestore?: (() => void | Promise<void>) | undefined
  /** An own check of the state, after each command. Says what is wrong. */
  readonly check: ((machine: StateMachine<R>) => string | undefined) | undefined
  /** Gives a new machine for the round trip of each snapshot; undefined to leave that out. */
  readonly fresh: (() => StateMachine<R>) | undefined
}

/** A user's state machine, and around it the checks of what it is given and what it answers. */
export class CheckedMachine<R> implements StateMachine<R> {
  readonly #parts: CheckedMachineParts<R>
  #index: Index = 0
  #chain = 0
  #isRestoring = false

  constructor(parts: CheckedMachineParts<R>) {
    this.#parts = parts
  }

  /** Index of the command applied last. */
  get index(): Index {
    return this.#index
  }

  /** Hash over all commands applied. */
  get chain(): number {
    return this.#chain
  }

  /** True while its state is replaced by another: it has neither. */
  get isRestoring(): boolean {
    return this.#isRestoring
  }

  apply(entry: LogEntry): R | Promise<R> {
    const { id, applied, machine, beforeApply, violate } = this.#parts
    const { index, term, data } = entry
    if (index <= this.#index)
      violate('state machine safety', `${id} applies command ${index} after ${this.#index}`)
    this.#chain = applied.apply(id, index, term, hashOf(data), this.#chain)
    this.#index = index
    const wait = beforeApply(entry)
    const response =
      wait === undefined ? machine.apply(entry) : wait.then(() => machine.apply(entry))
    if (isPromise(response))
      return response.then((value) => {
        this.#answered(index, value)
        return value
      })
    this.#answered(index, response)
    return response
  }

  storeConfiguration(index: Index, configuration: Configuration): void | Promise<void> {
    return this.#parts.machine.storeConfiguration?.(index, configuration)
  }

  async snapshot(): Promise<StateMachineSnapshot> {
    const header = new Uint8Array(SNAPSHOT_HEADER_BYTES)
    const view = new DataView(header.buffer)
    view.setFloat64(0, this.#index)
    view.setFloat64(8, this.#chain)
    const inner = await this.#parts.machine.snapshot()
    const { fresh } = this.#parts
    const chunks: Uint8Array[] = []
    return {
      persist: async (writer) => {
        await writer.write(header)
        await inner.persist({
          write: async (chunk) => {
            if (fresh !== undefined) chunks.push(chunk.slice())
            await writer.write(chunk)
          },
        })
        if (fresh !== undefined) await this.#checkRoundTrip(fresh(), chunks)
      },
      release: () => inner.release?.(),
    }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    this.#isRestoring = true
    try {
      await this.#parts.beforeRestore?.()
      await this.#restore(state)
    } finally {
      this.#isRestoring = false
    }
  }

  async #restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    const { id, machine, violate } = this.#parts
    const chunks = state[Symbol.asyncIterator]()
    let header = new Uint8Array(0)
    while (header.length < SNAPSHOT_HEADER_BYTES) {
      const next = await chunks.next()
      if (next.done === true) throw new Error('the snapshot ends within its header')
      header = concat([header, next.value])
    }
    const view = new DataView(header.buffer)
    this.#index = view.getFloat64(0)
    this.#chain = view.getFloat64(8)
    const rest = header.subarray(SNAPSHOT_HEADER_BYTES)
    try {
      await machine.restore(afterHeader(rest, chunks))
    } catch (error) {
      violate('snapshot round trip', `${id} cannot restore its own snapshot: ${String(error)}`)
      throw error
    }
  }

  #answered(index: Index, response: R): void {
    const { id, applied, machine, check, violate } = this.#parts
    applied.answered(id, index, inWords(response))
    const problem = check?.(machine)
    if (problem !== undefined) violate('own check', `${id} after command ${index}: ${problem}`)
  }

  async #checkRoundTrip(machine: StateMachine<R>, chunks: readonly Uint8Array[]): Promise<void> {
    const before = concat(chunks)
    await machine.restore(afterHeader(before, undefined))
    const again: Uint8Array[] = []
    const snapshot = await machine.snapshot()
    await snapshot.persist({ write: async (chunk) => void again.push(chunk.slice()) })
    await snapshot.release?.()
    const after = concat(again)
    if (before.length !== after.length || before.some((byte, place) => byte !== after[place]))
      this.#parts.violate(
        'snapshot round trip',
        `a snapshot of ${this.#parts.id} that is restored gives another snapshot: ${before.length} bytes, then ${after.length}`,
      )
  }
}

async function* afterHeader(
  rest: Uint8Array,
  chunks: AsyncIterator<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (rest.length > 0) yield rest
  for (;;) {
    const next = await chunks?.next()
    if (next === undefined || next.done === true) return
    yield next.value
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}

/** A response as text that is the same exactly when the response is. */
function inWords(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${[...value].join(' ')}`
  if (typeof value === 'bigint') return `${value}n`
  return JSON.stringify(value) ?? String(value)
}

function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let place = 0
  for (const chunk of chunks) {
    whole.set(chunk, place)
    place += chunk.length
  }
  return whole
}
