import { type Clock, messageOf, type Logger, type Term } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import { LeadershipCallbacks } from '../leadership/leadership-callbacks.ts'
import type { Leadership, LeadershipCallback } from '../leadership/leadership.ts'
import { systemClock } from '../system.ts'
import { HeldLeadership } from './held-leadership.ts'

/** The server whose leadership is watched. */
export type LeaseRaft = Pick<
  Raft<Uint8Array>,
  'state' | 'currentTerm' | 'on' | 'barrier' | 'verifyLeader'
>

/** Confirmations of a quorum that are asked for in the time of one lease. */
const renewalsPerLease = 4

/**
 * Leadership by lease (dissertation §6.4.1, here for the application instead of for reads). A period begins when an
 * entry of this leader is committed, whose index is the fencing token, and a quorum has confirmed its leadership. Each
 * confirmation holds for one lease from the moment at which it was asked for: for longer than that, a whole heartbeat
 * timeout, no voter of that quorum votes for another server.
 */
export class LeaseWatch {
  readonly #raft: LeaseRaft
  readonly #leaseMs: number
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #callbacks: LeadershipCallbacks
  readonly #unsubscribe: readonly (() => void)[]
  /** The term in which this server leads, when it does. */
  #term: Term | undefined
  #held: HeldLeadership | undefined
  #wake: (() => void) | undefined

  constructor(raft: LeaseRaft, leaseMs: number, logger: Logger, clock: Clock = systemClock) {
    this.#raft = raft
    this.#leaseMs = leaseMs
    this.#logger = logger
    this.#clock = clock
    this.#callbacks = new LeadershipCallbacks(logger)
    this.#unsubscribe = [
      raft.on('leader-ready', ({ term }) => this.#lead(term)),
      raft.on('role-changed', ({ role }) => {
        if (role !== 'leader') this.#leadsNoMore('this server leads no more')
      }),
      raft.on('stopped', () => this.#leadsNoMore('this server stopped')),
    ]
    if (raft.state === 'leader') this.#lead(raft.currentTerm)
  }

  /** The leadership that this server holds at this moment. */
  get current(): Leadership | undefined {
    return this.#held?.isHeld === true ? this.#held.leadership : undefined
  }

  /** As `onLeadership` of a node. */
  onLeadership(callback: LeadershipCallback): () => void {
    return this.#callbacks.add(callback, this.current)
  }

  /** Ends leadership, calls nothing any more, and resolves when the callbacks that run have settled. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#leadsNoMore('this server is stopping')
    await this.#callbacks.close()
  }

  #lead(term: Term): void {
    if (this.#term === term) return
    this.#leadsNoMore('a newer term began')
    this.#term = term
    void this.#leadOn(term)
  }

  #leadsNoMore(reason: string): void {
    this.#term = undefined
    this.#held?.end(reason)
    this.#wake?.()
  }

  /** One period after the other, as long as this server leads the term. */
  async #leadOn(term: Term): Promise<void> {
    while (this.#term === term) {
      try {
        const held = await this.#begin(term)
        if (held !== undefined) await this.#holdOn(held)
      } catch (error) {
        if (this.#term === term) this.#warn(term, error)
      }
      if (this.#term === term) await this.#pause(this.#leaseMs / renewalsPerLease)
    }
  }

  async #begin(term: Term): Promise<HeldLeadership | undefined> {
    const { index: fencingToken } = await this.#raft.barrier()
    const asked = this.#clock.now()
    await this.#raft.verifyLeader({ timeoutMs: this.#leaseMs })
    const until = asked + this.#leaseMs
    if (this.#term !== term || this.#clock.now() >= until) return undefined
    const held = new HeldLeadership({ term, fencingToken }, until, this.#clock, (reason) => {
      this.#held = undefined
      this.#logger.info({ term, fencingToken, reason }, 'leadership is over')
      this.#wake?.()
    })
    this.#held = held
    this.#logger.info({ term, fencingToken }, 'leadership begins')
    this.#callbacks.call(held.leadership)
    return held
  }

  /** Has the leadership confirmed again and again; returns when it is over. */
  async #holdOn(held: HeldLeadership): Promise<void> {
    const { term } = held.leadership
    while (held.isHeld) {
      const asked = this.#clock.now()
      try {
        await this.#raft.verifyLeader({ timeoutMs: held.remainingMs })
        held.extend(asked + this.#leaseMs)
      } catch (error) {
        if (held.isHeld) this.#warn(term, error)
      }
      const next = asked + this.#leaseMs / renewalsPerLease - this.#clock.now()
      if (held.isHeld) await this.#pause(next)
    }
  }

  #warn(term: Term, error: unknown): void {
    this.#logger.warn({ err: error, term }, `leadership was not confirmed: ${messageOf(error)}`)
  }

  /** Waits, until something changes at the longest. */
  #pause(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        if (this.#wake === wake) this.#wake = undefined
        resolve()
      }
      const timer = this.#clock.setTimer(Math.max(1, forMs), wake)
      this.#wake = wake
    })
  }
}
