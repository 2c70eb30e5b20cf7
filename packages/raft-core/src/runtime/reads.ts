import { type Clock, type Index, RaftError } from '@raftkit/interface'
import type { KnownLeader, Refusal } from '../consensus/effects.ts'
import type { ConsensusEvent } from '../consensus/events.ts'
import { Caller, type WaitOptions } from './caller.ts'
import { DeadlineSweep } from './deadline-sweep.ts'
import { refusalError } from './refusals.ts'
import { abortedByRestore } from './restore-refusals.ts'
import { deadlineOf } from './wait.ts'

/** What a reader waits for: proof of leadership, a read index, or that index applied. */
export type ReadKind = 'leadership' | 'index' | 'applied'

interface Reader {
  readonly kind: ReadKind
  readonly caller: Caller<Index>
}

interface Confirmed {
  readonly index: Index
  readonly callers: readonly Caller<Index>[]
}

/**
 * Linearizable reads (dissertation §6.4): all readers of a turn share one proof of leadership. The proof is asked for
 * after they have come, so it covers every command that was acknowledged before.
 */
export class Reads {
  readonly #clock: Clock
  readonly #maxPending: number
  readonly #onFirst: () => void
  readonly #deadlines: DeadlineSweep
  #collected: Reader[] = []
  readonly #asked = new Map<number, readonly Reader[]>()
  /** Confirmed and waiting for the state machine, by ascending index. */
  readonly #confirmed: Confirmed[] = []
  #pending = 0
  #nextId = 1

  /** `onFirst` is called when the first reader of a turn comes. */
  constructor(clock: Clock, maxPending: number, onFirst: () => void) {
    this.#clock = clock
    this.#maxPending = maxPending
    this.#onFirst = onFirst
    this.#deadlines = new DeadlineSweep(clock, (now) => this.#expire(now))
  }

  /** Readers that wait. */
  get pending(): number {
    return this.#pending
  }

  /** Resolves with the read index, 0 for `leadership`. */
  request(kind: ReadKind, options: WaitOptions | undefined): Promise<Index> {
    return new Promise<Index>((resolve, reject) => {
      const deadline =
        options?.timeoutMs === undefined ? Infinity : deadlineOf(options, this.#clock.now())
      if (this.#pending >= this.#maxPending)
        throw new RaftError('RAFT_OVERLOADED', 'too many reads are waiting: try again later', {
          retryable: true,
          details: { pendingReads: this.#pending },
        })
      const caller = new Caller<Index>({
        resolve,
        reject,
        subject: 'the read',
        deadline,
        signal: options?.signal,
        weight: 0,
      })
      if (caller.settled) return
      this.#pending++
      if (deadline !== Infinity) this.#deadlines.note(deadline)
      this.#collected.push({ kind, caller })
      if (this.#collected.length === 1) this.#onFirst()
    })
  }

  /** The events that ask for the proofs of this turn's readers. */
  ask(): ConsensusEvent[] {
    const readers = this.#collected
    this.#collected = []
    const events: ConsensusEvent[] = []
    for (const needsIndex of [false, true]) {
      const group = readers.filter(({ kind }) => (kind !== 'leadership') === needsIndex)
      if (group.length === 0) continue
      const readId = this.#nextId++
      this.#asked.set(readId, group)
      events.push({ type: 'read-requested', readId, needsIndex })
    }
    return events
  }

  /** This server leads, and `index` covers everything acknowledged before the readers came. */
  confirmed(readId: number, index: Index, appliedIndex: Index): void {
    const readers = this.#asked.get(readId) ?? []
    this.#asked.delete(readId)
    const waiting: Caller<Index>[] = []
    for (const { kind, caller } of readers)
      if (kind === 'applied' && appliedIndex < index) waiting.push(caller)
      else this.#resolve(caller, kind === 'leadership' ? 0 : index)
    if (waiting.length > 0) this.#confirmed.push({ index, callers: waiting })
  }

  /** The proof is not to be had. */
  refused(readId: number, reason: Refusal, leader: KnownLeader | undefined): void {
    const readers = this.#asked.get(readId) ?? []
    this.#asked.delete(readId)
    const error = refusalError(reason, 'the read', leader)
    for (const { caller } of readers) this.#reject(caller, error)
  }

  /** The state machine has applied everything up to `index`. */
  applied(index: Index): void {
    while (this.#confirmed.length > 0 && this.#confirmed[0]!.index <= index) {
      const { index: readIndex, callers } = this.#confirmed.shift()!
      for (const caller of callers) this.#resolve(caller, readIndex)
    }
  }

  /** A restore replaces the state that confirmed readers wait for, and is not committed itself. */
  aborted(): void {
    for (const { callers } of this.#confirmed.splice(0))
      for (const caller of callers) this.#reject(caller, abortedByRestore(undefined))
  }

  /** Ends every wait. */
  close(error: RaftError): void {
    this.#deadlines.close()
    for (const caller of this.#callers()) this.#reject(caller, error)
    this.#collected = []
    this.#asked.clear()
    this.#confirmed.length = 0
  }

  #resolve(caller: Caller<Index>, index: Index): void {
    this.#pending--
    caller.resolve(index)
  }

  #reject(caller: Caller<Index>, error: RaftError): void {
    this.#pending--
    caller.reject(error)
  }

  #callers(): Caller<Index>[] {
    const readers = [...this.#collected, ...[...this.#asked.values()].flat()]
    return [
      ...readers.map(({ caller }) => caller),
      ...this.#confirmed.flatMap(({ callers }) => callers),
    ]
  }

  #expire(now: number): number {
    let next = Infinity
    for (const caller of this.#callers()) {
      if (caller.settled) continue
      caller.expire(now)
      if (!caller.settled) next = Math.min(next, caller.deadline)
    }
    return next
  }
}
