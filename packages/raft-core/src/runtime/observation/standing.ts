import type { Index, RaftError, Term } from '@raftkit/interface'
import type { KnownLeader, Role } from '../../consensus/effects.ts'
import type { RaftEvents, RaftState } from '../../raft-events.ts'
import type { EventEmitter } from './event-emitter.ts'
import { notLeader, removed } from '../calls/refusals.ts'

/** What this server is at the moment, as everyone outside of consensus sees it. */
export class Standing {
  readonly #events: EventEmitter<RaftEvents>
  #state: RaftState = 'follower'
  #term: Term
  /** The term in which the role was taken up. */
  #roleTerm: Term
  #leader: KnownLeader | undefined
  /** The own no-op of a leader that is not ready yet. */
  #readyAt: Index = Infinity
  /** The last term in which this server was ready to lead. */
  #readyTerm: Term | undefined
  #stoppedBy: RaftError | undefined
  #isRemoved = false

  constructor(events: EventEmitter<RaftEvents>, term: Term) {
    this.#events = events
    this.#term = term
    this.#roleTerm = term
  }

  get state(): RaftState {
    return this.#state
  }

  get term(): Term {
    return this.#term
  }

  get leader(): KnownLeader | undefined {
    return this.#leader
  }

  /** Why the server takes no further part; undefined while it does. */
  get stoppedBy(): RaftError | undefined {
    return this.#stoppedBy
  }

  /** Why this server cannot take a command or a read now; undefined when it leads. */
  refusal(): RaftError | undefined {
    if (this.#state === 'leader') return undefined
    return this.exclusion() ?? notLeader(this.#leader)
  }

  /** Why this server cannot serve anyone: it has stopped, or is not a member any more. */
  exclusion(): RaftError | undefined {
    return this.#stoppedBy ?? (this.#isRemoved ? removed() : undefined)
  }

  /** A committed configuration is without this server, or one has it again. */
  membershipChanged(isMember: boolean): void {
    this.#isRemoved = !isMember
  }

  roleChanged(role: Role, term: Term, reason: string): void {
    if (this.#state === 'stopped') return
    const state = role === 'pre-candidate' ? 'candidate' : role
    // Pre-candidate and candidate are the same outside, but for the term.
    const hasChanged = state !== this.#state || term !== this.#roleTerm
    this.#state = state
    this.#term = term
    this.#roleTerm = term
    this.#readyAt = Infinity
    if (hasChanged) this.#events.emit('role-changed', { role: state, term, reason })
  }

  /** A higher term is known, whatever else changes. */
  termChanged(term: Term): void {
    this.#term = term
  }

  leaderChanged(leader: KnownLeader | undefined, term: Term): void {
    if (this.#state === 'stopped') return
    this.#leader = leader
    this.#term = term
    this.#events.emit('leader-changed', leader === undefined ? { term } : { leader, term })
  }

  /** This new leader appended its no-op at `index`. That after a restore makes no new leader. */
  leads(index: Index): void {
    if (this.#readyTerm === this.#term) return
    this.#readyAt = index
  }

  /** The state machine has applied everything up to `index`. */
  applied(index: Index): void {
    if (index < this.#readyAt || this.#state !== 'leader') return
    this.#readyAt = Infinity
    this.#readyTerm = this.#term
    this.#events.emit('leader-ready', { term: this.#term })
  }

  /** The server takes no further part. `refusal` is what later calls get, `error` what stopped it. */
  stopped(refusal: RaftError, error: RaftError | undefined): void {
    const term = this.#term
    if (this.#state !== 'stopped')
      this.#events.emit('role-changed', {
        role: 'stopped',
        term,
        reason: error?.message ?? 'shut down',
      })
    if (this.#leader !== undefined) this.#events.emit('leader-changed', { term })
    this.#state = 'stopped'
    this.#leader = undefined
    this.#stoppedBy = refusal
    this.#events.emit('stopped', error === undefined ? {} : { error })
  }
}
