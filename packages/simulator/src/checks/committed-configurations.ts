import type { Configuration, Index, IndexedConfiguration, Term } from '@raftkit/interface'

interface Appended extends IndexedConfiguration {
  readonly term: Term
}

/** Which configuration is committed: what the cluster owes, it owes by that one. */
export class CommittedConfigurations {
  readonly #onCommitted: (configuration: Configuration) => void
  readonly #onLeft: (byAnother: boolean) => void
  #latest: IndexedConfiguration
  #term: Term = 0
  /** In some log, not committed, by index. */
  #open: Appended[] = []

  /**
   * `first` is what servers are bootstrapped with. `onCommitted` is told of every later one; `onLeft` when a joint state
   * ends, and whether another leader ended it than the one that began it.
   */
  constructor(
    first: Configuration,
    onCommitted: (configuration: Configuration) => void,
    onLeft: (byAnother: boolean) => void,
  ) {
    this.#latest = { configuration: first, index: 0 }
    this.#onCommitted = onCommitted
    this.#onLeft = onLeft
  }

  /** The committed configuration; that of the bootstrap, at index 0, until something is committed. */
  get latest(): IndexedConfiguration {
    return this.#latest
  }

  /** An operator forced this configuration on every server that is left, at the end of what is committed. */
  forced(latest: IndexedConfiguration, term: Term): void {
    this.#latest = latest
    this.#term = term
    this.#open = []
  }

  /** A log has this configuration. */
  appended(index: Index, term: Term, configuration: Configuration): void {
    if (index <= this.#latest.index) return
    if (this.#open.some((other) => other.index === index && other.term === term)) return
    this.#open.push({ index, term, configuration })
    this.#open.sort((a, b) => a.index - b.index)
  }

  /** Everything up to `lastIndex` is committed. */
  advance(lastIndex: Index, termAt: (index: Index) => Term | undefined): void {
    if (this.#open.length === 0 || this.#open[0]!.index > lastIndex) return
    const decided = this.#open.filter(({ index }) => index <= lastIndex)
    this.#open = this.#open.filter(({ index }) => index > lastIndex)
    for (const { index, term, configuration } of decided) {
      if (termAt(index) !== term) continue
      if (this.#latest.configuration.next !== undefined && configuration.next === undefined)
        this.#onLeft(term !== this.#term)
      this.#latest = { index, configuration }
      this.#term = term
      this.#onCommitted(configuration)
    }
  }
}
