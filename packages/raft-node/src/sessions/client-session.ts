import type { Index } from '@raftkit/interface'
import type { Deadline } from '../deadline.ts'
import { encodeSessionHeader } from './session-header.ts'

/**
 * The client's half of one session: numbers its commands and knows which are unanswered. A number is handed out only
 * within the window of the oldest unanswered one, which is what servers remember.
 */
export class ClientSession {
  readonly #id: Index
  readonly #nonce: number
  readonly #window: number
  readonly #open = new Set<number>()
  readonly #waiting = new Set<() => void>()
  #next = 1
  #lowest = 1

  constructor(id: Index, nonce: number, window: number) {
    this.#id = id
    this.#nonce = nonce
    this.#window = window
  }

  /** A number for the next command; undefined while the window is full. {@link done} must follow. */
  take(): number | undefined {
    if (this.#next - this.#lowest >= this.#window) return undefined
    const sequence = this.#next++
    this.#open.add(sequence)
    return sequence
  }

  /** Resolves when there may be a number, or the deadline has passed. */
  whenOpen(deadline: Deadline): Promise<void> {
    return deadline.pause(deadline.remainingMs, (wake) => {
      this.#waiting.add(wake)
      return () => void this.#waiting.delete(wake)
    })
  }

  /** Nobody waits for this command any more, whether it was answered or not. */
  done(sequence: number): void {
    this.#open.delete(sequence)
    while (this.#lowest < this.#next && !this.#open.has(this.#lowest)) this.#lowest += 1
    this.wakeWaiting()
  }

  /** Those whose turn it is wait no more. Whoever was woken and takes no number calls this for the next ones. */
  wakeWaiting(): void {
    let room = this.#window - (this.#next - this.#lowest)
    for (const wake of this.#waiting) {
      if (room <= 0) return
      room -= 1
      wake()
    }
  }

  /** The header of a command: its retries carry the same. */
  header(sequence: number): Uint8Array {
    return encodeSessionHeader({
      type: 'command',
      session: this.#id,
      nonce: this.#nonce,
      sequence,
      answeredBelow: this.#lowest,
    })
  }
}
