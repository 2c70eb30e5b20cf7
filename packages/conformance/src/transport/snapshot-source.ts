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
  /** Bytes given so far. */
  given = 0

  constructor(options: SnapshotSourceOptions) {
    this.#options = options
  }

  /** Resolves when the source was read to its end, failed, or was let go by its reader. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { size, chunk, failAfter = Infinity } = this.#options
    try {
      while (this.given < size) {
        if (this.given >= failAfter) throw new Error('the disk of the source failed')
        const bytes = new Uint8Array(Math.min(chunk, size - this.given)).fill(this.given % 251)
        this.given += bytes.length
        yield bytes
      }
    } finally {
      this.#ended.happen()
    }
  }
}
