import { occasion } from '../occasion.ts'

/** What a {@link SnapshotSource} gives. */
export interface SnapshotSourceOptions {
  /** Bytes in all. */
  readonly size: number
  /** Bytes of each chunk. */
  readonly chunk: number
  /** Throws when this many bytes were given. */
  readonly failAfter?: number
}

/** A snapshot made as it is read: knows how much was taken from it, and when its reader let it go. */
export class SnapshotSource implements AsyncIterable<Uint8Array> {
  readonly #options: SnapshotSourceOptions
  readonly #ended = occasion()
  #opened = false
  /** Bytes given so far. */
  given = 0

  constructor(options: SnapshotSourceOptions) {
    this.#options = options
  }

  /** Resolves when the source was read to its end, failed, or was let go by its reader; at once when it was never opened. */
  get ended(): Promise<void> {
    return this.#opened ? this.#ended.promise : Promise.resolve()
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void, undefined> {
    const { size, chunk, failAfter = Infinity } = this.#options
    this.#opened = true
    // Not a generator: one that was never read from would not tell that it was let go.
    return {
      next: async () => {
        if (this.given >= failAfter) {
          this.#ended.happen()
          throw new Error('the disk of the source failed')
        }
        const length = Math.min(chunk, size - this.given)
        if (length === 0) {
          this.#ended.happen()
          return { done: true, value: undefined }
        }
        const value = new Uint8Array(length).fill(this.given % 251)
        this.given += length
        return { done: false, value }
      },
      return: async () => {
        this.#ended.happen()
        return { done: true, value: undefined }
      },
    }
  }
}
