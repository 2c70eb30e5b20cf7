import { RaftError } from '@raftkit/interface'

/** Takes a snapshot's stream apart: some bytes at a time from its beginning, and then all the rest. */
export class SnapshotReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #held: Uint8Array[] = []
  #heldBytes = 0

  constructor(state: AsyncIterable<Uint8Array>) {
    this.#chunks = state[Symbol.asyncIterator]()
  }

  /** Whether the next bytes are these; takes none. */
  async beginsWith(bytes: Uint8Array): Promise<boolean> {
    if (!(await this.#fill(bytes.byteLength))) return false
    const held = this.#join()
    return bytes.every((byte, i) => held[i] === byte)
  }

  /** The next bytes, a copy. Throws `RAFT_SNAPSHOT_CORRUPT` when there are fewer. */
  async take(count: number): Promise<Uint8Array> {
    if (!(await this.#fill(count)))
      throw new RaftError(
        'RAFT_SNAPSHOT_CORRUPT',
        'The snapshot ends in the middle of its session table.',
      )
    const held = this.#join()
    this.#hold(held.subarray(count))
    return held.slice(0, count)
  }

  async view(count: number): Promise<DataView> {
    const bytes = await this.take(count)
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** What was not taken. */
  async *rest(): AsyncGenerator<Uint8Array> {
    try {
      const held = this.#join()
      this.#hold(new Uint8Array(0))
      if (held.byteLength > 0) yield held
      for (;;) {
        const next = await this.#chunks.next()
        if (next.done === true) return
        yield next.value
      }
    } finally {
      await this.close()
    }
  }

  /** Tells the source that nothing more is read. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  /** Whether so many bytes are there. Memory grows with what came, not with what was asked for. */
  async #fill(count: number): Promise<boolean> {
    while (this.#heldBytes < count) {
      const next = await this.#chunks.next()
      if (next.done === true) return false
      this.#held.push(next.value)
      this.#heldBytes += next.value.byteLength
    }
    return true
  }

  #join(): Uint8Array {
    const [first] = this.#held
    if (first !== undefined && this.#held.length === 1) return first
    const joined = Buffer.concat(this.#held, this.#heldBytes)
    this.#hold(joined)
    return joined
  }

  #hold(bytes: Uint8Array): void {
    this.#held = [bytes]
    this.#heldBytes = bytes.byteLength
  }
}
