// A log and stable store in memory whose disk a test holds in its hand.
import type {
  EntryBatch,
  HardState,
  Index,
  LogAppendOptions,
  LogBounds,
  LogReadLimits,
} from '@raftkit/interface'
import type { LogStore, StableStore } from '@raftkit/interface'
import type { InmemStore } from '@raftkit/store-inmem'

type Operation =
  | 'append'
  | 'truncateSuffix'
  | 'truncatePrefix'
  | 'saveHardState'
  | 'set'
  | 'read'
  | 'loadHardState'
  | 'bounds'

export class ControlledStore implements LogStore, StableStore {
  /** What was carried out, in order: "append 3..4", "truncateSuffix 3", "saveHardState 2". */
  readonly operations: string[] = []
  readonly #store: InmemStore
  #failure: { readonly operation: Operation; readonly error: Error } | undefined
  #gate: Promise<void> | undefined
  #open: (() => void) | undefined
  #waiting = 0

  constructor(store: InmemStore) {
    this.#store = store
  }

  /** Operations that hang at present. */
  get hanging(): number {
    return this.#waiting
  }

  /** Writes hang until {@link release}. */
  hang(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  release(): void {
    this.#gate = undefined
    this.#open?.()
  }

  /** Every call of that operation fails from now on. */
  fail(operation: Operation, error = new Error('input/output error')): void {
    this.#failure = { operation, error }
  }

  async bounds(): Promise<LogBounds> {
    await this.#check('bounds')
    return this.#store.bounds()
  }

  async read(from: Index, to: Index, limits: LogReadLimits): Promise<EntryBatch> {
    await this.#check('read')
    return this.#store.read(from, to, limits)
  }

  async append(batches: readonly EntryBatch[], options?: LogAppendOptions): Promise<void> {
    await this.#write('append')
    this.operations.push(`append ${batches[0]?.firstIndex}..${batches.at(-1)?.lastIndex}`)
    return this.#store.append(batches, options)
  }

  commitIndex(): Promise<Index> {
    return this.#store.commitIndex()
  }

  async truncateSuffix(from: Index): Promise<void> {
    await this.#write('truncateSuffix')
    this.operations.push(`truncateSuffix ${from}`)
    return this.#store.truncateSuffix(from)
  }

  async truncatePrefix(to: Index): Promise<void> {
    await this.#write('truncatePrefix')
    this.operations.push(`truncatePrefix ${to}`)
    return this.#store.truncatePrefix(to)
  }

  async loadHardState(): Promise<HardState | undefined> {
    await this.#check('loadHardState')
    return this.#store.loadHardState()
  }

  async saveHardState(state: HardState): Promise<void> {
    await this.#write('saveHardState')
    this.operations.push(`saveHardState ${state.term}`)
    return this.#store.saveHardState(state)
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#store.get(key)
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    await this.#write('set')
    this.operations.push(`set ${key}`)
    return this.#store.set(key, value)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #write(operation: Operation): Promise<void> {
    this.#waiting++
    await this.#gate
    this.#waiting--
    await this.#check(operation)
  }

  async #check(operation: Operation): Promise<void> {
    if (this.#failure?.operation === operation) throw this.#failure.error
  }
}
