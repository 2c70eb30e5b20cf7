import type { Index, ServerId, Term } from '@raftkit/interface'
import type { Violate } from './violation.ts'

interface Applied {
  readonly term: Term
  readonly hash: number
  /** Hash over this entry and all before it. */
  readonly chain: number
  response: string | undefined
}

/**
 * What state machines were given, by index (State Machine Safety, §5.4): every server applies the same commands in the
 * same order, also when a snapshot stands for the first of them, and every machine answers the same.
 */
export class AppliedLog {
  readonly #violate: Violate
  readonly #entries = new Map<Index, Applied>()

  constructor(violate: Violate) {
    this.#violate = violate
  }

  /** A state machine is given a command; `chain` is over all commands that it was given before. Gives the new chain. */
  apply(id: ServerId, index: Index, term: Term, hash: number, chain: number): number {
    const next = Math.imul(chain ^ hash ^ index, 0x01000193) ^ (chain >>> 15)
    const known = this.#entries.get(index)
    if (known === undefined)
      this.#entries.set(index, { term, hash, chain: next, response: undefined })
    else if (known.term !== term || known.hash !== hash)
      this.#violate(
        'state machine safety',
        `${id} applies another command ${index} than others did`,
      )
    else if (known.chain !== next)
      this.#violate('state machine safety', `${id} applies command ${index} to another past`)
    return next
  }

  /** True when a state machine that was given everything up to `index` must have this chain. */
  has(index: Index, chain: number): boolean {
    return index === 0 || this.#entries.get(index)?.chain === chain
  }

  /** A state machine has answered. `response` is the answer in words. */
  answered(id: ServerId, index: Index, response: string): void {
    const known = this.#entries.get(index)
    if (known === undefined) return
    if (known.response === undefined) known.response = response
    else if (known.response !== response)
      this.#violate(
        'determinism',
        `the state machine of ${id} answers command ${index} with ${response}, that of another server with ${known.response}`,
      )
  }
}
