import { shutDown } from '../calls/refusals.ts'

/** Something that one user has at a time; others wait in line. */
export class Exclusive {
  readonly #onFree: () => void
  readonly #line: ((isClosed: boolean) => void)[] = []
  #isHeld = false
  #isClosed = false
  #whenFree: (() => void) | undefined

  /** `onFree` is called when it is given back and nobody waits. */
  constructor(onFree: () => void) {
    this.#onFree = onFree
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Has it while `use` runs, when it is free now. */
  async run<T>(use: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw shutDown()
    if (this.#isHeld) await this.#wait()
    this.#isHeld = true
    try {
      return await use()
    } finally {
      this.#release()
    }
  }

  /** Whoever waits, or comes later, gets `RAFT_SHUTDOWN`; resolves when it is free. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const next of this.#line.splice(0)) next(true)
    if (this.#isHeld)
      await new Promise<void>((resolve) => {
        this.#whenFree = resolve
      })
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#line.push((isClosed) => (isClosed ? reject(shutDown()) : resolve()))
    })
  }

  #release(): void {
    // Handed over without a moment in which it is free: nobody comes in between.
    const next = this.#line.shift()
    if (next !== undefined) return next(false)
    this.#isHeld = false
    this.#whenFree?.()
    if (!this.#isClosed) this.#onFree()
  }
}
