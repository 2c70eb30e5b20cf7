import type { Index, ServerId, Term } from '@raftkit/interface'
import type { CommittedLog } from './committed-log.ts'
import { isQuorum, votersOf } from './quorums.ts'
import type { Violate } from './violation.ts'

/** What clients were told that it took effect: it is committed, and later reads see it. */
export class AcknowledgedCommands {
  readonly #violate: Violate
  readonly #committed: CommittedLog
  readonly #holds: (id: ServerId, index: Index, term: Term) => boolean
  readonly #now: () => number
  /** When {@link lastIndex} grew, by time, and to what. */
  readonly #growth: { readonly at: number; readonly index: Index }[] = []

  /** `holds` tells whether an entry is durable on a server, or was until its disk was lost; `now` the world's time. */
  constructor(
    violate: Violate,
    committed: CommittedLog,
    holds: (id: ServerId, index: Index, term: Term) => boolean,
    now: () => number,
  ) {
    this.#now = now
    this.#violate = violate
    this.#committed = committed
    this.#holds = holds
  }

  /** Every command acknowledged until now is at or before this index. */
  get lastIndex(): Index {
    return this.#growth.at(-1)?.index ?? 0
  }

  /** Every command acknowledged before that time of the world is at or before this index. */
  lastIndexBefore(time: number): Index {
    let from = 0
    let to = this.#growth.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#growth[middle]!.at < time) from = middle + 1
      else to = middle
    }
    return this.#growth[from - 1]?.index ?? 0
  }

  /** A client is told that its command is entry `index` of `term`. */
  acknowledged(id: ServerId, index: Index, term: Term): void {
    if (index > this.lastIndex) this.#growth.push({ at: this.#now(), index })
    const by = this.#committed.committedBy(index)
    if (by === undefined || this.#committed.termAt(index) !== term) {
      this.#violate(
        'acknowledged stays',
        `${id} acknowledges command ${index} of term ${term}, which is not committed`,
      )
      return
    }
    const has = (voter: { readonly id: ServerId }): boolean => this.#holds(voter.id, index, term)
    if (isQuorum(by, has)) return
    const voters = votersOf(by)
    this.#violate(
      'acknowledged stays',
      `${id} acknowledges command ${index} of term ${term}, which is durable on ${voters.filter(has).length} of the ${voters.length} voters only that it was committed by`,
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

  /**
   * A bounded read is answered as of `index`; `needed` is what was acknowledged before the time that it asked for. That
   * time is the reading server's: it holds in every world, since a server whose clock runs slow or jumps ahead was asked
   * for something else than its caller meant, and gives that.
   */
  readBounded(id: ServerId, needed: Index, index: Index): void {
    if (index < needed)
      this.#violate(
        'bounded reads are new enough',
        `${id} answers a bounded read as of entry ${index}; entry ${needed} was acknowledged longer ago than the read allows`,
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
