import type { Configuration, Index, Term } from '@raftkit/interface'
import type { DiskImage } from '../disk/disk-image.ts'
import type { EntryTree } from './entry-tree.ts'
import { isQuorum, votersOf } from './quorums.ts'
import type { RestorePoints } from './restore-points.ts'
import type { Violate } from './violation.ts'

/** In place of the term of an entry, where a restore left none. */
const NO_ENTRY = -1

interface Committed {
  readonly term: Term
  /** The term in which it was committed: leaders of later terms must have it. */
  readonly inTerm: Term
  /** The configuration in force then: a quorum of it has the entry. */
  readonly by: Configuration
}

/** What a {@link CommittedLog} looks at and tells. */
export interface CommittedLogParts {
  readonly violate: Violate
  readonly tree: () => EntryTree
  readonly restores: RestorePoints
  /** Tells whether an entry is durable on a server, or was until its disk was lost. */
  readonly holds: (id: string, index: Index, term: Term) => boolean
  /** A leader commits entries of earlier terms together with one of its own. */
  readonly onEarlierTerms?: () => void
  /** More is committed. */
  readonly onCommitted?: (lastIndex: Index) => void
}

/** What is committed, as the leaders that committed it had it. It only grows. */
export class CommittedLog {
  readonly #parts: CommittedLogParts
  readonly #entries: Committed[] = []
  readonly #terms = new Set<Term>()

  constructor(parts: CommittedLogParts) {
    this.#parts = parts
  }

  /** True when a server may take everything up to `index` for committed. */
  reaches(index: Index): boolean {
    return index <= this.lastIndex || this.#parts.restores.isAt(index)
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

  /** The configuration by which the entry at `index` was committed. */
  committedBy(index: Index): Configuration | undefined {
    return this.#entries[index - 1]?.by
  }

  /**
   * The leader of `inTerm` says that everything up to `index`, an entry of its own term, is committed. One of
   * `inForce` was the configuration in force when it found that; they differ in the turn of a change.
   */
  commit(leader: string, index: Index, inTerm: Term, inForce: readonly Configuration[]): void {
    // A leader that was stalled finds late what a later one has committed with its own.
    if (this.termAt(index) === inTerm) this.#terms.add(inTerm)
    const { restores } = this.#parts
    if (index <= this.lastIndex || restores.has(index, inTerm)) return
    const terms = this.#chain(index, inTerm, this.lastIndex)
    if (terms === undefined) {
      this.#parts.violate(
        'durable quorum',
        `${leader}, leader of term ${inTerm}, commits entry ${index}, which is durable nowhere as an entry of that term`,
      )
      return
    }
    const before = terms.pop()
    if (this.lastIndex > 0 && before !== this.#entries.at(-1)!.term)
      this.#parts.violate(
        'state machine safety',
        `${leader} commits entry ${index} after an entry ${this.lastIndex} of term ${before}; committed was one of term ${this.#entries.at(-1)!.term}`,
      )
    const by = this.#deciding(leader, index, inTerm, inForce)
    for (const term of terms.toReversed()) this.#entries.push({ term, inTerm, by })
    this.#terms.add(inTerm)
    if (terms.at(-1) !== inTerm) this.#parts.onEarlierTerms?.()
    restores.committed(inTerm, (at) => this.termAt(at))
    this.#parts.onCommitted?.(index)
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
      this.#parts.violate(
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
        this.#parts.violate(
          'leader completeness',
          `${server} truncates entry ${index}, which is committed`,
        )
        return
      }
    }
  }

  /** A snapshot becomes durable: it holds what is committed, and nothing else. */
  checkSnapshot(server: string, index: Index, term: Term): void {
    if (this.termAt(index) !== term && !this.#parts.restores.admits(server, index, term))
      this.#parts.violate(
        'state machine safety',
        `${server} has a snapshot up to entry ${index} of term ${term}; committed there is ${this.#described(index)}`,
      )
  }

  /** A disk keeps the word that everything up to `index`, an entry of that term, is committed. */
  checkKept(server: string, index: Index, term: Term): void {
    if (this.termAt(index) !== term)
      this.#parts.violate(
        'state machine safety',
        `${server} keeps on its disk that entry ${index} of term ${term} is committed; committed there is ${this.#described(index)}`,
      )
  }

  /** In the end, a disk holds nothing else than what is committed, as far as both reach. */
  checkDisk(server: string, image: DiskImage): void {
    const last = Math.min(image.lastIndex, this.lastIndex)
    for (let index = Math.max(1, image.firstIndex); index <= last; index++) {
      if (image.firstIndex === 0 || image.entry(index)?.term === this.termAt(index)) continue
      this.#parts.violate(
        'acknowledged stays',
        `in the end ${server} has another entry ${index} than the committed one of ${this.#described(index)}`,
      )
      return
    }
    if (Math.max(image.lastIndex, image.snapshotIndex) < this.lastIndex)
      this.#parts.violate(
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
    const tree = this.#parts.tree()
    const terms: Term[] = []
    let current = term
    for (let at = index; at > to; at--) {
      if (this.#parts.restores.has(at, current)) return [...terms, current, ...this.#before(at, to)]
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

  /** What stands for the entries between `to` and a restore: nothing, after the entry that is committed there. */
  #before(at: Index, to: Index): Term[] {
    return [...Array.from({ length: at - to - 1 }, () => NO_ENTRY), this.termAt(to) ?? 0]
  }

  /** The configuration of which a quorum has the entry. */
  #deciding(
    leader: string,
    index: Index,
    term: Term,
    inForce: readonly Configuration[],
  ): Configuration {
    const { holds, violate } = this.#parts
    const has = ({ id }: { readonly id: string }): boolean => holds(id, index, term)
    const by = inForce.find((configuration) => isQuorum(configuration, has))
    if (by !== undefined) return by
    const latest = inForce[0]!
    const voters = votersOf(latest)
    const holders = voters.filter(has)
    violate(
      'durable quorum',
      `${leader} commits entry ${index} of term ${term}, which is durable on ${holders.length} of ${voters.length} voters only (${holders.map(({ id }) => id).join(', ')})`,
    )
    return latest
  }
}
