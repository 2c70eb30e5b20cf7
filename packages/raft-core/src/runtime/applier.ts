import {
  type Clock,
  type EntryBatch,
  type Index,
  type IndexedConfiguration,
  messageOf,
  RaftError,
  type StateMachine,
  type StateMachineSnapshot,
  type Term,
} from '@raftkit/interface'
import type { RaftConfig } from '../config.ts'
import { EntryApplier, type Responses } from './entry-applier.ts'
import { shutDown } from './refusals.ts'
import type { ServerLog } from './server-log.ts'

/** Entries between two looks at the clock. */
const STRIDE = 32
/** Encoded bytes taken from the log at a time. */
const READ_BYTES = 1024 * 1024

/** What the applier tells. */
export interface ApplierEvents<R> {
  /** The state machine has applied `from .. to` of the batch. */
  readonly onApplied: (batch: EntryBatch, from: Index, to: Index, responses: Responses<R>) => void
  readonly onFailed: (error: RaftError) => void
}

/** The state machine as of one index. */
export interface CapturedState {
  readonly snapshot: StateMachineSnapshot
  readonly index: Index
  readonly term: Term
  readonly configuration: IndexedConfiguration
}

/** Where the state machine stands when the server starts. */
export interface AppliedStart {
  readonly index: Index
  readonly term: Term
  readonly configuration: IndexedConfiguration
}

/**
 * Hands committed entries to the state machine, in order, each once, with a time budget per turn of the event loop.
 * Whoever needs the state machine for itself (to capture or to replace its state) gets it between two calls.
 */
export class Applier<R> {
  readonly #clock: Clock
  readonly #limits: Pick<RaftConfig, 'maxApplyTurnMs' | 'maxApplyBatch'>
  readonly #log: ServerLog
  readonly #stateMachine: StateMachine<R>
  readonly #events: ApplierEvents<R>
  readonly #entries: EntryApplier<R>
  readonly #waiting: (() => void)[] = []
  #index: Index
  #term: Term
  #configuration: IndexedConfiguration
  #target: Index
  /** Someone has the state machine: a promise of its own, a read of the log, or a holder. */
  #busy = false
  #closed = false
  /** When the state machine's time in this turn is up. */
  #until = 0
  #resumeAsked = false

