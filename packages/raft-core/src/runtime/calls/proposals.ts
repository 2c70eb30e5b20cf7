import {
  type Clock,
  type EntryBatch,
  type Index,
  type LogType,
  RaftError,
  type Term,
} from '@raftkit/interface'
import { encodeEntries, type EntryInput } from '@raftkit/wire'
import { Admission, type AdmissionLimits } from './admission.ts'
import { Caller, type WaitOptions } from './caller.ts'
import { CommandArena } from './command-arena.ts'
import { DeadlineSweep } from './deadline-sweep.ts'
import { leadershipLost, withOutcome } from './refusals.ts'
import { abortedByRestore } from './restore-refusals.ts'
import { deadlineOf } from './wait.ts'

/** Bytes of commands encoded in one turn; the rest come with the next. */
const MAX_TURN_BYTES = 4 * 1024 * 1024

/** What became of a command. */
export interface ApplyResult<R> {
  readonly index: Index
  readonly term: Term
  /** What the state machine returned; undefined for a barrier. */
  readonly response: R
}

/** Callers of commands that were appended together: the one at `position` waits for `firstIndex + position`. */
interface Group<R> {
  readonly firstIndex: Index
  readonly term: Term
  readonly callers: readonly Caller<ApplyResult<R>>[]
}

/**
 * Commands on their way: admitted, appended, applied. All commands of a turn are offered to consensus at once and
 * encoded once; a caller is matched to its entry by index *and* term, so that it never gets another entry's answer.
 */
export class Proposals<R> {
  readonly admission: Admission
  readonly #clock: Clock
  readonly #arena = new CommandArena()
  readonly #deadlines: DeadlineSweep
  readonly #onFirst: () => void
  #inputs: EntryInput[] = []
  #callers: Caller<ApplyResult<R>>[] = []
  #offeredInputs: EntryInput[] = []
  #offeredCallers: Caller<ApplyResult<R>>[] = []
  #groups: Group<R>[] = []

  /** `backlog` tells the bytes that wait for the disk; `onFirst` is called when the first command of a turn comes in. */
  constructor(clock: Clock, limits: AdmissionLimits, backlog: () => number, onFirst: () => void) {
    this.#clock = clock
    this.#onFirst = onFirst
    this.admission = new Admission(clock, limits, backlog)
    this.#deadlines = new DeadlineSweep(clock, (now) => this.#expire(now))
  }

  /** True while somebody waits for an appended entry. */
  get hasAppended(): boolean {
    return this.#groups.length > 0
  }

