import type { Index } from '@raftkit/interface'
import type { SessionLimits } from './session-limits.ts'

/** What a session is when a server knows nothing else of it. */
export interface SessionIdentity {
  readonly id: Index
  readonly nonce: number
  readonly limits: SessionLimits
}

/**
 * One client session on a server (dissertation §6.3): which commands were applied, and what they were answered.
 *
 * The window: numbers from `floor` on, the lowest that the client may still ask for, up to `maxCachedResponses`
 * further. Within it commands come in any order, and every number that was applied is remembered; below it nothing is
 * applied any more, so nothing need be remembered.
 */
export class Session implements SessionIdentity {
  readonly id: Index
  readonly nonce: number
  readonly limits: SessionLimits
  /** Session time of the last command. */
  lastActive: number
  floor = 1
  // In two: a batch is admitted as a whole before its responses are there, and what is kept must not depend on how
  // the log was cut into batches.
  readonly #applied = new Set<number>()
  readonly #responses = new Map<number, Uint8Array>()
  #responseBytes = 0
  #releasedTo = 1

  constructor({ id, nonce, limits }: SessionIdentity, lastActive: number) {
    this.id = id
    this.nonce = nonce
    this.limits = limits
    this.lastActive = lastActive
  }

  wasApplied(sequence: number): boolean {
    return this.#applied.has(sequence)
  }

  markApplied(sequence: number): void {
    this.#applied.add(sequence)
  }

  raiseFloor(floor: number): void {
    if (floor <= this.floor) return
    deleteBelow(this.#applied, this.floor, floor)
    this.floor = floor
  }

  /** Keeps a response when there is room. Called in log order, as {@link releaseBelow} is. */
  keep(sequence: number, response: Uint8Array): void {
    const bytes = this.#responseBytes + response.byteLength
    if (bytes > this.limits.maxCachedResponseBytes) return
    this.#responses.set(sequence, response)
    this.#responseBytes = bytes
  }

  responseOf(sequence: number): Uint8Array | undefined {
    return this.#responses.get(sequence)
  }

  /** Forgets the responses of commands that the client asks for no more. */
  releaseBelow(floor: number): void {
    if (floor <= this.#releasedTo) return
    deleteBelow(this.#responses, this.#releasedTo, floor, (sequence) => {
      this.#responseBytes -= this.#responses.get(sequence)?.byteLength ?? 0
    })
    this.#releasedTo = floor
  }

  /** The numbers applied within the window, in the order of the log, each with its response when that was kept. */
  entries(): [sequence: number, response: Uint8Array | undefined][] {
    return Array.from(this.#applied, (sequence) => [sequence, this.#responses.get(sequence)])
  }

  /** Takes up what {@link entries} of another server gave. */
  static restore(
    identity: SessionIdentity,
    lastActive: number,
    floor: number,
    entries: Iterable<readonly [number, Uint8Array | undefined]>,
  ): Session {
    const session = new Session(identity, lastActive)
    session.floor = floor
    session.#releasedTo = floor
    for (const [sequence, response] of entries) {
      session.markApplied(sequence)
      if (response !== undefined) session.keep(sequence, response)
    }
    return session
  }
}

/** Costs what is deleted, or what there is, whichever is less: a number far ahead must not cost its distance. */
function deleteBelow(
  numbers: Set<number> | Map<number, unknown>,
  from: number,
  to: number,
  before?: (sequence: number) => void,
): void {
  const forget = (sequence: number): void => {
    before?.(sequence)
    numbers.delete(sequence)
  }
  if (to - from <= numbers.size)
    for (let sequence = from; sequence < to; sequence += 1) forget(sequence)
  else for (const sequence of Array.from(numbers.keys())) if (sequence < to) forget(sequence)
}
