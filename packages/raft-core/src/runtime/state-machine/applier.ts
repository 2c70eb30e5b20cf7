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
import type { RaftConfig } from '../../config.ts'
import { EntryApplier, type Responses } from './entry-applier.ts'
import { Exclusive } from './exclusive.ts'
import type { ServerLog } from '../log/server-log.ts'

/** Where the entries to be applied come from. */
type AppliedLog = Pick<ServerLog, 'batchAt' | 'read'>

/** Entries between two looks at the clock. */
const STRIDE = 32
/** Encoded bytes read from the store at a time. */
const READ_BYTES = 1024 * 1024

/** What the applier tells. */
export interface ApplierEvents<R> {
  /** The state machine has applied `from .. to` of the batch. */
  readonly onApplied: (batch: EntryBatch, from: Index, to: Index, responses: Responses<R>) => void
  readonly onFailed: (error: RaftError) => void
}

/** Where the state machine stands. */
export interface AppliedStart {
  readonly index: Index
  readonly term: Term
  /** The last configuration at or before `index`. */
  readonly configuration: IndexedConfiguration
}

/** The state machine as of one index. */
export interface CapturedState extends AppliedStart {
  readonly snapshot: StateMachineSnapshot
}

/** Committed entries at hand: those of `batch` up to `to`, which never change any more. */
interface Loaded {
  readonly batch: EntryBatch
  readonly to: Index
}

/**
 * Hands committed entries to the state machine, in order, each once, with a time budget per turn of the event loop.
 * Whoever needs the state machine for itself (to capture or to replace its state) gets it between two calls.
 */
export class Applier<R> {
  readonly #clock: Clock
  readonly #limits: Pick<RaftConfig, 'maxApplyTurnMs' | 'maxApplyBatch'>
  readonly #log: AppliedLog
  readonly #stateMachine: StateMachine<R>
  readonly #events: ApplierEvents<R>
  readonly #entries: EntryApplier<R>
  readonly #exclusive = new Exclusive(() => this.#resume())
  #standing: AppliedStart
  #target: Index
  #loaded: Loaded | undefined
  /** When the state machine's time in this turn is up. */
  #until = 0
  #hasFailed = false
  #isResuming = false
  #isReplacing = false

