import type { ServerId } from '@raftkit/interface'
import type { Leadership } from '@raftkit/raft-node'

/** What checks need of the server of a leadership. */
export interface Court {
  readonly id: ServerId
  /** Its heartbeat timeout, milliseconds. */
  readonly beatMs: number
  readonly worldTime: () => number
  readonly report: (problem: string) => void
  readonly mark: (name: string) => void
  readonly tell: (...facts: readonly (string | number)[]) => void
  /** Runs something on the server, now or when it runs again. */
  readonly soon: (callback: () => void) => void
}

/** One leadership that somebody was told of. */
export interface Reign {
  readonly court: Court
  readonly leadership: Leadership
  /** Its abort was heard, or seen. */
  isOver: boolean
}

/** Every leadership of one run, over all servers: one at a time, with tokens that rise. */
export class Reigns {
  #last: Reign | undefined
  readonly #present = new Set<Reign>()
  /** World time at which some leadership was last seen to hold. */
  #heldAt = -1
  #calmSince: number | undefined
  /** World time at which a server stopped that led. */
  #stoppedAt = -Infinity

  /** A callback is told of a leadership. */
  begin(court: Court, leadership: Leadership): Reign {
    const { fencingToken, signal } = leadership
    const reign: Reign = { court, leadership, isOver: false }
    court.tell('begins to lead with token', fencingToken)
    court.mark('a leadership began')
    const last = this.#last
    if (last !== undefined && last.leadership.fencingToken >= fencingToken)
      court.report(
        `leads with token ${fencingToken} after ${last.court.id} had ${last.leadership.fencingToken}`,
      )
    // Sooner than an election begins for a leader that is not heard.
    if (court.worldTime() - this.#stoppedAt < 0.8 * court.beatMs)
      court.mark('a leader that stopped handed over')
    if (last?.court.id === court.id) court.mark('a server began to lead again')
    this.#last = reign
    for (const other of this.#present) other.court.soon(() => this.holds(other))
    this.#present.add(reign)
    signal.addEventListener('abort', () => this.#end(reign), { once: true })
    this.#heldAt = court.worldTime()
    return reign
  }

  /** A server stops that led. */
  stopped({ court }: Reign): void {
    court.mark('a leader stopped')
    this.#stoppedAt = court.worldTime()
  }

  /** Looks, on its server, whether a leadership holds; then no other may have begun after it. */
  holds(reign: Reign): boolean {
    const { court, leadership } = reign
    const wasOver = reign.isOver
    if (leadership.signal.aborted) {
      if (!wasOver) court.mark('a lease ran out before a timer could tell')
      this.#end(reign)
      return false
    }
    if (this.#last !== reign)
      court.report(
        `leads with token ${leadership.fencingToken}, and ${this.#last?.court.id} has begun to lead with ` +
          `${this.#last?.leadership.fencingToken}`,
      )
    this.#heldAt = court.worldTime()
    return true
  }

  /** Somebody leads, and was seen to do so since this was asked for the first time. */
  haveResumed(now: number): boolean {
    this.#calmSince ??= now
    return this.#heldAt > this.#calmSince
  }

  #end(reign: Reign): void {
    if (!reign.isOver) reign.court.tell('leads no more with token', reign.leadership.fencingToken)
    reign.isOver = true
    this.#present.delete(reign)
  }
}
