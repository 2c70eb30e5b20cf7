import { RaftError } from '@raftkit/interface'
import type {
  EntryBatch,
  HardState,
  Index,
  LogAppendOptions,
  LogBounds,
  LogReadLimits,
  LogStore,
  StableStore,
} from '@raftkit/interface'
import { BoundaryKeeper } from './boundary/boundary-keeper.ts'
import { localDisk } from './database/disk.ts'
import type { Disk } from './database/disk.ts'
import { Handle } from './handle.ts'
import { LevelLog } from './log/level-log.ts'
import { LevelStable } from './stable/level-stable.ts'
import { promiseOf } from './log/log-anchor.ts'
import { openStore } from './opening/opening.ts'
import type { OpenedStore } from './opening/opening.ts'
import { resolveOptions } from './options.ts'
import type { LevelStoreOptions, ResolvedOptions } from './options.ts'
import { unusableError } from './store-errors.ts'
import { StoreMeter } from './metrics/store-meter.ts'

/**
 * Log, term, vote and small values of one server in one LevelDB database, and beside it a boundary file that says
 * what the database must hold. See the README for what is guaranteed and what each defence costs.
 *
 * A promise of a changing method resolves when the change is durable. The first read, write or sync that fails ends
 * the store: that call and every later one reject with `RAFT_STORE_FAILED`. Opening the store again checks what is
 * there.
 */
export class LevelStore implements LogStore, StableStore {
  /** Absolute path of the directory. */
  readonly directory: string
  readonly #handle: Handle
  readonly #database: OpenedStore['database']
  readonly #keeper: BoundaryKeeper
  readonly #log: LevelLog
  readonly #stable: LevelStable
  readonly #meter: StoreMeter | undefined
  #closing: Promise<void> | undefined

  private constructor(
    opened: OpenedStore,
    options: ResolvedOptions,
    meter: StoreMeter | undefined,
  ) {
    const { directory, boundaryFile, contents } = opened
    const database = meter?.database(opened.database) ?? opened.database
    this.directory = directory
    this.#database = database
    this.#meter = meter
    this.#handle = new Handle(directory)
    const { boundaryDelayMs } = options
    this.#keeper = new BoundaryKeeper(boundaryFile, this.#handle, boundaryDelayMs, meter)
    const parts = {
      database,
      handle: this.#handle,
      keeper: this.#keeper,
      maxBlockBytes: options.maxBlockBytes,
    }
    this.#log = new LevelLog(parts, contents)
    this.#stable = new LevelStable(parts, contents.hardState, contents.revision)
  }

  /**
   * Opens the store in `directory`, or makes one where there is none, and checks all of it. `disk` is for tests.
   *
   * Rejects with `RAFT_STORE_LOCKED` when it is open elsewhere, `RAFT_STORE_MISSING` when a part is gone,
   * `RAFT_STORE_CORRUPT` when something is not what was written, `RAFT_STORE_LOST_DATA` when less is there than was
   * durable, `RAFT_STORE_FOREIGN` when it is another server's, `RAFT_STORE_UNUSABLE` when the directory cannot be
   * used, `RAFT_INVALID_ARGUMENT` for an option out of range.
   */
  static async open(
    directory: string,
    options: LevelStoreOptions = {},
    disk: Disk = localDisk,
  ): Promise<LevelStore> {
    const resolved = resolveOptions(options)
    const opened = await openStore(directory, resolved, disk)
    const { metrics } = options
    const store = new LevelStore(opened, resolved, metrics && new StoreMeter(metrics))
    try {
      await store.#start(opened)
      return store
    } catch (error) {
      await store.close().catch(() => {}) // The first error is the one that matters.
      const isDiskError = RaftError.is(error, 'RAFT_STORE_FAILED')
      throw isDiskError ? unusableError(opened.directory, error.cause) : error
    }
  }

  async bounds(): Promise<LogBounds> {
    this.#handle.check()
    return this.#log.bounds
  }

  /** `to` may lie behind the last entry; reading stops there. The batch may be a view of a larger buffer. */
  read(from: Index, to: Index, limits: LogReadLimits): Promise<EntryBatch> {
    return this.#handle.read(() => this.#log.read(from, to, limits))
  }

  append(batches: readonly EntryBatch[], options: LogAppendOptions = {}): Promise<void> {
    return this.#handle.change(() => this.#log.append(batches, options.commitIndex))
  }

  async commitIndex(): Promise<Index> {
    this.#handle.check()
    return this.#log.commit.index
  }

  truncateSuffix(from: Index): Promise<void> {
    return this.#handle.change(() => this.#log.truncateSuffix(from))
  }

  truncatePrefix(to: Index): Promise<void> {
    return this.#handle.change(() => this.#log.truncatePrefix(to))
  }

  async loadHardState(): Promise<HardState | undefined> {
    this.#handle.check()
    return this.#stable.hardState
  }

  /** Rejects with `RAFT_INVARIANT_VIOLATED`, changing nothing, when the term is lower than the stored one. */
  saveHardState(state: HardState): Promise<void> {
    return this.#handle.change(() => this.#stable.saveHardState(state))
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#handle.read(() => this.#stable.get(key))
  }

  /** Rejects with `RAFT_LIMIT_EXCEEDED` above 64 KiB. */
  set(key: string, value: Uint8Array): Promise<void> {
    const copy = new Uint8Array(value) // A Buffer's slice would be a view.
    return this.#handle.change(() => this.#stable.set(key, copy))
  }

  /** Waits for the calls under way, brings the boundary file up to date and unlocks the directory. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Makes the boundary say what was found, anew and synced: what was read may never have reached the disk. */
  async #start({ contents }: OpenedStore): Promise<void> {
    await this.#keeper.recordTwice({
      ...promiseOf(contents.end),
      term: contents.hardState?.term ?? 0,
      hardStateChecksum: contents.hardStateChecksum,
      revision: contents.revision.revision,
    })
    await this.#log.removeLeftovers()
    this.#meter?.watch(() => {
      const { firstIndex, lastIndex } = this.#log.bounds
      return lastIndex === 0 ? 0 : lastIndex - firstIndex + 1
    })
  }

  async #close(): Promise<void> {
    this.#meter?.close()
    await this.#handle.close()
    try {
      await this.#keeper.close()
    } finally {
      await this.#database.close()
    }
  }
}
