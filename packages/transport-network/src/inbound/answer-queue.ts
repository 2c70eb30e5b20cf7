import type { RpcRequest } from '@raftkit/interface'
import type { TurnWriter } from '../turn-writer.ts'

/** One request that waits for its answer. */
export interface PendingAnswer {
  /** Bytes of the request that stay in memory until then. */
  readonly requestBytes: number
  answer: Uint8Array | undefined
}

/**
 * The answers of one connection. Handlers finish in any order; the answers leave in the order of the requests,
 * because nothing but the order says which request an answer belongs to.
 */
export class AnswerQueue {
  readonly #writer: TurnWriter
  readonly #pending: PendingAnswer[] = []
  #requestBytes = 0

  constructor(writer: TurnWriter) {
    this.#writer = writer
  }

  /** Requests without an answer on its way. */
  get length(): number {
    return this.#pending.length
  }

  /** Bytes of those requests. */
  get requestBytes(): number {
    return this.#requestBytes
  }

  /** The next request in order. */
  open(request: RpcRequest): PendingAnswer {
    const requestBytes = byteLengthOf(request)
    const pending: PendingAnswer = { requestBytes, answer: undefined }
    this.#pending.push(pending)
    this.#requestBytes += requestBytes
    return pending
  }

  /** Gives a request its answer and sends every answer whose turn has come. */
  settle(pending: PendingAnswer, answer: Uint8Array): void {
    pending.answer = answer
    for (let first = this.#pending[0]; first?.answer !== undefined; first = this.#pending[0]) {
      this.#pending.shift()
      this.#requestBytes -= first.requestBytes
      this.#writer.push(first.answer)
    }
  }
}

/** Bytes that a request keeps in memory, its few fixed fields aside. */
function byteLengthOf(request: RpcRequest): number {
  if (request.type === 'forward') return request.payload.byteLength
  if (request.type !== 'append-entries' || request.entries === null) return 0
  return request.entries.reduce((sum, batch) => sum + batch.byteLength, 0)
}
