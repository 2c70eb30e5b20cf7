import type { LogEntry } from '@raftkit/interface'
import {
  decodeSessionHeader,
  setUint64,
  type RegisterHeader,
  type SessionCommandHeader,
} from './session-header.ts'
import { sealApplied, sealRefusal } from './session-response.ts'
import { Session } from './session.ts'

/** What is to be done with an entry. `plain` and `fresh` ones go to the state machine. */
export type Step =
  | { readonly type: 'plain' }
  | { readonly type: 'answer'; readonly response: Uint8Array }
  | {
      readonly type: 'fresh' | 'duplicate'
      readonly session: Session
      readonly sequence: number
      /** The floor of the session when the entry was admitted. */
      readonly floor: number
    }

const plain: Step = { type: 'plain' }

/**
 * The sessions that a server knows. Everything in it follows from the entries of the log and their order alone, so all
 * servers have the same: which sessions there are, when one expires, which response is kept.
 *
 * Session time is the highest wall clock of a leader (`appendedAt`) seen since the oldest session began: it never goes
 * back, and stands still while entries carry no time. It has no meaning, and no value, while there is no session.
 */
export class SessionTable {
  #clock: number
  /** By id; the one that was used last comes last. */
  readonly #sessions: Map<number, Session>
  /** The last of them, when that is known. */
  #newest: Session | undefined

  /** `sessions` in the order of their last use. */
  constructor(clock = 0, sessions: Iterable<Session> = []) {
    this.#clock = clock
    this.#sessions = new Map(Array.from(sessions, (session) => [session.id, session]))
  }

  get clock(): number {
    return this.#clock
  }

  get size(): number {
    return this.#sessions.size
  }

  /** In the order of their last use. */
  sessions(): Session[] {
    return [...this.#sessions.values()]
  }

  /** Decides on an entry: once for each, in log order. {@link finish} must follow, in the same order. */
  admit(entry: LogEntry): Step {
    this.#tick(entry.appendedAt)
    const header = decodeSessionHeader(entry.extensions)
    if (header === undefined) return plain
    if (header === 'malformed') return refused('malformed')
    return header.type === 'register' ? this.#register(entry, header) : this.#command(header)
  }

  /** The answer to an entry; `response` is the state machine's, for entries that it was handed. */
  finish(step: Step, response: Uint8Array): Uint8Array {
    switch (step.type) {
      case 'plain':
        return response
      case 'answer':
        return step.response
      case 'fresh': {
        const { session, sequence, floor } = step
        const sealed = sealApplied(response)
        session.releaseBelow(floor)
        session.keep(sequence, sealed)
        return sealed
      }
      case 'duplicate': {
        const { session, sequence, floor } = step
        session.releaseBelow(floor)
        return session.responseOf(sequence) ?? sealRefusal('responseNotKept')
      }
    }
  }

  /** Moves session time, and forgets what has expired among those that were unused longest. */
  #tick(appendedAt: number | undefined): void {
    if (this.#sessions.size === 0) return
    const time = timeOf(appendedAt)
    if (time <= this.#clock) return
    this.#clock = time
    for (const session of this.#sessions.values()) {
      if (!this.#isExpired(session)) return
      this.#delete(session)
    }
  }

  #register(entry: LogEntry, { nonce, limits }: RegisterHeader): Step {
    for (const session of this.#sessions.values()) {
      if (this.#sessions.size < limits.maxSessions) break
      this.#delete(session)
    }
    this.#clock = Math.max(this.#clock, timeOf(entry.appendedAt))
    const { index: id } = entry
    this.#newest = new Session({ id, nonce, limits }, this.#clock)
    this.#sessions.set(id, this.#newest)
    const answer = new Uint8Array(8)
    setUint64(new DataView(answer.buffer), 0, id)
    return { type: 'answer', response: sealApplied(answer) }
  }

  #command({ session: id, nonce, sequence, answeredBelow }: SessionCommandHeader): Step {
    const session = this.#sessions.get(id)
    if (session === undefined || session.nonce !== nonce) return refused('expired')
    if (this.#isExpired(session)) {
      this.#delete(session)
      return refused('expired')
    }
    if (sequence - answeredBelow >= session.limits.maxCachedResponses)
      return refused('beyondWindow')
    if (sequence < session.floor) return refused('answered')
    this.#use(session)
    session.raiseFloor(answeredBelow)
    const { floor } = session
    if (session.wasApplied(sequence)) return { type: 'duplicate', session, sequence, floor }
    session.markApplied(sequence)
    return { type: 'fresh', session, sequence, floor }
  }

  #use(session: Session): void {
    session.lastActive = this.#clock
    if (session === this.#newest) return
    this.#newest = session
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }

  #isExpired(session: Session): boolean {
    return this.#clock - session.lastActive > session.limits.sessionTimeoutMs
  }

  #delete(session: Session): void {
    this.#sessions.delete(session.id)
    if (this.#sessions.size === 0) this.#clock = 0
  }
}

function refused(refusal: Parameters<typeof sealRefusal>[0]): Step {
  return { type: 'answer', response: sealRefusal(refusal) }
}

/** Whole milliseconds; 0, which moves nothing, for a time that is absent or none. */
function timeOf(appendedAt: number | undefined): number {
  const time = Math.floor(appendedAt ?? 0)
  return Number.isSafeInteger(time) && time > 0 ? time : 0
}
