import { eventList, lift, unlift, type CallEvent } from './event-list.ts'
import type { Operation, SequentialModel } from './history.ts'
import { SeenStates } from './seen-states.ts'
import { transcriptOf } from './transcript.ts'

/** How far the checker goes. */
export interface CheckLimits {
  /**
   * Steps of the search, over all parts together; beyond them the verdict is `unknown`. What easy parts leave goes to the
   * hard ones. Default 5,000,000.
   */
  readonly maxSteps?: number
  /** Situations of one part that are remembered, which take memory; beyond them too. Default 1,000,000. */
  readonly maxStates?: number
}

/** What the checker says of a history. */
export type Verdict =
  | { readonly result: 'linearizable' }
  /** Not decided within the limits. Never to be taken for "linearizable". */
  | { readonly result: 'unknown'; readonly part: string }
  | {
      readonly result: 'not linearizable'
      readonly part: string
      /** The part's operations in the order of their calls, with the longest order that explains any of them. */
      readonly transcript: string
    }

const DEFAULT_MAX_STEPS = 5_000_000
const DEFAULT_MAX_STATES = 1_000_000

/**
 * Decides whether some order of the operations explains every answer, such that an operation that had ended before
 * another one began comes before it (Herlihy and Wing). The search is Wing and Gong's with Lowe's memoisation, each
 * part of the object by itself. An operation of unknown outcome may have happened at any time after its call, or never.
 *
 * Leave failed operations out, and put those that never ended in as unknown: a history without them may be rejected
 * wrongly. The work grows steeply with the operations of one part that overlap: a few hundred operations per part are
 * quick, however many parts there are. Throws `RangeError` for an operation that returns before it is called.
 */
export function checkLinearizability<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  limits: CheckLimits = {},
): Verdict {
  const { maxSteps = DEFAULT_MAX_STEPS, maxStates = DEFAULT_MAX_STATES } = limits
  let stepsLeft = maxSteps
  let pending = [...partsOf(model, history)]
  // A part that is too hard must not keep the others from being judged: in each round every part may take an equal share,
  // and what easy parts leave goes to the hard ones, which begin again.
  for (let lastShare = 0; pending.length > 0;) {
    const share = Math.floor(stepsLeft / pending.length)
    if (share < 2 * lastShare || share === 0) break
    lastShare = share
    const undecided: typeof pending = []
    for (const [part, operations] of pending) {
      const search = new Search(model, operations, { steps: share, states: maxStates })
      const found = search.run()
      stepsLeft -= search.steps
      if (found === 'undecided') undecided.push([part, operations])
      if (found === 'no')
        return {
          result: 'not linearizable',
          part,
          transcript: transcriptOf(model, operations, search.longest),
        }
    }
    pending = undecided
  }
  const [undecided] = pending
  return undecided === undefined
    ? { result: 'linearizable' }
    : { result: 'unknown', part: undecided[0] }
}

function partsOf<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): Map<string, Operation<Input, Output>[]> {
  const parts = new Map<string, Operation<Input, Output>[]>()
  for (const operation of history) {
    const { calledAt, returnedAt = Infinity } = operation
    if (!(calledAt <= returnedAt))
      throw new RangeError(
        `an operation of ${operation.client} is called at ${calledAt} and returns at ${returnedAt}, which is no order`,
      )
    const part = model.partOf?.(operation.input) ?? ''
    const operations = parts.get(part)
    if (operations === undefined) parts.set(part, [operation])
    else operations.push(operation)
  }
  for (const operations of parts.values()) operations.sort((a, b) => a.calledAt - b.calledAt)
  return parts
}

class Search<State, Input, Output> {
  /** The longest order that had to be given up, as positions in the operations. */
  longest: readonly number[] = []
  /** Steps taken. */
  steps = 0
  readonly #model: SequentialModel<State, Input, Output>
  readonly #operations: readonly Operation<Input, Output>[]
  readonly #limits: { readonly steps: number; readonly states: number }
  readonly #head: CallEvent
  readonly #stack: { readonly call: CallEvent; readonly state: State }[] = []
  readonly #seen: SeenStates
  #returnsLeft: number

  constructor(
    model: SequentialModel<State, Input, Output>,
    operations: readonly Operation<Input, Output>[],
    limits: { readonly steps: number; readonly states: number },
  ) {
    this.#model = model
    this.#operations = operations
    this.#limits = limits
    this.#head = eventList(operations)
    this.#seen = new SeenStates(operations.length)
    this.#returnsLeft = operations.filter(({ returnedAt }) => returnedAt !== undefined).length
  }

  run(): 'yes' | 'no' | 'undecided' {
    let state = this.#model.initial
    let event = this.#head.next
    // What is left at the end are operations of unknown outcome, which need not have happened.
    while (this.#returnsLeft > 0) {
      const { steps, states } = this.#limits
      if (this.steps >= steps || this.#seen.size >= states) return 'undecided'
      this.steps++
      if (event?.isCall === true) {
        const next = this.#tryCall(state, event)
        if (next === undefined) {
          event = event.next
          continue
        }
        this.#push(event, state)
        state = next.state
        event = this.#head.next
        continue
      }
      // A return whose operation has no place yet, or the end: the last decision was wrong.
      const last = this.#pop()
      if (last === undefined) return 'no'
      state = last.state
      event = last.call.next
    }
    return 'yes'
  }

  #tryCall(state: State, { operation }: CallEvent): { readonly state: State } | undefined {
    const { input, output } = this.#operations[operation]!
    const next = this.#model.step(state, input, output)
    if (next === undefined) return undefined
    this.#seen.flip(operation)
    const isNew = this.#seen.add(this.#keyOf(next.state))
    this.#seen.flip(operation)
    return isNew ? next : undefined
  }

  #push(call: CallEvent, state: State): void {
    this.#stack.push({ call, state })
    this.#seen.flip(call.operation)
    if (call.matching !== undefined) this.#returnsLeft--
    lift(call)
  }

  #pop(): { readonly call: CallEvent; readonly state: State } | undefined {
    if (this.#stack.length > this.longest.length)
      this.longest = this.#stack.map(({ call }) => call.operation)
    const step = this.#stack.pop()
    if (step === undefined) return undefined
    this.#seen.flip(step.call.operation)
    if (step.call.matching !== undefined) this.#returnsLeft++
    unlift(step.call)
    return step
  }

  #keyOf(state: State): string {
    return this.#model.stateKey?.(state) ?? JSON.stringify(state)
  }
}
