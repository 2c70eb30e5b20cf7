import { type Clock, type Index, RaftError } from '@raftkit/interface'
import type { ConfigurationChange } from '../../consensus/configuration/configuration-change.ts'
import type { Effect, KnownLeader } from '../../consensus/effects.ts'
import type { ConsensusEvent } from '../../consensus/events.ts'
import type { Caller, WaitOptions } from './caller.ts'
import { changeRefused } from './change-refusals.ts'
import { withOutcome } from './refusals.ts'
import { waitFor } from './wait.ts'

/** Membership calls at one time. They are carried out one after the other. */
const MAX_PENDING = 64

/** Limits of a call that changes the membership. */
export interface MembershipOptions extends WaitOptions {
  /**
   * Index of the configuration that the change is meant for: with another one in force, the call rejects with
   * `RAFT_CONFIGURATION_CHANGED`. Default: any.
   */
  readonly prevIndex?: Index
}

/** Where the membership stands after a change. */
export interface MembershipResult {
  /** Index of the committed configuration that has the change. */
  readonly index: Index
}

type ChangeRequested = Extract<ConsensusEvent, { type: 'change-requested' }>

interface PendingChange {
  readonly change: ConfigurationChange
  readonly caller: Caller<MembershipResult>
}

/** Callers that wait for a change of the membership (§6). */
export class MembershipChanges {
  readonly #clock: Clock
  readonly #onAsked: () => void
  readonly #submit: (event: ConsensusEvent) => void
  readonly #pending = new Map<number, PendingChange>()
  #events: ChangeRequested[] = []
  #nextId = 1

  /** `onAsked` is called for every request; {@link events} then has one more. */
  constructor(clock: Clock, onAsked: () => void, submit: (event: ConsensusEvent) => void) {
    this.#clock = clock
    this.#onAsked = onAsked
    this.#submit = submit
  }

  /** Resolves when the change is committed; for a staged server, when it has its vote. */
  request(
    change: ConfigurationChange,
    { prevIndex = 0, ...options }: MembershipOptions,
  ): Promise<MembershipResult> {
    if (this.#pending.size >= MAX_PENDING)
      return Promise.reject(
        new RaftError('RAFT_OVERLOADED', 'too many membership changes are waiting', {
          retryable: true,
          outcome: 'not-committed',
        }),
      )
    const changeId = this.#nextId++
    const waiting = waitFor<MembershipResult>(
      this.#clock,
      'the membership change',
      options,
      (caller) => {
        caller.outcome = 'not-committed'
        this.#pending.set(changeId, { change, caller })
        this.#events.push({ type: 'change-requested', changeId, change, prevIndex })
        this.#onAsked()
      },
    )
    waiting.catch(() => this.#withdraw(changeId))
    return waiting
  }

  /** The requests of this turn. They come after its commands, which were there first or at the same time. */
  events(): readonly ConsensusEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }

  /** The change is in the log: from now on its outcome is open. */
  appended(changeId: number): void {
    const pending = this.#pending.get(changeId)
    if (pending !== undefined) pending.caller.outcome = 'unknown'
  }

  ended(changeId: number, index: Index): void {
    this.#take(changeId)?.caller.resolve({ index })
  }

  refused(
    effect: Extract<Effect, { type: 'change-refused' }>,
    leader: KnownLeader | undefined,
  ): void {
    const pending = this.#take(effect.changeId)
    pending?.caller.reject(changeRefused(effect, pending.change, leader))
  }

  close(error: RaftError): void {
    for (const { caller } of this.#pending.values())
      caller.reject(withOutcome(error, caller.outcome))
    this.#pending.clear()
  }

  #take(changeId: number): PendingChange | undefined {
    const pending = this.#pending.get(changeId)
    this.#pending.delete(changeId)
    return pending
  }

  /** The caller stopped waiting by itself. What consensus has not been asked for yet, it never is. */
  #withdraw(changeId: number): void {
    if (this.#take(changeId) === undefined) return
    const events = this.#events.filter((event) => event.changeId !== changeId)
    const isAsked = events.length === this.#events.length
    this.#events = events
    if (isAsked) this.#submit({ type: 'change-withdrawn', changeId })
  }
}
