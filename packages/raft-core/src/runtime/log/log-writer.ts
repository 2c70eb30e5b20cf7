import {
  type Clock,
  type EntryBatch,
  type HardState,
  type Index,
  type LogBounds,
  type LogStore,
  messageOf,
  RaftError,
  type StableStore,
  type Term,
} from '@raftkit/interface'
import { saveSnapshotFloor } from './snapshot-floor.ts'
import { Watchdog } from '../watchdog.ts'
import { type AppendWrite, cut, lastTermOf, type Write, WriteQueue } from './write-queue.ts'

/** Entries removed by one compaction write, so that appends do not wait long. */
const COMPACTION_SLICE = 4096

/** What the log writer tells. */
export interface LogWriterEvents {
  readonly onEntriesDurable: (index: Index, term: Term) => void
  readonly onHardStateDurable: (sequence: number) => void
  /** Every entry leaves the log, durable or not: a snapshot took its place. */
  readonly onReset: () => void
  /** A write takes longer than `storageStallMs`. */
  readonly onStalled: (forMs: number) => void
  /** A stalled write has ended. */
  readonly onRecovered: () => void
  /** A write failed; nothing more is written. */
  readonly onFailed: (error: RaftError) => void
}

/** Where the log writer writes. */
export interface LogWriterStores {
  readonly logStore: LogStore
  readonly stableStore: StableStore
}

/**
 * Every write to the stores, one at a time and in order. What arrives while a write is under way is the next one: the
 * group commit needs no timer. Tells what has become durable; a failed write is never tried again.
 */
export class LogWriter {
  readonly #stores: LogWriterStores
  readonly #events: LogWriterEvents
  readonly #watchdog: Watchdog
  readonly #keepsCommitIndex: boolean
  readonly #queue = new WriteQueue()
  readonly #idle: (() => void)[] = []
  readonly #progress: (() => void)[] = []
  #current: Write | 'compaction' | undefined
  #durableIndex: Index
  #durableSequence = 0
  #firstIndex: Index
  #compactTo: Index = 0
  #commitIndex: Index = 0
  /** The snapshot floor saved since the start. */
  #floor: Index = 0
  #compactNext = false
  #stalled = false
  #failed = false

