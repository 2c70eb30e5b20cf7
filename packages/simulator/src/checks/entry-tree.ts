import type { EntryBatch, Index, Term } from '@raftkit/interface'
import type { DiskImage } from '../disk/disk-image.ts'
import type { Violate } from './violation.ts'

interface Node {
  readonly hash: number
  /** Term of the entry before, undefined when the first log that had the entry had compacted that one. */
  readonly previousTerm: Term | undefined
}

/**
 * Every entry that any log ever held, by index and term. Log Matching (§5.3): two logs that have an entry of the same
 * index and term are the same up to it, so here each such entry has one content and one predecessor.
 */
export class EntryTree {
  readonly #violate: Violate
  readonly #onFirstOfTerm: (index: Index, term: Term, previousTerm: Term | undefined) => void
  readonly #nodes = new Map<number, Node>()

  /** `onFirstOfTerm` is told of the first entry of each term when a log first has it. */
  constructor(
    violate: Violate,
    onFirstOfTerm: (index: Index, term: Term, previousTerm: Term | undefined) => void,
  ) {
    this.#violate = violate
    this.#onFirstOfTerm = onFirstOfTerm
  }

  has(index: Index, term: Term): boolean {
    return this.#nodes.has(keyOf(index, term))
  }

  /** Term of the entry before the one of that index and term. */
  previousTerm(index: Index, term: Term): Term | undefined {
    return this.#nodes.get(keyOf(index, term))?.previousTerm
  }

  /** A log gets these entries behind those it has. */
  append(server: string, image: DiskImage, batches: readonly EntryBatch[]): void {
    let previousTerm = image.termAt(batches[0]!.firstIndex - 1)
    for (const batch of batches)
      for (let index = batch.firstIndex; index <= batch.lastIndex; index++) {
        const term = batch.termAt(index)
        if (previousTerm !== undefined && term < previousTerm)
          this.#violate(
            'log matching',
            `${server}: entry ${index} has term ${term} after ${previousTerm}`,
          )
        this.#add(server, index, term, hashOf(batch.bytesAt(index)), previousTerm)
        previousTerm = term
      }
  }

  #add(
    server: string,
    index: Index,
    term: Term,
    hash: number,
    previousTerm: Term | undefined,
  ): void {
    const key = keyOf(index, term)
    const known = this.#nodes.get(key)
    if (known === undefined) {
      this.#nodes.set(key, { hash, previousTerm })
      if (term !== previousTerm) this.#onFirstOfTerm(index, term, previousTerm)
      return
    }
    if (known.hash !== hash)
      this.#violate(
        'log matching',
        `${server} has another entry ${index} of term ${term} than others`,
      )
    if (previousTerm === undefined || known.previousTerm === previousTerm) return
    if (known.previousTerm === undefined) this.#nodes.set(key, { hash, previousTerm })
    else
      this.#violate(
        'log matching',
        `${server}: before entry ${index} of term ${term} comes one of term ${previousTerm}, elsewhere of ${known.previousTerm}`,
      )
  }
}

function keyOf(index: Index, term: Term): number {
  return term * 1e9 + index
}

/** FNV-1a. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
