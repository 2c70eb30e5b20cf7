/**
 * The bytes of a snapshot on their way from the connection to the handler, a bounded number of them at a time.
 * One reader only. After {@link discard} everything that comes is dropped and counted.
 */
export class SnapshotBody implements AsyncIterable<Uint8Array> {
  readonly #highWaterBytes: number
  readonly #onRoom: () => void
  readonly #chunks: Uint8Array[] = []
  readonly #reader: AsyncGenerator<Uint8Array, void, undefined>
  #bufferedBytes = 0
  #droppedBytes = 0
  #discarding = false
  #ended: { readonly error?: unknown } | undefined
  #wake: () => void = () => {}

  /** `onRoom` is called when the reader has made room below the high-water mark, or does not want more. */
  constructor(highWaterBytes: number, onRoom: () => void) {
    this.#highWaterBytes = highWaterBytes
    this.#onRoom = onRoom
    this.#reader = this.#read()
  }

  /** Enough is waiting: give it no more for now. */
  get full(): boolean {
    return this.#bufferedBytes >= this.#highWaterBytes
  }

  /** Bytes that came after the reader had lost interest. */
  get droppedBytes(): number {
    return this.#droppedBytes
  }

  /** More bytes, in order. */
  push(chunk: Uint8Array): void {
    if (this.#discarding) {
      this.#droppedBytes += chunk.byteLength
      return
    }
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.byteLength
    this.#wake()
  }

  /** All bytes have come; or, with an error, no more will: the reader gets what is there, then the error. */
  end(error?: unknown): void {
    this.#ended ??= error === undefined ? {} : { error }
    this.#wake()
  }

  /** The handler is done: what it has not read is dropped, and what still comes. Whoever reads on gets an error. */
  discard(): void {
    if (this.#discarding) return
    this.#discarding = true
    if (this.#ended === undefined || this.#chunks.length > 0)
      this.#ended = { error: new Error('the snapshot was not read before its handler ended') }
    this.#wake()
    this.#droppedBytes += this.#bufferedBytes
    this.#chunks.length = 0
    this.#bufferedBytes = 0
    this.#onRoom()
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#reader
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#take()
        if (chunk !== undefined) yield chunk
        else if (this.#ended !== undefined) {
          if ('error' in this.#ended) throw this.#ended.error
          return
        } else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.discard()
    }
  }

  #take(): Uint8Array | undefined {
    const chunk = this.#chunks.shift()
    if (chunk === undefined) return undefined
    const wasFull = this.full
    this.#bufferedBytes -= chunk.byteLength
    if (wasFull && !this.full) this.#onRoom()
    return chunk
  }
}
