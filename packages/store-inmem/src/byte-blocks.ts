const BLOCK_BYTES = 64 * 1024

/** Bytes that only grow, kept in blocks of 64 KiB however small or large the chunks come. */
export class ByteBlocks {
  #blocks: Uint8Array[] = []
  #size = 0

  /** Bytes held. */
  get size(): number {
    return this.#size
  }

  /** Adds a copy of the chunk. */
  append(chunk: Uint8Array): void {
    let taken = 0
    while (taken < chunk.length) {
      const used = this.#size % BLOCK_BYTES
      if (used === 0) this.#blocks.push(new Uint8Array(BLOCK_BYTES))
      const length = Math.min(chunk.length - taken, BLOCK_BYTES - used)
      this.#blocks.at(-1)!.set(chunk.subarray(taken, taken + length), used)
      taken += length
      this.#size += length
    }
  }

  /** The bytes in order, as copies: what a reader does to them changes nothing here. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    const size = this.#size
    for (let i = 0; i * BLOCK_BYTES < size; i++)
      yield this.#blocks[i]!.slice(0, Math.min(BLOCK_BYTES, size - i * BLOCK_BYTES))
  }
}
