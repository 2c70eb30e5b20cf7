import { RaftError } from '@raftkit/interface'
import { failedError } from './store-errors.ts'

/**
 * Whether a store may still be used, and whose turn it is to change it. The first failed read, write or sync ends
 * the store: classic-level has been seen to acknowledge synced writes after a transient write error that were gone
 * at the next open, and a failed fsync marks pages clean that never reached the disk. Only opening anew, which
 * verifies, helps.
 */
export class Handle {
  readonly directory: string
  #failure: { readonly cause: unknown } | undefined
  #closed = false
  #turn: Promise<unknown> = Promise.resolve()
  readonly #reads = new Set<Promise<unknown>>()

  constructor(directory: string) {
    this.directory = directory
  }

  get failed(): boolean {
    return this.#failure !== undefined
  }

  /** Throws `RAFT_STORE_CLOSED` or `RAFT_STORE_FAILED` when the store may no longer be used. */
  check(): void {
    if (this.#closed)
      throw new RaftError(
        'RAFT_STORE_CLOSED',
        `the store in '${this.directory}' is closed; open it again to use it`,
        { details: { path: this.directory } },
      )
    this.checkDisk()
  }

  /** Throws `RAFT_STORE_FAILED` when the disk has failed. */
  checkDisk(): void {
    if (this.#failure !== undefined) throw failedError(this.directory, this.#failure.cause)
  }

  /** Does something with the disk. When that fails, the store has failed. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** Ends the store because of an error of the disk; gives the error to reject with. */
  fail(cause: unknown): RaftError {
    this.#failure ??= { cause }
    return failedError(this.directory, cause)
  }

  /** Makes a change once the changes before it have ended. */
  async change<T>(work: () => Promise<T>): Promise<T> {
    this.check()
    const turn = this.#turn.then(() => {
      this.checkDisk()
      return work()
    })
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Reads, at any time. */
  async read<T>(work: () => Promise<T>): Promise<T> {
    this.check()
    const reading = work()
    this.#reads.add(reading)
    try {
      return await reading
    } finally {
      this.#reads.delete(reading)
    }
  }

  /** Refuses new calls; resolves when those asked for before have ended. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#turn
    await Promise.allSettled(this.#reads)
  }
}
