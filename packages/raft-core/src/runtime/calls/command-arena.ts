/** Commands larger than this get a buffer of their own. */
const LARGE = 16 * 1024

/**
 * Copies the bytes of commands as they are admitted, so that a caller may reuse its buffer at once. Small ones share
 * a slab that is used again every turn, once the commands are encoded.
 */
export class CommandArena {
  readonly #slabBytes: number
  #slab: Uint8Array
  #used = 0

  constructor(slabBytes: number = 256 * 1024) {
    this.#slabBytes = slabBytes
    this.#slab = new Uint8Array(slabBytes)
  }

  /** A copy, valid until {@link reset}. */
  copy(data: Uint8Array): Uint8Array {
    if (data.length > LARGE) return new Uint8Array(data)
    if (this.#used + data.length > this.#slab.length) {
      this.#slab = new Uint8Array(this.#slabBytes)
      this.#used = 0
    }
    const start = this.#used
    this.#used += data.length
    this.#slab.set(data, start)
    return this.#slab.subarray(start, this.#used)
  }

  /** Nobody uses the copies any more. */
  reset(): void {
    this.#used = 0
  }
}