  /** Admits one entry of the next turn. The bytes are copied. Throws when it is refused. */
  submit(
    type: LogType,
    data: Uint8Array,
    extensions: Uint8Array | undefined,
    options: WaitOptions | undefined,
  ): Promise<ApplyResult<R>> {
    const deadline =
      options?.timeoutMs === undefined ? Infinity : deadlineOf(options, this.#clock.now())
    const weight = this.admission.take(data.length + (extensions?.length ?? 0))
    return new Promise<ApplyResult<R>>((resolve, reject) => {
      const caller = new Caller<ApplyResult<R>>({
        resolve,
        reject,
        subject: 'the command',
        deadline,
        signal: options?.signal,
        weight,
        outcome: 'not-committed',
      })
      this.#enqueue(caller, type, data, extensions)
    })
  }

  /** Starts a turn's offer to consensus: the number of entries that somebody still wants. */
  offer(): number {
    if (this.#callers.length === 0) return 0
    if (this.#callers.some((caller) => caller.settled)) this.#withdraw()
    const count = this.#countOfTurn()
    this.#offeredCallers = this.#callers.splice(0, count)
    this.#offeredInputs = this.#inputs.splice(0, count)
    if (this.#callers.length > 0) this.#onFirst()
    return count
  }

  /** Encodes the oldest `count` offered entries as one batch; from now on their outcome is open. */
  append(firstIndex: Index, count: number, term: Term): EntryBatch {
    const inputs = this.#offeredInputs.splice(0, count)
    const callers = this.#offeredCallers.splice(0, count)
    if (inputs.length !== count)
      throw new RaftError(
        'RAFT_INVARIANT_VIOLATED',
        `${count} proposals were to be appended, ${inputs.length} are there`,
      )
    const batch = encodeEntries(firstIndex, term, inputs, this.#clock.wallTime())
    for (const caller of callers) caller.outcome = 'unknown'
    this.#groups.push({ firstIndex, term, callers })
    this.#emptyArena()
    return batch
  }

  /** The oldest `count` offered entries will never be appended. */
  refuse(count: number, error: RaftError): void {
    this.#offeredInputs.splice(0, count)
    this.#rejectAll(this.#offeredCallers.splice(0, count), error)
    this.#emptyArena()
  }

  /** Leadership is over: entries after `committed` may or may not be committed by others. */
  orphan(committed: Index): void {
    const error = leadershipLost('unknown')
    const kept: Group<R>[] = []
    for (const group of this.#groups) {
      const keep = Math.max(0, Math.min(group.callers.length, committed - group.firstIndex + 1))
      if (keep > 0) kept.push({ ...group, callers: group.callers.slice(0, keep) })
      this.#rejectAll(group.callers.slice(keep), error)
    }
    this.#groups = kept
  }

  /** The state machine has applied the entries `from .. to` of the batch; `responses` starts with that of `from`. */
  applied(batch: EntryBatch, from: Index, to: Index, responses: readonly (R | undefined)[]): void {
    let done = 0
    for (const [position, group] of this.#groups.entries()) {
      if (group.firstIndex > to) break
      const last = this.#answer(group, batch, from, to, responses)
      const rest = group.callers.slice(last - group.firstIndex + 1)
      if (rest.length > 0) {
        this.#groups[position] = { firstIndex: last + 1, term: group.term, callers: rest }
        break
      }
      done++
    }
    if (done > 0) this.#groups.splice(0, done)
  }

  /** A restore replaces the state before their responses are known. Entries up to `committed` took effect before it. */
  aborted(committed: Index): void {
    for (const { firstIndex, callers } of this.#groups.splice(0))
      for (const [position, caller] of callers.entries())
        this.#rejectAll(
          [caller],
          abortedByRestore(firstIndex + position <= committed ? 'committed' : 'unknown'),
        )
  }

  /** The state machine moved past these entries by a snapshot: their responses are not to be had. */
  skipped(to: Index): void {
    const error = leadershipLost('unknown')
    while (this.#groups.length > 0 && this.#groups[0]!.firstIndex <= to)
      this.#rejectAll(this.#groups.shift()!.callers, error)
  }

  /** Ends every wait; `error` says why, without an outcome. Entries up to `committed` took effect all the same. */
  close(error: RaftError, committed: Index): void {
    this.#deadlines.close()
    this.admission.refuseWaiting(withOutcome(error, 'not-committed'))
    const refused = withOutcome(error, 'not-committed')
    this.#rejectAll(this.#callers.splice(0), refused)
    this.#rejectAll(this.#offeredCallers.splice(0), refused)
    this.#inputs = []
    this.#offeredInputs = []
    for (const group of this.#groups.splice(0))
      for (const [position, caller] of group.callers.entries()) {
        const isCommitted = group.firstIndex + position <= committed
        this.#rejectAll([caller], withOutcome(error, isCommitted ? 'committed' : 'unknown'))
      }
  }

  #enqueue(
    caller: Caller<ApplyResult<R>>,
    type: LogType,
    data: Uint8Array,
    extensions: Uint8Array | undefined,
  ): void {
    if (caller.settled) {
      this.admission.release(1, caller.weight)
      return
    }
    const copy = this.#arena.copy(data)
    this.#inputs.push(
      extensions === undefined || extensions.length === 0
        ? { type, data: copy }
        : { type, data: copy, extensions: this.#arena.copy(extensions) },
    )
    this.#callers.push(caller)
    if (caller.deadline !== Infinity) this.#deadlines.note(caller.deadline)
    if (this.#callers.length === 1) this.#onFirst()
  }

  /** Returns the last index of the group that is now answered. */
  #answer(
    group: Group<R>,
    batch: EntryBatch,
    from: Index,
    to: Index,
    responses: readonly (R | undefined)[],
  ): Index {
    const { firstIndex, term, callers } = group
    const last = Math.min(to, firstIndex + callers.length - 1)
    let weight = 0
    for (let index = firstIndex; index <= last; index++) {
      const caller = callers[index - firstIndex]!
      weight += caller.weight
      if (index >= from && batch.termAt(index) === term)
        caller.resolve({ index, term, response: responses[index - from] as R })
      else caller.reject(leadershipLost('not-committed'))
    }
    this.admission.release(last - firstIndex + 1, weight)
    return last
  }

  /** How many commands fit into one turn: encoding more would hold up the event loop. */
  #countOfTurn(): number {
    let bytes = 0
    let count = 0
    for (const { weight } of this.#callers) {
      bytes += weight
      if (count > 0 && bytes > MAX_TURN_BYTES) break
      count++
    }
    return count
  }

  #withdraw(): void {
    const inputs: EntryInput[] = []
    const callers: Caller<ApplyResult<R>>[] = []
    for (const [position, caller] of this.#callers.entries()) {
      if (caller.settled) this.admission.release(1, caller.weight)
      else {
        inputs.push(this.#inputs[position]!)
        callers.push(caller)
      }
    }
    this.#inputs = inputs
    this.#callers = callers
  }

  #rejectAll(callers: readonly Caller<ApplyResult<R>>[], error: RaftError): void {
    let weight = 0
    for (const caller of callers) {
      weight += caller.weight
      caller.reject(error)
    }
    if (callers.length > 0) this.admission.release(callers.length, weight)
  }

  #emptyArena(): void {
    if (this.#inputs.length === 0 && this.#offeredInputs.length === 0) this.#arena.reset()
  }

  #expire(now: number): number {
    let next = Infinity
    const look = (caller: Caller<ApplyResult<R>>): void => {
      if (caller.settled) return
      caller.expire(now)
      if (!caller.settled && caller.deadline < next) next = caller.deadline
    }
    for (const caller of this.#callers) look(caller)
    for (const group of this.#groups) for (const caller of group.callers) look(caller)
    return next
  }
}
