import { type Clock, type Index, RaftError } from '@raftkit/interface'
import type { KnownLeader, Refusal } from '../../consensus/effects.ts'
import { Caller, type WaitOptions } from './caller.ts'
import { DeadlineSweep } from './deadline-sweep.ts'
import { refusalError } from './refusals.ts'
import { abortedByRestore } from './restore-refusals.ts'
import { deadlineOf } from './wait.ts'

/**
 * What a reader waits for: proof of leadership, a read index, or that index applied; by a round, or on the lease. Or, for
 * `whole`, that a snapshot which replaces the state machine is there.
 */
export type ReadKind =
  | 'leadership'
  | 'index'
  | 'applied'
  | 'index-on-lease'
  | 'applied-on-lease'
  | 'whole'

/** A proof that readers of one turn share. */
export interface ReadQuestion {
  readonly readId: number
  readonly needsIndex: boolean
  readonly onLease: boolean
}

interface Reader {
  readonly kind: ReadKind
  readonly caller: Caller<Index>
}

interface Confirmed {
  readonly index: Index
  readonly callers: readonly Caller<Index>[]
  /** When the proof was asked for. */
  readonly at: number
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
  readonly #asked = new Map<number, { readonly readers: readonly Reader[]; readonly at: number }>()
  /** This server's state holds everything that was acknowledged before this time. */
  #freshAt = -Infinity
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

  /** Resolves with the read index, 0 for `leadership` and `whole`. */
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
      if (kind === 'whole') return this.#wait({ index: 0, callers: [caller], at: -Infinity })
      this.#collected.push({ kind, caller })
      if (this.#collected.length === 1) this.#onFirst()
    })
  }

  /** The proofs that this turn's readers ask for. */
  ask(): ReadQuestion[] {
    const readers = this.#collected
    this.#collected = []
    const questions: ReadQuestion[] = []
    const at = this.#clock.now()
    for (const group of [
      readers.filter(({ kind }) => kind === 'leadership'),
      readers.filter(({ kind }) => kind === 'index' || kind === 'applied'),
      readers.filter(({ kind }) => kind.endsWith('-on-lease')),
    ]) {
      if (group.length === 0) continue
      const readId = this.#nextId++
      const { kind } = group[0]!
      this.#asked.set(readId, { readers: group, at })
      questions.push({
        readId,
        needsIndex: kind !== 'leadership',
        onLease: kind.endsWith('-on-lease'),
      })
    }
    return questions
  }

  /** Milliseconds of which this server's state is known to be no older; Infinity when nothing is known. */
  staleness(now: number): number {
    return now - this.#freshAt
  }

  /**
   * This server leads, and `index` covers everything acknowledged before the readers came. `appliedIndex` is as far as the
   * state machine is; -1 while it is being replaced.
   */
  confirmed(readId: number, index: Index, appliedIndex: Index): void {
    const asked = this.#asked.get(readId)
    if (asked === undefined) return
    this.#asked.delete(readId)
    const { readers, at } = asked
    const isApplied = appliedIndex >= index
    const waiting: Caller<Index>[] = []
    for (const { kind, caller } of readers)
      if (kind === 'leadership') this.#resolve(caller, 0)
      else if (isApplied || kind.startsWith('index')) this.#resolve(caller, index)
      else waiting.push(caller)
    if (readers[0]!.kind === 'leadership') return
    if (isApplied) this.#freshAt = Math.max(this.#freshAt, at)
    else this.#wait({ index, callers: waiting, at })
  }

  /** The proof is not to be had. */
  refused(readId: number, reason: Refusal, leader: KnownLeader | undefined): void {
    this.failed(readId, refusalError(reason, 'the read', leader))
  }

  /** As {@link refused}, for any reason. */
  failed(readId: number, error: unknown): void {
    const readers = this.#asked.get(readId)?.readers ?? []
    this.#asked.delete(readId)
    for (const { caller } of readers) this.#reject(caller, error)
  }

  /** The state machine has applied everything up to `index`. */
  applied(index: Index): void {
    while (this.#confirmed.length > 0 && this.#confirmed[0]!.index <= index) {
      const { index: readIndex, callers, at } = this.#confirmed.shift()!
      this.#freshAt = Math.max(this.#freshAt, at)
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

  /** By ascending index: answers of a leader may overtake each other. */
  #wait(confirmed: Confirmed): void {
    let place = this.#confirmed.length
    while (place > 0 && this.#confirmed[place - 1]!.index > confirmed.index) place--
    this.#confirmed.splice(place, 0, confirmed)
  }

  #reject(caller: Caller<Index>, error: unknown): void {
    this.#pending--
    caller.reject(error)
  }

  #callers(): Caller<Index>[] {
    const readers = [
      ...this.#collected,
      ...[...this.#asked.values()].flatMap((asked) => asked.readers),
    ]
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
