import type { Index, ServerId, Term } from '@raftkit/interface'
import type { DiskImage } from '../disk/disk-image.ts'

interface RestorePoint {
  readonly index: Index
  readonly term: Term
  /** Whether the cluster has it: undecided until something after it is committed, or something without it. */
  isAlive: boolean | undefined
}

/**
 * Where users gave the cluster the state of a snapshot: at an index that no entry has. What comes after it rests on it as
 * on an entry; what came before it, as far as it was not committed, is gone.
 */
export class RestorePoints {
  readonly #points: RestorePoint[] = []
  /** Servers that are asked to restore something. */
  readonly #asked = new Set<ServerId>()

  asked(id: ServerId): void {
    this.#asked.add(id)
  }

  /** A snapshot becomes durable that is of nothing committed. True when it belongs to a restore. */
  admits(id: ServerId, index: Index, term: Term): boolean {
    if (this.has(index, term)) return true
    if (!this.#asked.has(id)) return false
    this.#points.push({ index, term, isAlive: undefined })
    return true
  }

  has(index: Index, term: Term): boolean {
    return this.#points.some((point) => point.index === index && point.term === term)
  }

  /** True when a commit index may be that of a restore. */
  isAt(index: Index): boolean {
    return this.#points.some((point) => point.index === index)
  }

  /** The leader of `inTerm` has committed something: earlier restores are part of that, or lost. */
  committed(inTerm: Term, termAt: (index: Index) => Term | undefined): void {
    for (const point of this.#points)
      if (point.isAlive === undefined) {
        if (termAt(point.index) === point.term) point.isAlive = true
        else if (inTerm > point.term) point.isAlive = false
      }
  }

  /**
   * True for an entry that a restore on this disk has taken the place of, and for where the restore stands itself. A later
   * snapshot rests on the restores that the cluster has.
   */
  isReplaced({ snapshots }: DiskImage, index: Index, term: Term): boolean {
    const meta = snapshots[0]?.meta
    if (meta === undefined) return false
    const isHere = (point: RestorePoint): boolean =>
      (point.index === meta.index && point.term === meta.term) ||
      (point.isAlive === true && point.index < meta.index)
    return this.#points.some(
      (point) =>
        isHere(point) && (index < point.index || (index === point.index && term === point.term)),
    )
  }

  /** True for the disk of a server with a restore that the cluster went on without: it must be emptied. */
  isStranded(image: DiskImage): boolean {
    return this.#newest(image)?.isAlive === false
  }

  /** True for the disk of a server with a restore that it may stand alone with: it stops when it sees that. */
  maySeeItselfAlone(image: DiskImage): boolean {
    const point = this.#newest(image)
    return point !== undefined && point.isAlive !== true
  }

  /** The restore that the newest snapshot of a disk is of. */
  #newest({ snapshots }: DiskImage): RestorePoint | undefined {
    const meta = snapshots[0]?.meta
    return this.#points.find(({ index, term }) => index === meta?.index && term === meta.term)
  }
}
