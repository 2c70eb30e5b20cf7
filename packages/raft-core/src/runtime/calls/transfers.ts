import { type Clock, RaftError, type ServerId } from '@raftkit/interface'
import type { KnownLeader, Refusal } from '../../consensus/effects.ts'
import type { ConsensusEvent } from '../../consensus/events.ts'
import type { Caller, WaitOptions } from './caller.ts'
import { refusalError } from './refusals.ts'
import { waitFor } from './wait.ts'

/** Requests for a leadership transfer at one time; consensus carries out one of them and refuses the others. */
const MAX_PENDING = 64

type TransferRequest = Extract<ConsensusEvent, { type: 'transfer-requested' }>

/** Callers that wait for a leadership transfer (dissertation §3.10). */
export class Transfers {
  readonly #clock: Clock
  readonly #onAsked: () => void
  readonly #pending = new Map<number, Caller<void>>()
  #events: TransferRequest[] = []
  #nextId = 1

  /** `onAsked` is called for every request; {@link events} then has one more. */
  constructor(clock: Clock, onAsked: () => void) {
    this.#clock = clock
    this.#onAsked = onAsked
  }

  /** Resolves when leadership has left this server. */
  request(target: ServerId | undefined, options: WaitOptions | undefined): Promise<void> {
    if (this.#pending.size >= MAX_PENDING)
      return Promise.reject(
        new RaftError('RAFT_OVERLOADED', 'too many leadership transfers are waiting', {
          retryable: true,
        }),
      )
    return waitFor<void>(this.#clock, 'the leadership transfer', options, (caller) => {
      const transferId = this.#nextId++
      this.#pending.set(transferId, caller)
      const type = 'transfer-requested'
      this.#events.push(target === undefined ? { type, transferId } : { type, transferId, target })
      this.#onAsked()
    })
  }

  /**
   * The requests of this turn, but for those that were given up in it. They come after its commands, which were there first
   * or at the same time.
   */
  events(): ConsensusEvent[] {
    const events = this.#events
    this.#events = []
    return events.filter(({ transferId }) => {
      if (this.#pending.get(transferId)?.settled === false) return true
      this.#pending.delete(transferId)
      return false
    })
  }

  /** A transfer ended: leadership left, or `refusal` says why not. */
  ended(transferId: number, refusal: Refusal | undefined, leader: KnownLeader | undefined): void {
    const caller = this.#pending.get(transferId)
    this.#pending.delete(transferId)
    if (refusal === undefined) caller?.resolve()
    else caller?.reject(refusalError(refusal, 'the leadership transfer', leader))
  }

  close(error: RaftError): void {
    for (const caller of this.#pending.values()) caller.reject(error)
    this.#pending.clear()
  }
}
