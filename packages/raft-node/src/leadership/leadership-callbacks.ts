import { messageOf, type Logger } from '@raftkit/interface'
import type { Leadership, LeadershipCallback } from './leadership.ts'

/** Those who are called when leadership begins. The calls of one callback never overlap. */
export class LeadershipCallbacks {
  readonly #logger: Logger
  // Each with the end of its last call.
  readonly #callbacks = new Map<LeadershipCallback, Promise<void>>()
  #closed = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Adds a callback, and calls it at once for a leadership that there is. Returns the function that removes it. */
  add(callback: LeadershipCallback, current: Leadership | undefined): () => void {
    const own: LeadershipCallback = (leadership) => callback(leadership)
    if (this.#closed) return () => {}
    this.#callbacks.set(own, Promise.resolve())
    if (current !== undefined) this.#call(own, current)
    return () => void this.#callbacks.delete(own)
  }

  /** Leadership begins. */
  call(leadership: Leadership): void {
    for (const callback of this.#callbacks.keys()) this.#call(callback, leadership)
  }

  /** Calls nothing any more. Resolves when the calls that run have settled: end leadership before it. */
  async close(): Promise<void> {
    this.#closed = true
    const running = [...this.#callbacks.values()]
    this.#callbacks.clear()
    await Promise.all(running)
  }

  #call(callback: LeadershipCallback, leadership: Leadership): void {
    const before = this.#callbacks.get(callback)
    if (before === undefined) return
    this.#callbacks.set(callback, this.#run(callback, leadership, before))
  }

  async #run(
    callback: LeadershipCallback,
    leadership: Leadership,
    before: Promise<void>,
  ): Promise<void> {
    await before
    const { signal, term } = leadership
    if (signal.aborted || !this.#callbacks.has(callback)) return
    try {
      await callback(leadership)
    } catch (error) {
      if (signal.aborted && isAbort(error, signal.reason)) return
      this.#logger.error({ err: error, term }, `a leadership callback failed: ${messageOf(error)}`)
    }
  }
}

/** What an aborted call rejects with: the reason itself, or, from Node's own calls, an `AbortError`. */
function isAbort(error: unknown, reason: unknown): boolean {
  return error === reason || (error instanceof Error && error.name === 'AbortError')
}
