import type { Clock, Index } from '@raftkit/interface'
import { LEASE_LOST } from '../consensus/election/check-quorum.ts'
import { NO_LEADER_HEARD } from '../consensus/deadlines.ts'
import type { Effect, Role } from '../consensus/effects.ts'
import type { ConsensusEvent } from '../consensus/events.ts'
import type { Instruments } from './instruments.ts'
import { Milestones } from './milestones.ts'
import { toSeconds } from './timing.ts'

/**
 * Measures what consensus learns and wants, by what passes in and out of it. Times are those of the turns; the clock is
 * read only for what the state machine did meanwhile.
 */
export class ConsensusMeter {
  readonly #instruments: Instruments
  readonly #clock: Clock
  /** Groups of entries that this leader appended, until they are committed, and until they are on its own disk. */
  readonly #uncommitted = new Milestones()
  readonly #undurable = new Milestones()
  /** What is committed, until the state machine has applied it. */
  readonly #unapplied = new Milestones()
  readonly #restores = new Map<number, number>()
  #commitIndex: Index
  #role: Role = 'follower'
  #roleSince: number
  #now: number

  constructor(instruments: Instruments, commitIndex: Index, clock: Clock) {
    this.#instruments = instruments
    this.#clock = clock
    this.#commitIndex = commitIndex
    this.#now = clock.now()
    this.#roleSince = this.#now
  }

  /** An event is about to be stepped. */
  learned(event: ConsensusEvent, now: number): void {
    this.#now = now
    const { dispatch, fsmQueue, restores } = this.#instruments
    switch (event.type) {
      case 'entries-durable':
        return this.#undurable.reached(event.index, (at) => dispatch.record(toSeconds(now - at)))
      case 'applied':
        return this.#unapplied.reached(event.index, (at) =>
          fsmQueue.record(toSeconds(this.#clock.now() - at)),
        )
      case 'snapshot-installed':
      case 'restore-installed':
        // What a snapshot brings was not applied entry by entry.
        return this.#unapplied.clear()
      case 'restore-requested':
        return restores.add(1)
      default:
    }
  }

  /** An effect is about to be carried out. */
  wanted(effect: Effect): void {
    switch (effect.type) {
      case 'append-proposals':
        return this.#dispatched(effect.firstIndex, effect.count)
      case 'commit':
        return this.#committed(effect.index)
      case 'role-changed':
        return this.#roleChanged(effect.role, effect.reason)
      case 'receive-restore':
        this.#restores.set(effect.restoreId, this.#now)
        return
      case 'restore-ended':
        return this.#restoreEnded(effect.restoreId, effect.refusal === undefined)
      default:
    }
  }

  #dispatched(firstIndex: Index, count: number): void {
    const last = firstIndex + count - 1
    this.#instruments.dispatchSize.record(count)
    this.#uncommitted.begin(last, this.#now)
    this.#undurable.begin(last, this.#now)
  }

  #committed(index: Index): void {
    const { commit, commitSize } = this.#instruments
    if (index <= this.#commitIndex) return
    commitSize.record(index - this.#commitIndex)
    this.#commitIndex = index
    const now = this.#now
    this.#uncommitted.reached(index, (at) => commit.record(toSeconds(now - at)))
    this.#unapplied.begin(index, now)
  }

  #roleChanged(role: Role, reason: string): void {
    const instruments = this.#instruments
    const took = toSeconds(this.#now - this.#roleSince)
    if (this.#role === 'pre-candidate') instruments.preVoteCampaign.record(took)
    if (this.#role === 'candidate') instruments.voteCampaign.record(took)
    if (this.#role === 'follower' && reason === NO_LEADER_HEARD)
      instruments.heartbeatTimeouts.add(1)
    if (this.#role === 'leader' && reason === LEASE_LOST) instruments.leaseTimeouts.add(1)
    if (this.#role === 'leader') {
      this.#uncommitted.clear()
      this.#undurable.clear()
    }
    this.#role = role
    this.#roleSince = this.#now
    if (role !== 'stopped') instruments.roles[role].add(1)
  }

  #restoreEnded(restoreId: number, hasSucceeded: boolean): void {
    const at = this.#restores.get(restoreId)
    this.#restores.delete(restoreId)
    if (at !== undefined && hasSucceeded)
      this.#instruments.restore.record(toSeconds(this.#now - at))
  }
}