  /** With `keepsCommitIndex`, the log store is told what is committed, with each append. */
  constructor(
    clock: Clock,
    stallMs: number,
    stores: LogWriterStores,
    bounds: LogBounds,
    events: LogWriterEvents,
    keepsCommitIndex = false,
  ) {
    this.#stores = stores
    this.#events = events
    this.#keepsCommitIndex = keepsCommitIndex
    this.#firstIndex = bounds.firstIndex
    this.#durableIndex = bounds.lastIndex
    this.#watchdog = new Watchdog(clock, stallMs, (forMs) => {
      this.#stalled = true
      events.onStalled(forMs)
    })
  }

  /** The log is durable up to here, in its present form. */
  get durableIndex(): Index {
    return this.#durableIndex
  }

  /** The newest `save-hard-state` that is durable. */
  get durableSequence(): number {
    return this.#durableSequence
  }

  /** Bytes of entries that wait for the write under way. */
  get queuedBytes(): number {
    return this.#queue.bytes
  }

  /** Writes that wait. */
  get queued(): number {
    return this.#queue.length
  }

  /** Everything up to `index` is committed; the store is told with the next append. */
  commit(index: Index): void {
    this.#commitIndex = Math.max(this.#commitIndex, index)
  }

  append(batch: EntryBatch): void {
    this.#queue.append(batch)
    this.#run()
  }

  saveHardState(sequence: number, hardState: HardState): void {
    this.#queue.hardState(sequence, hardState)
    this.#run()
  }

  truncate(from: Index): void {
    if (typeof this.#current === 'object') cut(this.#current, from)
    this.#durableIndex = Math.min(this.#durableIndex, from - 1)
    this.#queue.truncate(from)
    this.#run()
  }

  /** Removes the whole log, because a durable snapshot at `index` took its place; resolves when it is gone. */
  reset(index: Index): Promise<void> {
    if (this.#failed) return Promise.reject(nothingIsWritten())
    if (typeof this.#current === 'object') cut(this.#current, 0)
    // Before the durable index moves: what waits for an entry that is thrown away must not take it for durable.
    this.#events.onReset()
    this.#durableIndex = index
    this.#compactTo = 0
    return new Promise((resolve, reject) => {
      this.#queue.reset(index, resolve, reject)
      this.#run()
    })
  }

  /** Saves a small value in the stable store, in order with the other writes. */
  set(key: string, value: Uint8Array): Promise<void> {
    if (this.#failed) return Promise.reject(nothingIsWritten())
    return new Promise((done, failed) => {
      this.#queue.value({ key, value, done, failed })
      this.#run()
    })
  }

  /** Removes the entries up to `to`, in slices between other writes. */
  compact(to: Index): void {
    this.#compactTo = Math.max(this.#compactTo, to)
    this.#run()
  }

  /** Resolves when the log is durable up to `index`; rejects when a write fails before. */
  async whenDurable(index: Index): Promise<void> {
    while (this.#durableIndex < index && !this.#isIdle())
      await new Promise<void>((resolve) => this.#progress.push(resolve))
    if (this.#durableIndex < index)
      throw new RaftError('RAFT_STORE_FAILED', `entry ${index} did not become durable`)
  }

  /** Resolves when nothing is under way or waits, or when a write has failed. */
  whenIdle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Leaves out the rest of a compaction and watches no more; writes that wait are still carried out. */
  close(): void {
    this.#compactTo = 0
    this.#watchdog.close()
  }

  #isIdle(): boolean {
    return this.#failed || (this.#current === undefined && this.#queue.length === 0)
  }

  #run(): void {
    if (this.#current !== undefined || this.#failed) return
    const write = this.#next()
    if (write === undefined) {
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    this.#current = write
    this.#watchdog.start()
    this.#perform(write)
      .then(() => this.#completed(write))
      .catch((error: unknown) => this.#fail(write, error))
  }

  // Under load a slice of a compaction comes after every other write, or the log would grow without end.
  #next(): Write | 'compaction' | undefined {
    const mustCompact = this.#firstIndex > 0 && this.#compactTo >= this.#firstIndex
    if (mustCompact && (this.#compactNext || this.#queue.length === 0)) {
      this.#compactNext = false
      return 'compaction'
    }
    this.#compactNext = true
    return this.#queue.next()
  }

  async #perform(write: Write | 'compaction'): Promise<void> {
    const { logStore, stableStore } = this.#stores
    if (write === 'compaction') return this.#compactSlice()
    switch (write.kind) {
      case 'append':
        return this.#append(write)
      case 'hard-state':
        return stableStore.saveHardState(write.hardState)
      case 'truncate':
        return logStore.truncateSuffix(write.from)
      case 'reset':
        return this.#reset(write.index)
      case 'value':
        return stableStore.set(write.key, write.value)
    }
  }

  /**
   * Of what is committed, the store may keep only what it then holds: a truncation that waits behind this write removes
   * entries that are on the disk still, in the place of committed ones.
   */
  #append({ batches, last }: AppendWrite): Promise<void> {
    const commitIndex = Math.min(this.#commitIndex, last)
    const isTold = this.#keepsCommitIndex && commitIndex > 0
    return this.#stores.logStore.append(batches, isTold ? { commitIndex } : {})
  }

  async #reset(index: Index): Promise<void> {
    const { lastIndex } = await this.#stores.logStore.bounds()
    await this.#raiseFloor(index)
    if (lastIndex > 0) await this.#stores.logStore.truncatePrefix(lastIndex)
    this.#firstIndex = 0
  }

  async #compactSlice(): Promise<void> {
    await this.#raiseFloor(this.#compactTo)
    const to = Math.min(this.#compactTo, this.#firstIndex + COMPACTION_SLICE - 1)
    await this.#stores.logStore.truncatePrefix(to)
    this.#firstIndex = to + 1
  }

  async #raiseFloor(index: Index): Promise<void> {
    if (index <= this.#floor) return
    await saveSnapshotFloor(this.#stores.stableStore, index)
    this.#floor = index
  }

  #completed(write: Write | 'compaction'): void {
    this.#current = undefined
    this.#watchdog.stop()
    if (this.#stalled) {
      this.#stalled = false
      this.#events.onRecovered()
    }
    if (write !== 'compaction') this.#tell(write)
    this.#run()
    for (const resolve of this.#progress.splice(0)) resolve()
  }

  #tell(write: Write): void {
    if (write.kind === 'append') this.#appended(write)
    else if (write.kind === 'hard-state') {
      this.#durableSequence = write.sequence
      this.#events.onHardStateDurable(write.sequence)
    } else if (write.kind === 'reset' || write.kind === 'value') write.done()
  }

  #appended(write: AppendWrite): void {
    if (this.#firstIndex === 0) this.#firstIndex = write.batches[0]!.firstIndex
    const term = lastTermOf(write)
    if (term === undefined) return
    this.#durableIndex = write.last
    this.#events.onEntriesDurable(write.last, term)
  }

  #fail(write: Write | 'compaction', cause: unknown): void {
    this.#failed = true
    this.#current = undefined
    this.#watchdog.close()
    const error = new RaftError(
      'RAFT_STORE_FAILED',
      `a write to the store failed, so the server stops: ${messageOf(cause)}. ` +
        'Repair the cause, then start the server again',
      { cause },
    )
    let waiting: Write | 'compaction' | undefined = write
    for (; waiting !== undefined; waiting = this.#queue.next())
      if (typeof waiting === 'object' && 'failed' in waiting) waiting.failed(error)
    for (const resolve of [...this.#idle.splice(0), ...this.#progress.splice(0)]) resolve()
    this.#events.onFailed(error)
  }
}

function nothingIsWritten(): RaftError {
  return new RaftError(
    'RAFT_STORE_FAILED',
    'a write to the store failed before this one: nothing more is written',
  )
}
