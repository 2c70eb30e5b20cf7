// What clients were told of their writes.

/** The writes of a run: what must be there at the end, what may be, and for how long there was nothing new. */
export class Ledger {
  readonly #acknowledged = new Map<string, string>()
  readonly #unknown = new Map<string, string>()
  #lastProgress = performance.now()
  #longestGapMs = 0

  acknowledge(key: string, value: string): void {
    this.#acknowledged.set(key, value)
    const now = performance.now()
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastProgress)
    this.#lastProgress = now
  }

  /** The command may or may not be applied. */
  leaveOpen(key: string, value: string): void {
    this.#unknown.set(key, value)
  }

  /** From here on a gap counts. */
  begin(): void {
    this.#lastProgress = performance.now()
  }

  get acknowledged(): number {
    return this.#acknowledged.size
  }

  get unknown(): number {
    return this.#unknown.size
  }

  /** Milliseconds between two acknowledgements, at most. */
  get longestGapMs(): number {
    return this.#longestGapMs
  }

  /** The keys of acknowledged writes that a state does not hold. */
  lostIn(state: Readonly<Record<string, string>>): readonly string[] {
    return [...this.#acknowledged]
      .filter(([key, value]) => state[key] !== value)
      .map(([key]) => key)
  }

  /** The keys of a state that nobody wrote. */
  inventedIn(state: Readonly<Record<string, string>>): readonly string[] {
    return Object.keys(state).filter(
      (key) => !this.#acknowledged.has(key) && !this.#unknown.has(key),
    )
  }
}
