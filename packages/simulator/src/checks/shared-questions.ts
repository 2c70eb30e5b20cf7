import type { RpcRequest, ServerId } from '@raftkit/interface'
import type { Violate } from './violation.ts'

/**
 * Questions of one moment: one for the readers whom a lease will do, one for the others; twice that after a pause, when
 * what an earlier turn had to say is let go.
 */
const MOST_AT_ONCE = 4

/** What a server asks its leader for the sake of reads: readers of one turn share a question (dissertation §6.4). */
export class SharedQuestions {
  readonly #id: ServerId
  readonly #violate: Violate
  #at = -1
  #count = 0

  constructor(id: ServerId, violate: Violate) {
    this.#id = id
    this.#violate = violate
  }

  /** A request leaves. */
  sent(request: RpcRequest, now: number): void {
    if (request.type !== 'forward' || request.kind !== 'read-index') return
    this.#count = now === this.#at ? this.#count + 1 : 1
    this.#at = now
    if (this.#count > MOST_AT_ONCE)
      this.#violate(
        'readers share questions',
        `${this.#id} asks its leader for the ${this.#count}th read index at once`,
      )
  }
}