  constructor(
    clock: Clock,
    limits: Pick<RaftConfig, 'maxApplyTurnMs' | 'maxApplyBatch'>,
    log: ServerLog,
    stateMachine: StateMachine<R>,
    start: AppliedStart,
    events: ApplierEvents<R>,
  ) {
    this.#clock = clock
    this.#limits = limits
    this.#log = log
    this.#stateMachine = stateMachine
    this.#events = events
    this.#index = start.index
    this.#term = start.term
    this.#target = start.index
    this.#configuration = start.configuration
    this.#entries = new EntryApplier(stateMachine, (configuration) => {
      this.#configuration = configuration
    })
  }

  /** The state machine has applied everything up to here. */
  get appliedIndex(): Index {
    return this.#index
  }

  /** Everything up to here is committed. */
  get commitIndex(): Index {
    return this.#target
  }

  /** Everything up to `index` is committed; {@link run} applies it. */
  commit(index: Index): void {
    this.#target = Math.max(this.#target, index)
  }

  /** Applies what is committed, for at most `maxApplyTurnMs`; goes on by itself after waiting input. */
  run(): void {
    if (this.#busy || this.#closed) return
    this.#until = this.#clock.now() + this.#limits.maxApplyTurnMs
    this.#proceed()
  }

  /** Captures the state as of the last applied entry. */
  capture(): Promise<CapturedState> {
    return this.#hold(async () => ({
      index: this.#index,
      term: this.#term,
      configuration: this.#configuration,
      snapshot: await this.#stateMachine.snapshot(),
    }))
  }

  /** Runs `replace`, which gives the state machine the state as of `start`, while nothing else uses it. */
  replace(start: AppliedStart, replace: () => Promise<void>): Promise<void> {
    return this.#hold(async () => {
      await replace()
      this.#index = start.index
      this.#term = start.term
      this.#configuration = start.configuration
      this.#target = Math.max(this.#target, start.index)
    })
  }

  /** Nothing is applied any more; resolves when the state machine is idle. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#busy) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #proceed(): void {
    while (this.#index < this.#target && !this.#busy && !this.#closed) {
      const from = this.#index + 1
      const batches = this.#log.peek(from, this.#target, READ_BYTES)
      if (batches === undefined) this.#read(from)
      else this.#applyAll(batches)
      if (!this.#busy && this.#clock.now() >= this.#until) return this.#resumeLater()
    }
  }

  /** Stops early when the time is up or the state machine is busy. */
  #applyAll(batches: readonly EntryBatch[]): void {
    for (const batch of batches)
      while (this.#index < batch.lastIndex) {
        const from = this.#index + 1
        const to = Math.min(batch.lastIndex, from + this.#limits.maxApplyBatch - 1)
        this.#applyRun(batch, from, to)
        if (this.#busy || this.#closed || this.#clock.now() >= this.#until) return
      }
  }

  /** Applies `from .. to` in strides, fewer when the time is up, and tells of them together. */
  #applyRun(batch: EntryBatch, from: Index, to: Index): void {
    const responses: Responses<R> = []
    const stride = this.#stateMachine.applyBatch === undefined ? STRIDE : to - from + 1
    try {
      for (let next = from; next <= to; next = from + responses.length) {
        const pending = this.#entries.apply(batch, next, Math.min(to, next + stride - 1), responses)
        if (pending !== undefined) return this.#await(pending, batch, from, responses)
        if (this.#clock.now() >= this.#until) break
      }
    } catch (error) {
      this.#applied(batch, from, responses)
      return this.#fail(error)
    }
    this.#applied(batch, from, responses)
  }

  #await(pending: Promise<void>, batch: EntryBatch, from: Index, responses: Responses<R>): void {
    this.#busy = true
    pending.then(
      () => {
        this.#applied(batch, from, responses)
        this.#free()
      },
      (error: unknown) => {
        this.#applied(batch, from, responses)
        this.#fail(error)
        this.#free()
      },
    )
  }

  #applied(batch: EntryBatch, from: Index, responses: Responses<R>): void {
    if (responses.length === 0) return
    const to = from + responses.length - 1
    this.#index = to
    this.#term = batch.termAt(to)
    this.#events.onApplied(batch, from, to, responses)
  }

  // Committed entries that are no longer in memory come from the store.
  #read(from: Index): void {
    this.#busy = true
    this.#log.read(from, this.#target, READ_BYTES).then(
      (batches) => {
        this.#busy = false
        this.#until = this.#clock.now() + this.#limits.maxApplyTurnMs
        if (!this.#closed) this.#applyAll(batches)
        if (!this.#busy) this.#free()
      },
      (error: unknown) => {
        this.#fail(error)
        this.#free()
      },
    )
  }

  #hold<T>(use: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const start = (): void => {
        if (this.#closed) return reject(shutDown())
        this.#busy = true
        use()
          .then(resolve, reject)
          .finally(() => this.#free())
      }
      if (this.#busy && !this.#closed) this.#waiting.push(start)
      else start()
    })
  }

  #free(): void {
    this.#busy = false
    if (this.#closed) for (const next of this.#waiting.splice(0)) next()
    const next = this.#waiting.shift()
    if (next !== undefined) next()
    else if (this.#clock.now() < this.#until) this.#proceed()
    else this.#resumeLater()
  }

  #resumeLater(): void {
    if (this.#resumeAsked || this.#closed) return
    this.#resumeAsked = true
    this.#clock.afterInput(() => {
      this.#resumeAsked = false
      this.run()
    })
  }

  #fail(error: unknown): void {
    this.#closed = true
    this.#events.onFailed(
      RaftError.is(error)
        ? error
        : new RaftError(
            'RAFT_READ_FAILED',
            `committed entries cannot be read, so the server stops: ${messageOf(error)}`,
            { cause: error },
          ),
    )
  }
}
