import { nextTick } from 'node:process'
import type { StreamConnection } from '@raftkit/interface'

/**
 * Merges everything that one connection sends in one turn of the event loop into one write: a write to a socket
 * costs more than the bytes of a small message, and a message must never leave in two pieces.
 */
export class TurnWriter {
  readonly #stream: StreamConnection
  readonly #onChange: () => void
  #chunks: Uint8Array[] = []
  #scheduled = false
  #full = false
  #ended = false

  /** `onChange` is called each time that {@link full} has changed. */
  constructor(stream: StreamConnection, onChange: () => void = () => {}) {
    this.#stream = stream
    this.#onChange = onChange
  }

  /** The connection's buffer is above its limit. */
  get full(): boolean {
    return this.#full
  }

  /** Sends at the end of this turn. */
  push(chunk: Uint8Array): void {
    if (this.#ended) return
    this.#chunks.push(chunk)
    if (this.#scheduled) return
    this.#scheduled = true
    // Runs when the promise jobs of this turn are done, so that answers of handlers that settle in the same
    // turn travel together.
    nextTick(() => this.flush())
  }

  /** Sends what waits, now. False when the connection's buffer is above its limit. */
  flush(): boolean {
    this.#scheduled = false
    if (this.#ended || this.#chunks.length === 0) return !this.#full
    const chunks = this.#chunks
    this.#chunks = []
    if (!this.#stream.write(chunks) && !this.#full) {
      this.#full = true
      void this.#stream.drained().then(() => this.#drained())
      this.#onChange()
    }
    return !this.#full
  }

  /** Drops what waits; nothing is sent any more. */
  end(): void {
    this.#ended = true
    this.#chunks = []
  }

  #drained(): void {
    this.#full = false
    if (!this.#ended) this.#onChange()
  }
}
