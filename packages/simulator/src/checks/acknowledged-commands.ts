import type { Index, ServerId, Term } from '@raftkit/interface'
import type { CommittedLog } from './committed-log.ts'
import type { Violate } from './violation.ts'

/** Servers that hold an entry durably, or held it on a disk that was lost since. */
export interface Holders {
  readonly count: number
  readonly voters: number
}

/** What clients were told that it took effect: it is committed, and later reads see it. */
export class AcknowledgedCommands {
  readonly #violate: Violate
  readonly #committed: CommittedLog
  readonly #holdersOf: (index: Index, term: Term) => Holders
  #lastIndex: Index = 0

  constructor(
    violate: Violate,
    committed: CommittedLog,
    holdersOf: (index: Index, term: Term) => Holders,
  ) {
    this.#violate = violate
    this.#committed = committed
    this.#holdersOf = holdersOf
  }

  /** Every command acknowledged until now is at or before this index. */
  get lastIndex(): Index {
    return this.#lastIndex
  }

  /** A client is told that its command is entry `index` of `term`. */
  acknowledged(id: ServerId, index: Index, term: Term): void {
    this.#lastIndex = Math.max(this.#lastIndex, index)
    if (this.#committed.termAt(index) !== term)
      this.#violate(
        'acknowledged stays',
        `${id} acknowledges command ${index} of term ${term}, which is not committed`,
      )
    const { count, voters } = this.#holdersOf(index, term)
    if (2 * count <= voters)
      this.#violate(
        'acknowledged stays',
        `${id} acknowledges command ${index} of term ${term}, which is durable on ${count} of ${voters} voters only`,
      )
  }

  /** A read that was asked for when `needed` was {@link lastIndex} is answered as of `index`. */
  read(id: ServerId, needed: Index, index: Index): void {
    if (index < needed)
      this.#violate(
        'reads see what was acknowledged',
        `${id} answers a read as of entry ${index}; entry ${needed} was acknowledged before it was asked for`,
      )
  }

  /** Leadership was confirmed after a question asked when a server led term `led`; it holds in `term`. */
  verified(id: ServerId, led: Term, term: Term): void {
    if (term < led)
      this.#violate(
        'reads see what was acknowledged',
        `${id} says that it leads, in term ${term}; term ${led} had a leader before it was asked`,
      )
  }
}
