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
import type { Process } from '../server/process.ts'
import type { DiskImage, StoredEntry } from './disk-image.ts'
import { joined } from './entry-join.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

/** Told of every change of the log and of term and vote, at the moment in which it becomes durable. */
export interface StoreObserver {
  /** Before the entries are added. */
  onAppend(image: DiskImage, batches: readonly EntryBatch[]): void
  /** Before the entries are removed. */
  onTruncate(image: DiskImage, from: Index): void
  /** Before the state is replaced. */
  onHardState(image: DiskImage, state: HardState): void
  /** After entries were added: the commit index may be another. */
  onCommitIndex?(image: DiskImage): void
  /** Before entries from `from` on are read. */
  onRead?(image: DiskImage, from: Index): void
  /** Before entries up to `to` leave the log. */
  onCompact?(image: DiskImage, to: Index): void
}

/** Log and stable store of one process on a simulated disk. */
export class SimulatedStore implements LogStore, StableStore {
  readonly #disk: SimulatedDisk
  readonly #process: Process
  readonly #observer: StoreObserver
  #failure: Error | undefined
  #isClosed = false

  constructor(disk: SimulatedDisk, process: Process, observer: StoreObserver) {
    this.#disk = disk
    this.#process = process
    this.#observer = observer
  }

  bounds(): Promise<LogBounds> {
    return this.#read(({ firstIndex, lastIndex }) => ({ firstIndex, lastIndex }))
  }

  read(from: Index, to: Index, { maxBytes }: LogReadLimits): Promise<EntryBatch> {
    return this.#read((image) => {
      if (!(to >= from))
        throw new RaftError('RAFT_INVALID_ARGUMENT', `cannot read ${from}..${to}: it is no range`)
      this.#observer.onRead?.(image, from)
      const first = image.entry(from)
      if (first === undefined)
        throw new RaftError(
          'RAFT_LOG_NOT_FOUND',
          `entry ${from} is not in the log, which holds ${image.firstIndex}..${image.lastIndex}`,
        )
      if (first.isDamaged === true) throw checksumFails(`entry ${from}`)
      const found: StoredEntry[] = [first]
      let bytes = first.bytes.length
      for (let index = from + 1; index <= to; index++) {
        const entry = image.entry(index)
        if (entry === undefined || bytes + entry.bytes.length > maxBytes) break
        if (entry.isDamaged === true) throw checksumFails(`entry ${index}`)
        bytes += entry.bytes.length
        found.push(entry)
      }
      return joined(found)
    })
  }

  append(
    batches: readonly EntryBatch[],
    { commitIndex = 0 }: LogAppendOptions = {},
  ): Promise<void> {
    const first = batches[0]
    if (first === undefined) return this.#write('append nothing', () => {})
    const refusal = this.#refusal() ?? this.#failure
    if (refusal !== undefined) return Promise.reject(refusal)
    const { image } = this.#disk
    if (!isSafeNumber(commitIndex))
      return Promise.reject(
        new RaftError('RAFT_INVALID_ARGUMENT', `${String(commitIndex)} is no commit index`),
      )
    let next = image.lastIndex === 0 ? first.firstIndex : image.lastIndex + 1
    for (const batch of batches) {
      if (batch.firstIndex < 1 || !Number.isSafeInteger(batch.lastIndex))
        return Promise.reject(
          new RaftError('RAFT_INVALID_ARGUMENT', 'an index is from 1 to 2^53 - 1'),
        )
      if (batch.firstIndex !== next)
        return Promise.reject(
          new RaftError('RAFT_LOG_GAP', `cannot append from ${batch.firstIndex}, next is ${next}`),
        )
      next = batch.lastIndex + 1
    }
    return this.#write(`append ${first.firstIndex}..${next - 1}`, () => {
      this.#observer.onAppend(image, batches)
      image.append(batches, commitIndex)
      this.#observer.onCommitIndex?.(image)
    })
  }

  commitIndex(): Promise<Index> {
    return this.#read((image) => image.commitIndex)
  }

  truncateSuffix(from: Index): Promise<void> {
    const { image } = this.#disk
    return this.#write(`truncate from ${from}`, () => {
      this.#observer.onTruncate(image, from)
      image.truncateSuffix(from)
    })
  }

  truncatePrefix(to: Index): Promise<void> {
    const { image } = this.#disk
    return this.#write(`compact to ${to}`, () => {
      this.#observer.onCompact?.(image, to)
      image.truncatePrefix(to)
    })
  }

  loadHardState(): Promise<HardState | undefined> {
    return this.#read((image) => {
      if (image.isStableDamaged) throw checksumFails('the saved term and vote')
      return image.hardState
    })
  }

  saveHardState(state: HardState): Promise<void> {
    const { image } = this.#disk
    const { votedFor } = state
    const kept =
      votedFor === undefined
        ? { term: state.term }
        : { term: state.term, votedFor: { ...votedFor } }
    const vote = votedFor === undefined ? '' : ` and vote for ${votedFor.id}`
    return this.#write(`save term ${state.term}${vote}`, () => {
      this.#observer.onHardState(image, kept)
      image.hardState = kept
    })
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#read((image) => {
      if (image.isStableDamaged) throw checksumFails(`the saved value '${key}'`)
      return image.values.get(key)?.slice()
    })
  }

  set(key: string, value: Uint8Array): Promise<void> {
    const limit = 64 * 1024
    if (value.length > limit)
      return Promise.reject(
        new RaftError('RAFT_LIMIT_EXCEEDED', `the value of '${key}' has more than ${limit} bytes`),
      )
    const kept = value.slice()
    return this.#write(`set ${key}`, () => void this.#disk.image.values.set(key, kept))
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #read<T>(take: (image: DiskImage) => T): Promise<T> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#disk.read(this.#process, () => take(this.#disk.image))
  }

  async #write(what: string, apply: () => void): Promise<void> {
    const refusal = this.#refusal() ?? this.#failure
    if (refusal !== undefined) throw refusal
    try {
      await this.#disk.write(this.#process, 'log', what, apply)
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      throw error
    }
  }

  #refusal(): RaftError | undefined {
    return this.#isClosed
      ? new RaftError('RAFT_STORE_CLOSED', 'the store is closed: open it again')
      : undefined
  }
}

function checksumFails(what: string): RaftError {
  return new RaftError(
    'RAFT_STORE_CORRUPT',
    `the checksum of ${what} does not fit: the disk is damaged. Restore this server from its peers under a new id`,
  )
}
