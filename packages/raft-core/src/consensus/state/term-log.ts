// The log as consensus sees it: a snapshot point and runs of equal term. Payloads live elsewhere.
import type { Index, Term } from '@raftkit/interface/protocol'
import { checkOrder, invariant } from '../invariant.ts'
import type { EntrySpan, TermRun } from '../messages.ts'

/** The last entry that a snapshot covers; index 0, term 0 when there is no snapshot. */
export interface SnapshotMark {
  readonly index: Index
  readonly term: Term
}

/**
 * Indexes and terms of the log. Every question is answered from memory, most in O(1), none slower than a binary
 * search over the runs; a run is one leader's stretch of entries, so there are few.
 */
export class TermLog {
  #snapshot: SnapshotMark
  #firstIndex: Index
  #lastIndex: Index
  #lastTerm: Term
  /** Term of the entry before `#firstIndex`, when it is known. */
  #baseTerm: Term | undefined
  #runs: TermRun[]

  /** `runs` are those of the entries `firstIndex .. lastIndex`; a log without entries has none. */
  constructor(
    snapshot: SnapshotMark,
    firstIndex: Index,
    lastIndex: Index,
    runs: readonly TermRun[],
  ) {
    const isEmpty = runs.length === 0
    invariant(
      isEmpty || (firstIndex <= snapshot.index + 1 && firstIndex === runs[0]!.firstIndex),
      `the log starts at ${firstIndex}, but the snapshot ends at ${snapshot.index}: entries are missing`,
    )
    this.#snapshot = snapshot
    this.#firstIndex = isEmpty ? snapshot.index + 1 : firstIndex
    this.#lastIndex = isEmpty ? snapshot.index : lastIndex
    this.#lastTerm = isEmpty ? snapshot.term : runs.at(-1)!.term
    this.#runs = [...runs]
    this.#baseTerm = this.#firstIndex === snapshot.index + 1 ? snapshot.term : undefined
    if (this.#firstIndex === 1) this.#baseTerm = 0
  }

  get snapshot(): SnapshotMark {
    return this.#snapshot
  }

  /** First entry that is kept; one more than `lastIndex` when none is. */
  get firstIndex(): Index {
    return this.#firstIndex
  }

  get lastIndex(): Index {
    return this.#lastIndex
  }

  get lastTerm(): Term {
    return this.#lastTerm
  }

  /** Term of the entry at `index`; 0 for index 0; undefined when it is compacted away or does not exist. */
  termAt(index: Index): Term | undefined {
    if (index === this.#lastIndex) return this.#lastTerm
    if (index > this.#lastIndex) return undefined
    if (index >= this.#firstIndex) return this.#runs[this.#runAt(index)]!.term
    if (index === this.#snapshot.index) return this.#snapshot.term
    if (index === this.#firstIndex - 1) return this.#baseTerm
    return index === 0 ? 0 : undefined
  }

  /** First index of the run that holds `index`, which must be kept. */
  runStart(index: Index): Index {
    return this.#runs[this.#runAt(index)]!.firstIndex
  }

  /**
   * The last entry at or before `upTo` whose term is at most `term`. When there is none among the entries kept, the
   * index before the first.
   */
  lastWithTermAtMost(term: Term, upTo: Index): Index {
    if (upTo < this.#firstIndex) return upTo
    const runs = this.#runs
    let end = upTo
    for (let position = this.#runAt(upTo); position >= 0; position--) {
      if (runs[position]!.term <= term) return end
      end = runs[position]!.firstIndex - 1
    }
    return end
  }

  /** True when a log that ends in (index, term) is at least as up-to-date as this one (§5.4.1). */
  isUpToDate(lastIndex: Index, lastTerm: Term): boolean {
    if (lastTerm !== this.#lastTerm) return lastTerm > this.#lastTerm
    return lastIndex >= this.#lastIndex
  }

  /** True when a log that ends in (index, term) has more than this one. */
  isBehind(lastIndex: Index, lastTerm: Term): boolean {
    const isSame = lastIndex === this.#lastIndex && lastTerm === this.#lastTerm
    return !isSame && this.isUpToDate(lastIndex, lastTerm)
  }

  /** The first entry of `span` that this log holds with another term (§5.3). */
  firstConflict(span: EntrySpan): Index | undefined {
    const until = Math.min(span.lastIndex, this.#lastIndex)
    let index = Math.max(span.firstIndex, this.#firstIndex)
    if (index > until) return undefined
    let own = this.#runAt(index)
    let other = lastStartingBy(span.runs, index)
    while (index <= until) {
      if (this.#runs[own]!.term !== span.runs[other]!.term) return index
      const ownEnd = this.#runs[own + 1]?.firstIndex ?? Infinity
      const otherEnd = span.runs[other + 1]?.firstIndex ?? Infinity
      index = Math.min(ownEnd, otherEnd)
      if (ownEnd === index) own++
      if (otherEnd === index) other++
    }
    return undefined
  }

  /** Adds `count` entries of one term. */
  append(count: number, term: Term): void {
    checkOrder(this.#lastTerm, term, 'last term, term of the next entry')
    if (term !== this.#lastTerm || this.#runs.length === 0)
      this.#runs.push({ firstIndex: this.#lastIndex + 1, term })
    this.#lastIndex += count
    this.#lastTerm = term
    invariant(Number.isSafeInteger(this.#lastIndex), 'an index is a safe integer')
  }

  /** Adds the entries of `span` that come after `lastIndex`. */
  appendSpan(span: EntrySpan): void {
    for (let position = 0; position < span.runs.length; position++) {
      const end = (span.runs[position + 1]?.firstIndex ?? span.lastIndex + 1) - 1
      if (end > this.#lastIndex) this.append(end - this.#lastIndex, span.runs[position]!.term)
    }
  }

  /** Removes the entries at `from` and after it. */
  truncate(from: Index): void {
    invariant(from > this.#snapshot.index, `entries in a snapshot are never truncated: ${from}`)
    while (this.#runs.length > 0 && this.#runs.at(-1)!.firstIndex >= from) this.#runs.pop()
    this.#lastIndex = from - 1
    this.#lastTerm = this.#runs.at(-1)?.term ?? this.#snapshot.term
  }

  /** A snapshot of this server's own state machine is durable. */
  snapshotSaved(snapshot: SnapshotMark): void {
    this.#snapshot = snapshot
  }

  /** Forgets the entries up to `to`, which a snapshot covers. */
  compact(to: Index): void {
    invariant(to <= this.#snapshot.index, `only what a snapshot covers is compacted: ${to}`)
    if (to < this.#firstIndex) return
    this.#baseTerm = this.termAt(to)
    const first = this.#runAt(to)
    const kept = this.#runs.slice(first)
    kept[0] = { firstIndex: to + 1, term: kept[0]!.term }
    if (to === this.#lastIndex || kept[1]?.firstIndex === to + 1) kept.shift()
    this.#runs = kept
    this.#firstIndex = to + 1
  }

  /** A leader's snapshot replaces what it covers; entries after it stay only when they continue it (§7). */
  install(snapshot: SnapshotMark, keepLogAfter: boolean): void {
    this.#snapshot = snapshot
    if (keepLogAfter) {
      this.compact(snapshot.index)
      return
    }
    this.#runs = []
    this.#firstIndex = snapshot.index + 1
    this.#baseTerm = snapshot.term
    this.#lastIndex = snapshot.index
    this.#lastTerm = snapshot.term
  }

  #runAt(index: Index): number {
    return lastStartingBy(this.#runs, index)
  }
}

/** Position of the last run that starts at or before `index`; the first run must. */
function lastStartingBy(runs: readonly TermRun[], index: Index): number {
  let low = 0
  let high = runs.length - 1
  // Most questions are about the newest run.
  if (high >= 0 && runs[high]!.firstIndex <= index) return high
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (runs[middle]!.firstIndex <= index) low = middle
    else high = middle - 1
  }
  return low
}