  constructor(
    clock: Clock,
    limits: Pick<RaftConfig, 'maxApplyTurnMs' | 'maxApplyBatch'>,
    log: AppliedLog,
    stateMachine: StateMachine<R>,
    start: AppliedStart,
    events: ApplierEvents<R>,
  ) {
    this.#clock = clock
    this.#limits = limits
    this.#log = log
    this.#stateMachine = stateMachine
    this.#events = events
    this.#standing = start
    this.#target = start.index
    this.#entries = new EntryApplier(stateMachine, (configuration) => {
      this.#standing = { ...this.#standing, configuration }
    })
  }

  /** The state machine has applied everything up to here. */
  get appliedIndex(): Index {
    return this.#standing.index
  }

  /** What readers may see: everything up to here; -1 while a snapshot replaces the state. */
  get readableIndex(): Index {
    return this.#isReplacing ? -1 : this.appliedIndex
  }

  /** The state machine is between two states: nobody must read it. */
  get isReplacing(): boolean {
    return this.#isReplacing
  }

  /** Where the state machine stands. */
  get standing(): AppliedStart {
    return this.#standing
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
    if (!this.#mayRun()) return
    this.#until = this.#clock.now() + this.#limits.maxApplyTurnMs
    this.#proceed()
  }

  /** Captures the state as of the last applied entry. Rejects with `RAFT_STOPPED` once the state machine has failed. */
  capture(): Promise<CapturedState> {
    return this.#exclusive.run(async () => {
      // It may have failed in the middle of an entry: what it holds now is the state of no index.
      if (this.#hasFailed)
        throw new RaftError('RAFT_STOPPED', 'the state machine has failed, its state is not known')
      const standing = this.#standing
      return { ...standing, snapshot: await this.#stateMachine.snapshot() }
    })
  }

  /** Runs `replace`, which gives the state machine the state as of `start`, while nothing else uses it. */
  replace(start: AppliedStart, replace: () => Promise<void>): Promise<void> {
    return this.#exclusive.run(async () => {
      this.#isReplacing = true
      try {
        await replace()
        this.#standing = start
        this.#target = Math.max(this.#target, start.index)
      } finally {
        this.#isReplacing = false
      }
    })
  }

  /** Nothing is applied any more; resolves when the state machine is idle. */
  close(): Promise<void> {
    return this.#exclusive.close()
  }

  #mayRun(): boolean {
    return !this.#exclusive.isHeld && !this.#exclusive.isClosed && !this.#hasFailed
  }

  // Nobody else uses the state machine meanwhile, not even when it asks for a snapshot itself in the middle of an entry.
  #proceed(): void {
    if (this.appliedIndex < this.#target && this.#mayRun())
      this.#exclusive.hold(() => this.#applyOn())
  }

  #applyOn(): Promise<void> | undefined {
    while (this.appliedIndex < this.#target && !this.#hasFailed && !this.#exclusive.isClosed) {
      // Noted before the state machine is free again: what failed must not be tried a second time.
      const pending = this.#next()?.catch((error: unknown) => this.#fail(error))
      if (pending !== undefined) return pending
      if (this.#clock.now() >= this.#until) {
        this.#resumeLater()
        break
      }
    }
    return undefined
  }

  /** Applies the next entries; a promise when that, or reading them, takes time. */
  #next(): Promise<void> | undefined {
    const from = this.appliedIndex + 1
    const loaded = this.#at(from)
    if (loaded === undefined) return this.#load(from)
    const to = Math.min(loaded.to, from + this.#limits.maxApplyBatch - 1)
    const responses: Responses<R> = []
    try {
      const pending = this.#applyInTime(loaded.batch, from, to, responses)
      if (pending !== undefined)
        return pending.finally(() => this.#applied(loaded.batch, from, responses))
    } catch (error) {
      this.#applied(loaded.batch, from, responses)
      this.#fail(error)
      return undefined
    }
    this.#applied(loaded.batch, from, responses)
    return undefined
  }

  /** Applies `from .. to`, fewer when the time is up. */
  #applyInTime(
    batch: EntryBatch,
    from: Index,
    to: Index,
    responses: Responses<R>,
  ): Promise<void> | undefined {
    const stride = this.#stateMachine.applyBatch === undefined ? STRIDE : to - from + 1
    for (let next = from; next <= to; next = from + responses.length) {
      const pending = this.#entries.apply(batch, next, Math.min(to, next + stride - 1), responses)
      if (pending !== undefined) return pending
      if (this.#clock.now() >= this.#until) return undefined
    }
    return undefined
  }

  #applied(batch: EntryBatch, from: Index, responses: Responses<R>): void {
    if (responses.length === 0) return
    const index = from + responses.length - 1
    this.#standing = { ...this.#standing, index, term: batch.termAt(index) }
    this.#events.onApplied(batch, from, index, responses)
  }

  #at(index: Index): Loaded | undefined {
    const loaded = this.#loaded
    if (loaded !== undefined && loaded.batch.firstIndex <= index && index <= loaded.to)
      return loaded
    const batch = this.#log.batchAt(index)
    return batch === undefined ? undefined : this.#keep(batch)
  }

  // Committed entries that are no longer in memory come from the store.
  async #load(from: Index): Promise<void> {
    this.#keep(await this.#log.read(from, this.#target, READ_BYTES))
  }

  // What is beyond the commit index may still be replaced.
  #keep(batch: EntryBatch): Loaded {
    const loaded = { batch, to: Math.min(batch.lastIndex, this.#target) }
    this.#loaded = loaded
    return loaded
  }

  /** Goes on after something took its time: at once when there is time left in this turn. */
  #resume(): void {
    if (this.#clock.now() < this.#until) this.#proceed()
    else this.#resumeLater()
  }

  #resumeLater(): void {
    if (this.#isResuming) return
    this.#isResuming = true
    this.#clock.afterInput(() => {
      this.#isResuming = false
      this.run()
    })
  }

  #fail(error: unknown): void {
    this.#hasFailed = true
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
