import { messageOf, RaftError, type Logger, type Term } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'

/** One period in which this node leads. */
export interface Leadership {
  readonly term: Term
  /**
   * A number to hand to whatever the leader writes to. It is the term: at most one server leads in a term and
   * terms only grow, so a resource that refuses a token lower than the highest it has seen is safe from a leader
   * that does not know yet that it was replaced.
   */
  readonly fencingToken: number
  /** Aborted when this node leads no more, or stops. Whoever ignores it relies on the fencing token alone. */
  readonly signal: AbortSignal
}

/** Work that only a leader does. */
export type LeadershipCallback = (leadership: Leadership) => void | Promise<void>

/** What leadership is derived from. */
export type LeadershipRaft = Pick<Raft<Uint8Array>, 'state' | 'currentTerm' | 'on'>

interface Period {
  readonly leadership: Leadership
  readonly end: AbortController
}

/** Tells callbacks when this node begins to lead, and their signals when that is over. */
export class LeadershipWatch {
  readonly #logger: Logger
  readonly #unsubscribe: readonly (() => void)[]
  readonly #callbacks = new Map<LeadershipCallback, Promise<void>>()
  #period: Period | undefined
  #closed = false

  constructor(raft: LeadershipRaft, logger: Logger) {
    this.#logger = logger
    this.#unsubscribe = [
      raft.on('leader-ready', ({ term }) => this.#begin(term)),
      raft.on('role-changed', ({ role }) => {
        if (role !== 'leader') this.#end('this node leads no more')
      }),
      raft.on('stopped', () => this.#end('this node stopped')),
    ]
  }

  /**
   * Calls `callback` at every beginning of leadership, at once when this node leads already. The calls of one
   * callback never overlap: when an earlier one has not settled, the next waits for it, and is left out when
   * leadership is over by then. What a callback throws is logged. Returns the function that ends it; a call that
   * is running is not interrupted by that.
   */
  onLeadership(callback: LeadershipCallback): () => void {
    const own: LeadershipCallback = (leadership) => callback(leadership)
    if (this.#closed) return () => {}
    this.#callbacks.set(own, Promise.resolve())
    if (this.#period !== undefined) this.#call(own, this.#period)
    return () => void this.#callbacks.delete(own)
  }

  /** Aborts the signals, calls nothing any more, and resolves when the callbacks that run have settled. */
  async close(): Promise<void> {
    this.#closed = true
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    const running = [...this.#callbacks.values()]
    this.#end('this node is stopping')
    this.#callbacks.clear()
    await Promise.all(running)
  }

  #begin(term: Term): void {
    this.#end('a newer term began')
    const end = new AbortController()
    this.#period = { leadership: { term, fencingToken: term, signal: end.signal }, end }
    for (const callback of this.#callbacks.keys()) this.#call(callback, this.#period)
  }

  #end(reason: string): void {
    const period = this.#period
    this.#period = undefined
    period?.end.abort(
      new RaftError(
        'RAFT_LEADERSHIP_LOST',
        `Leadership of term ${period.leadership.term} is over: ${reason}.`,
      ),
    )
  }

  #call(callback: LeadershipCallback, period: Period): void {
    const before = this.#callbacks.get(callback)
    if (before === undefined) return
    this.#callbacks.set(callback, this.#run(callback, period, before))
  }

  async #run(callback: LeadershipCallback, period: Period, before: Promise<void>): Promise<void> {
    await before
    if (period.end.signal.aborted || !this.#callbacks.has(callback)) return
    try {
      await callback(period.leadership)
    } catch (error) {
      if (error === period.end.signal.reason) return
      this.#logger.error(
        { err: error, term: period.leadership.term },
        `a leadership callback failed: ${messageOf(error)}`,
      )
    }
  }
}
