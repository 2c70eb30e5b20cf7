import { RaftError } from '@raftkit/interface'
import { ByteQueue } from './byte-queue.ts'
import { limitExceeded } from './decode-error.ts'
import { resolveWireLimits } from './limits.ts'
import type { WireLimits } from './limits.ts'
import { INCOMPLETE, ValueScanner } from './value-scanner.ts'

/** Cuts a byte stream into MessagePack values: what both decoders stand on. After an error it is dead. */
export class ValueStream {
  readonly limits: WireLimits
  readonly #queue = new ByteQueue()
  readonly #scanner: ValueScanner
  #scanning = false
  #failure: RaftError | undefined

  constructor(limits: Partial<WireLimits> | undefined) {
    this.limits = resolveWireLimits(limits)
    this.#scanner = new ValueScanner(this.limits.maxDepth)
  }

  /** Adds received bytes. The chunk is kept: it must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    this.run(() => {
      const buffered = this.#queue.length + chunk.length
      if (buffered > this.limits.maxBufferedBytes)
        throw limitExceeded('maxBufferedBytes', this.limits.maxBufferedBytes, buffered)
      this.#queue.push(chunk)
    })
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0
  }

  /** Takes one byte; there must be one. */
  takeByte(): number {
    return this.#queue.takeByte()
  }

  /** Takes some bytes that lie together, at least one and at most `max`; there must be one. */
  takeUpTo(max: number): Uint8Array {
    return this.#queue.takeUpTo(max)
  }

  /** Takes the next value, of at most the named limit, once it is there whole. */
  takeValue(limit: 'maxMessageBytes' | 'maxControlBytes'): Uint8Array | undefined {
    if (!this.#scanning) this.#scanner.start(this.limits[limit], limit)
    this.#scanning = true
    const length = this.#queue.scan(this.#scanner)
    if (length === INCOMPLETE) return undefined
    this.#scanning = false
    return this.#queue.take(length)
  }

  /** Runs a step of decoding; an error that it throws is thrown again by every later step. */
  run<T>(step: () => T): T {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return step()
    } catch (error) {
      this.#failure = RaftError.is(error)
        ? error
        : new RaftError('RAFT_DECODE_FAILED', 'cannot decode: the decoder itself failed', {
            cause: error,
          })
      throw this.#failure
    }
  }
}
