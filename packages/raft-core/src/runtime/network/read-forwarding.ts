import { type Index, RaftError } from '@raftkit/interface'
import type { Forwarding } from './forwarding.ts'
import type { ReadQuestion, Reads } from '../calls/reads.ts'

/** Bytes of an index: two unsigned 32-bit halves, most significant byte first. */
const INDEX_BYTES = 8

/** What the lane works with. */
export interface ReadForwardingParts {
  readonly forwarding: Forwarding
  readonly reads: Reads
  /** As far as the state machine is, for readers. */
  readonly readableIndex: () => Index
}

/**
 * Linearizable reads on a server that does not lead: the leader is asked for its read index (dissertation §6.4), and
 * the state machine here must have applied it. One question serves all readers of a turn. A question is one byte: 1
 * when the leader's lease will do, 0 otherwise; its answer is the index.
 */
export class ReadForwarding {
  readonly #parts: ReadForwardingParts

  constructor(parts: ReadForwardingParts) {
    this.#parts = parts
  }

  /** Asks the leader. */
  ask({ readId, onLease }: ReadQuestion): void {
    const { forwarding, reads, readableIndex } = this.#parts
    forwarding.send(Uint8Array.of(onLease ? 1 : 0), {}, 'read-index').then(
      (answer) => reads.confirmed(readId, indexOf(answer), readableIndex()),
      (error: unknown) => reads.failed(readId, readFailed(error)),
    )
  }

  /** Answers another server's question. */
  async answer(payload: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const kind = payload[0] === 1 ? 'index-on-lease' : 'index'
    return bytesOf(await this.#parts.reads.request(kind, { signal }))
  }
}

function bytesOf(index: Index): Uint8Array {
  const bytes = new Uint8Array(INDEX_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(index / 2 ** 32))
  view.setUint32(4, index % 2 ** 32)
  return bytes
}

function indexOf(bytes: Uint8Array): Index {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const index = bytes.length === INDEX_BYTES ? view.getUint32(0) * 2 ** 32 + view.getUint32(4) : NaN
  if (Number.isSafeInteger(index)) return index
  throw new RaftError('RAFT_DECODE_FAILED', 'the leader answered with something else than an index')
}

/** The leader's own errors come as text: it could not prove that it leads. */
function readFailed(error: unknown): unknown {
  if (!RaftError.is(error, 'RAFT_REMOTE_ERROR')) return error
  return new RaftError(
    'RAFT_READ_FAILED',
    `the leader did not confirm the read: ${error.message}. Try again`,
    { retryable: true, cause: error },
  )
}
