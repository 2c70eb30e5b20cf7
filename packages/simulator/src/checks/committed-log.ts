import type { Configuration, Index, Term } from '@raftkit/interface'
import type { DiskImage } from '../disk/disk-image.ts'
import type { EntryTree } from './entry-tree.ts'
import type { Violate } from './violation.ts'
import { voterHalves } from './voter-halves.ts'

interface Committed {
  readonly term: Term
  /** The term in which it was committed: leaders of later terms must have it. */
  readonly inTerm: Term
}

/** What is committed, as the leaders that committed it had it. It only grows. */
export class CommittedLog {
  readonly #violate: Violate
  readonly #tree: () => EntryTree
  readonly #holds: (id: string, index: Index, term: Term) => boolean
  readonly #onEarlierTerms: () => void
  readonly #entries: Committed[] = []
  readonly #terms = new Set<Term>()

  /** `holds` tells whether an entry is durable on a server. `onEarlierTerms` is told when a leader commits entries of earlier terms together with one of its own. */
  constructor(
    violate: Violate,
    tree: () => EntryTree,
    holds: (id: string, index: Index, term: Term) => boolean,
    onEarlierTerms: () => void = () => {},
  ) {
    this.#violate = violate
    this.#tree = tree
    this.#holds = holds
    this.#onEarlierTerms = onEarlierTerms
  }

  get lastIndex(): Index {
    return this.#entries.length
  }

  /** Term of the committed entry at `index`, undefined when none is. */
  termAt(index: Index): Term | undefined {
    return this.#entries[index - 1]?.term
  }

  /** True when the leader of that term has committed something. */
  hasCommittedIn(term: Term): boolean {
    return this.#terms.has(term)
  }

  /**
   * The leader of `inTerm` says that everything up to `index`, an entry of its own term, is committed: by a quorum of one
   * of `configurations`, those in force before and after the turn in which it was.
   */
  commit(
    leader: string,
    index: Index,
    inTerm: Term,
    configurations: readonly Configuration[],
  ): void {
    if (index <= this.lastIndex) return
    const terms = this.#chain(index, inTerm, this.lastIndex)
    if (terms === undefined) {
      this.#violate(
        'durable quorum',
        `${leader}, leader of term ${inTerm}, commits entry ${index}, which is durable nowhere as an entry of that term`,
      )
      return
    }
    const before = terms.pop()
    if (this.lastIndex > 0 && before !== this.#entries.at(-1)!.term)
      this.#violate(
        'state machine safety',
        `${leader} commits entry ${index} after an entry ${this.lastIndex} of term ${before}; committed was one of term ${this.#entries.at(-1)!.term}`,
      )
    this.#checkQuorum(leader, index, inTerm, configurations)
    for (const term of terms.toReversed()) this.#entries.push({ term, inTerm })
    this.#terms.add(inTerm)
    if (terms.at(-1) !== inTerm) this.#onEarlierTerms()
  }

  /** Leader Completeness (§5.4): a new leader has everything that was committed in earlier terms. */
  firstOfTerm(index: Index, term: Term, previousTerm: Term | undefined): void {
    let last = this.#entries.length
    while (last > 0 && this.#entries[last - 1]!.inTerm >= term) last--
    if (last === 0) return
    const expected = this.#entries[last - 1]!.term
    const chain =
      index <= last || previousTerm === undefined
        ? undefined
        : this.#chain(index - 1, previousTerm, last)
    // A snapshot stands for everything before it: what cannot be followed is checked where it was appended first.
    if (chain === undefined && index > last) return
    if (chain?.at(-1) !== expected)
      this.#violate(
        'leader completeness',
        `the leader of term ${term} begins at entry ${index} without entry ${last} of term ${expected}, which was committed before`,
      )
  }

  /** A log loses its entries from `from` on. */
  checkTruncation(server: string, image: DiskImage, from: Index): void {
    // A bootstrap that a crash cut short is done again; nothing was ever promised.
    if (image.hardState === undefined) return
    for (let index = Math.max(from, image.firstIndex); index <= this.lastIndex; index++) {
      const entry = image.entry(index)
      if (entry === undefined) return
      if (entry.term === this.termAt(index)) {
        this.#violate(
          'leader completeness',
          `${server} truncates entry ${index}, which is committed`,
        )
        return
      }
    }
  }

  /** A snapshot becomes durable: it holds what is committed, and nothing else. */
  checkSnapshot(server: string, index: Index, term: Term): void {
    if (this.termAt(index) !== term)
      this.#violate(
        'state machine safety',
        `${server} has a snapshot up to entry ${index} of term ${term}; committed there is ${this.#described(index)}`,
      )
  }

  /** In the end, a disk holds nothing else than what is committed, as far as both reach. */
  checkDisk(server: string, image: DiskImage): void {
    const last = Math.min(image.lastIndex, this.lastIndex)
    for (let index = Math.max(1, image.firstIndex); index <= last; index++) {
      if (image.firstIndex === 0 || image.entry(index)?.term === this.termAt(index)) continue
      this.#violate(
        'acknowledged stays',
        `in the end ${server} has another entry ${index} than the committed one of ${this.#described(index)}`,
      )
      return
    }
    if (Math.max(image.lastIndex, image.snapshotIndex) < this.lastIndex)
      this.#violate(
        'acknowledged stays',
        `in the end ${server} lacks entry ${this.lastIndex}, which is committed`,
      )
  }

  #described(index: Index): string {
    const term = this.termAt(index)
    return term === undefined ? 'nothing' : `term ${term}`
  }

  /** Terms from (index, term) down to entry `to`; undefined when the chain of predecessors is not known. */
  #chain(index: Index, term: Term, to: Index): Term[] | undefined {
    const tree = this.#tree()
    const terms: Term[] = []
    let current = term
    for (let at = index; at > to; at--) {
      if (!tree.has(at, current)) return undefined
      terms.push(current)
      if (at === 1) return [...terms, 0]
      const previous = tree.previousTerm(at, current)
      if (previous === undefined) return undefined
      current = previous
    }
    terms.push(current)
    return terms
  }

  #checkQuorum(
    leader: string,
    index: Index,
    term: Term,
    configurations: readonly Configuration[],
  ): void {
    const lacks = configurations.map((configuration) =>
      voterHalves(configuration)
        .map((voters) => ({
          voters,
          holders: voters.filter(({ id }) => this.#holds(id, index, term)),
        }))
        .find(({ voters, holders }) => 2 * holders.length <= voters.length),
    )
    if (lacks.includes(undefined)) return
    const { holders, voters } = lacks.at(-1)!
    this.#violate(
      'durable quorum',
      `${leader} commits entry ${index} of term ${term}, which is durable on ${holders.length} of ${voters.length} voters only (${holders.map(({ id }) => id).join(', ')})`,
    )
  }
}
