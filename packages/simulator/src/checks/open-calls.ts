import type { Violate } from './violation.ts'

/** Calls to servers that somebody waits for: every one must settle, or its server must crash. */
export class OpenCalls {
  readonly #open = new Map<number, string>()
  #next = 1

  /** `crashed` resolves when nobody can answer any more. */
  watch(what: string, call: Promise<unknown>, crashed: Promise<void>): void {
    const id = this.#next++
    this.#open.set(id, what)
    const end = (): void => void this.#open.delete(id)
    call.then(end, end)
    void crashed.then(end)
  }

  /** At the end: says what never settled. */
  check(violate: Violate): void {
    if (this.#open.size === 0) return
    const calls = [...this.#open.values()]
    violate('every promise settles', `${calls.length} calls never ended: ${calls.join('; ')}`)
  }
}
