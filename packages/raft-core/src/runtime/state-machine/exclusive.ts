import { shutDown } from '../calls/refusals.ts'

/** Something that one user has at a time; others wait in line. */
export class Exclusive {
  readonly #onFree: () => void
  readonly #line: ((isClosed: boolean) => void)[] = []
  #isHeld = false
  #isClosed = false
  #whenFree: (() => void) | undefined

  /** `onFree` is called when it is given back, later than at once, and nobody waits. */
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

  /** Has it during `use`, and until what that returns has settled. Nobody may have it now. */
  hold(use: () => Promise<void> | undefined): void {
    this.#isHeld = true
    let rest: Promise<void> | undefined
    try {
      rest = use()
    } finally {
      if (rest === undefined) this.#handOn()
    }
    const release = (): void => this.#release()
    rest?.then(release, release)
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
    if (!this.#handOn() && !this.#isClosed) this.#onFree()
  }

  /** False when nobody waits, and it is free. */
  #handOn(): boolean {
    // Handed over without a moment in which it is free: nobody comes in between.
    const next = this.#line.shift()
    if (next === undefined) {
      this.#isHeld = false
      this.#whenFree?.()
    } else next(false)
    return next !== undefined
  }
}
