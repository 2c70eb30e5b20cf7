import type { Index } from '@raftkit/interface'

/** Beyond this many at once, further ones are not measured: a disk that hangs must not fill the memory. */
const MAX_UNDER_WAY = 4096

/** Points of the log on their way to somewhere, and when each set out. */
export class Milestones {
  readonly #underWay: { readonly index: Index; readonly at: number }[] = []

  /** Everything up to `index` sets out. Ascending, until {@link clear}. */
  begin(index: Index, at: number): void {
    if (this.#underWay.length < MAX_UNDER_WAY) this.#underWay.push({ index, at })
  }

  /** Everything up to `index` has arrived; `arrived` is told when each had set out. */
  reached(index: Index, arrived: (at: number) => void): void {
    let count = 0
    while (count < this.#underWay.length && this.#underWay[count]!.index <= index) {
      arrived(this.#underWay[count]!.at)
      count++
    }
    if (count > 0) this.#underWay.splice(0, count)
  }

  /** Nothing arrives any more. */
  clear(): void {
    this.#underWay.length = 0
  }
}
