/**
 * The snapshot that comes with a request, at the receiving side: exactly `size` bytes, or the iteration throws.
 * Memory is bounded by the sender, which waits until what it sent was taken.
 */
export class SnapshotInbox {
  readonly #size: number
  readonly #onTaken: (bytes: number) => void
  readonly #chunks: Uint8Array[] = []
  #error: Error | undefined
  #wake: () => void = () => {}

  /** `onTaken` is called when the reader is done with a chunk and comes for the next. */
  constructor(size: number, onTaken: (bytes: number) => void) {
    this.#size = size
    this.#onTaken = onTaken
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#wake()
  }

  /** No more bytes will come: what has arrived can still be read, then the reader gets the error. */
  fail(error: Error): void {
    this.#error ??= error
    this.#wake()
  }

  /** The bytes, once. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    let left = this.#size
    while (left > 0) {
      const chunk = this.#chunks.shift()
      if (chunk) {
        left -= chunk.length
        yield chunk
        this.#onTaken(chunk.length)
      } else if (this.#error) {
        throw this.#error
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}
