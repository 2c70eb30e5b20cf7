import type { Logger, Term } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import { LeadershipCallbacks } from './leadership-callbacks.ts'
import { leadershipOver, type Leadership, type LeadershipCallback } from './leadership.ts'

/** What leadership is derived from. */
export type LeadershipRaft = Pick<Raft<Uint8Array>, 'state' | 'currentTerm' | 'on'>

interface Period {
  readonly leadership: Leadership
  readonly end: AbortController
}

/** Tells callbacks when this node begins to lead, and their signals when that is over. */
export class LeadershipWatch {
  readonly #unsubscribe: readonly (() => void)[]
  readonly #callbacks: LeadershipCallbacks
  #period: Period | undefined

  constructor(raft: LeadershipRaft, logger: Logger) {
    this.#callbacks = new LeadershipCallbacks(logger)
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
    return this.#callbacks.add(callback, this.#period?.leadership)
  }

  /** Aborts the signals, calls nothing any more, and resolves when the callbacks that run have settled. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#end('this node is stopping')
    await this.#callbacks.close()
  }

  #begin(term: Term): void {
    this.#end('a newer term began')
    const end = new AbortController()
    this.#period = { leadership: { term, fencingToken: term, signal: end.signal }, end }
    this.#callbacks.call(this.#period.leadership)
  }

  #end(reason: string): void {
    const period = this.#period
    this.#period = undefined
    period?.end.abort(leadershipOver(period.leadership.term, reason))
  }
}
