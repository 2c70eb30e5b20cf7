import type { Index } from '@raftkit/interface'
import type { DurablePoint } from '../../consensus/effects.ts'

/** What is durable on this server. */
export interface Durability {
  readonly durableIndex: Index
  readonly durableSequence: number
}

interface Held {
  readonly after: DurablePoint
  readonly release: () => void
  readonly drop: () => void
}

/**
 * Holds back what must not leave the server before its durable point: persist, then promise. Bounded by the requests
 * that this server lets in and the sends that consensus plans.
 */
export class Outbox {
  readonly #durability: Durability
  #held: Held[] = []

  constructor(durability: Durability) {
    this.#durability = durability
  }

  /** Things held back. */
  get length(): number {
    return this.#held.length
  }

  /** Calls `release` once `after` is reached (at once when it is), or `drop` when its entry is truncated. */
  pass(after: DurablePoint | undefined, release: () => void, drop: () => void): void {
    if (after === undefined || this.#isReached(after)) release()
    else this.#held.push({ after, release, drop })
  }

  /** More is durable than before. */
  durable(): void {
    if (this.#held.length === 0) return
    const held = this.#held
    this.#held = []
    for (const item of held)
      if (this.#isReached(item.after)) item.release()
      else this.#held.push(item)
  }

  /** The log lost its entries from `from` on: what waited for one of them never goes out. */
  truncated(from: Index): void {
    const held = this.#held
    this.#held = []
    for (const item of held)
      if (item.after.entry !== undefined && item.after.entry.index >= from) item.drop()
      else this.#held.push(item)
  }

  /** The server stops: nothing goes out any more. */
  close(): void {
    for (const item of this.#held.splice(0)) item.drop()
  }

  #isReached({ hardState, entry }: DurablePoint): boolean {
    return (
      (hardState === undefined || hardState <= this.#durability.durableSequence) &&
      (entry === undefined || entry.index <= this.#durability.durableIndex)
    )
  }
}
