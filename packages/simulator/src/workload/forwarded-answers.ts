import type { Index, ServerId, Term } from '@raftkit/interface'

/** What a command came to that went through another server. */
export interface ForwardedAnswer<R> {
  /** Who applied it. */
  readonly id: ServerId
  readonly index: Index
  readonly term: Term
  readonly response: R
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Answers of leaders to forwarded commands. Only a number goes over the network: how an application encodes its
 * responses is no business of the simulator.
 */
export class ForwardedAnswers<R> {
  readonly #answers: ForwardedAnswer<R>[] = []
  readonly #begun = new Set<string>()

  /**
   * True when a command comes to a leader for the first time. A forwarded command that is delivered twice may be refused
   * first and carried out then: forwarding is for transports that do not do that, as those over connections.
   */
  begin(command: Uint8Array): boolean {
    const text = String.fromCharCode(...command)
    if (this.#begun.has(text)) return false
    this.#begun.add(text)
    return true
  }

  /** Keeps an answer; gives the bytes that stand for it. */
  answer(id: ServerId, index: Index, term: Term, response: R): Uint8Array {
    return encoder.encode(String(this.#answers.push({ id, index, term, response }) - 1))
  }

  /** The answer that the bytes stand for. */
  take(bytes: Uint8Array): ForwardedAnswer<R> {
    return this.#answers[Number(decoder.decode(bytes))]!
  }
}
