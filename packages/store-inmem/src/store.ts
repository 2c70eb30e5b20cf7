import { isSafeNumber, RaftError } from '@raftkit/interface'
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
import { PackedLog } from './packed-log.ts'

/** The largest value that {@link InmemStore.set} takes, in bytes: 64 KiB, as the StableStore port says. */
const MAX_VALUE_BYTES = 64 * 1024

/** What a store holds; outlives the store object, see {@link InmemStore.reopen}. */
interface StoreData {
  readonly log: PackedLog
  readonly values: Map<string, Uint8Array>
  hardState: HardState | undefined
  /** Never above the last index of the log. */
  commitIndex: Index
}

/**
 * Log and stable store in memory, for tests and for clusters that may lose everything at once. Nothing survives
 * the process. It keeps its own copy of everything it is given.
 *
 * After {@link close} every call but `close` and `reopen` rejects with `RAFT_STORE_CLOSED`. Closing does not
 * discard: {@link reopen} gives a store over the same data, as a restarted server would find it.
 */
export class InmemStore implements LogStore, StableStore {
  #data: StoreData = {
    log: new PackedLog(),
    values: new Map(),
    hardState: undefined,
    commitIndex: 0,
  }
  #closed = false

  /**
   * A new store over the same data; closes this one. What the former owner still does with the old one is
   * refused, as from a process that was killed.
   */
  reopen(): InmemStore {
    this.#closed = true
    const store = new InmemStore()
    store.#data = this.#data
    return store
  }

  async bounds(): Promise<LogBounds> {
    const { log } = this.#open()
    return { firstIndex: log.firstIndex, lastIndex: log.lastIndex }
  }

  /** `to` may lie behind the last entry; reading stops there. */
  async read(from: Index, to: Index, limits: LogReadLimits): Promise<EntryBatch> {
    const { log } = this.#open()
    if (!(to >= from))
      throw new RaftError('RAFT_INVALID_ARGUMENT', `cannot read ${from}..${to}: it is no range`)
    if (log.lastIndex === 0 || !(from >= log.firstIndex && from <= log.lastIndex))
      throw new RaftError(
        'RAFT_LOG_NOT_FOUND',
        `entry ${from} is not in the log, which holds ${heldBy(log)}; it was compacted or never written`,
        { details: { index: from, firstIndex: log.firstIndex, lastIndex: log.lastIndex } },
      )
    return log.read(from, Math.min(to, log.lastIndex), limits.maxBytes)
  }

  async append(
    batches: readonly EntryBatch[],
    { commitIndex = 0 }: LogAppendOptions = {},
  ): Promise<void> {
    const data = this.#open()
    const { log } = data
    if (!isSafeNumber(commitIndex))
      throw new RaftError(
        'RAFT_INVALID_ARGUMENT',
        `cannot append with the commit index ${String(commitIndex)}: it is an integer from 0 to 2^53 - 1`,
      )
    let last = log.lastIndex
    for (const batch of batches) {
      const { firstIndex, lastIndex } = batch
      if (firstIndex < 1 || !isSafeNumber(firstIndex) || !isSafeNumber(lastIndex))
        throw new RaftError(
          'RAFT_INVALID_ARGUMENT',
          `cannot append ${batch.firstIndex}..${batch.lastIndex}: an index is from 1 to 2^53 - 1`,
        )
      if (last !== 0 && batch.firstIndex !== last + 1)
        throw new RaftError(
          'RAFT_LOG_GAP',
          `cannot append from ${batch.firstIndex}: the next index is ${last + 1}; nothing was stored`,
          { details: { firstIndex: batch.firstIndex, expected: last + 1 } },
        )
      last = batch.lastIndex
    }
    for (const batch of batches) log.append(batch)
    if (batches.length > 0)
      data.commitIndex = Math.max(data.commitIndex, Math.min(commitIndex, log.lastIndex))
  }

  async commitIndex(): Promise<Index> {
    return this.#open().commitIndex
  }

  async truncateSuffix(from: Index): Promise<void> {
    const data = this.#open()
    data.log.truncateSuffix(from)
    data.commitIndex = Math.min(data.commitIndex, data.log.lastIndex)
  }

  async truncatePrefix(to: Index): Promise<void> {
    const data = this.#open()
    data.log.truncatePrefix(to)
    data.commitIndex = Math.min(data.commitIndex, data.log.lastIndex)
  }

  async loadHardState(): Promise<HardState | undefined> {
    return this.#open().hardState
  }

  async saveHardState(state: HardState): Promise<void> {
    const { term, votedFor } = state
    const kept = votedFor
      ? { term, votedFor: Object.freeze({ id: votedFor.id, address: votedFor.address }) }
      : { term }
    this.#open().hardState = Object.freeze(kept)
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#open().values.get(key)?.slice()
  }

  /** Rejects with `RAFT_LIMIT_EXCEEDED` above 64 KiB. */
  async set(key: string, value: Uint8Array): Promise<void> {
    const { values } = this.#open()
    if (value.length > MAX_VALUE_BYTES)
      throw new RaftError(
        'RAFT_LIMIT_EXCEEDED',
        `the value of '${key}' has ${value.length} bytes; a stable store takes at most ${MAX_VALUE_BYTES}`,
        { details: { key, size: value.length, limit: MAX_VALUE_BYTES } },
      )
    values.set(key, value.slice())
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #open(): StoreData {
    if (this.#closed)
      throw new RaftError(
        'RAFT_STORE_CLOSED',
        'the in-memory store is closed; reopen() gives a new one over the same data',
      )
    return this.#data
  }
}

function heldBy(log: PackedLog): string {
  return log.lastIndex === 0 ? 'nothing' : `${log.firstIndex}..${log.lastIndex}`
}
