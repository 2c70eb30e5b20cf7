// Term and vote, saved before anything that depends on them leaves (Figure 2, "updated on stable storage before
// responding to RPCs").
import type { HardState, Index, Term } from '@raftkit/interface/protocol'
import type { DurablePoint, Effect } from '../effects.ts'
import { invariant } from '../invariant.ts'
import type { State } from './state.ts'

/** Replaces term and vote, as one write. */
export function saveHardState(state: State, hardState: HardState): void {
  const { term, votedFor } = state.hardState
  invariant(hardState.term >= term, `the term never goes back: ${hardState.term} after ${term}`)
  invariant(
    hardState.term > term || votedFor === undefined,
    `a server votes once per term (§5.2): term ${term}`,
  )
  invariant(Number.isSafeInteger(hardState.term), 'a term is a safe integer')
  if (hardState.term > term) state.leaderOfTerm = undefined
  state.hardState = hardState
  const { effects } = state
  // A new term and the vote in it, given in one step, are one write.
  const last = effects.findLastIndex((effect) => effect.type === 'save-hard-state')
  if (last < 0) state.savedSequence++
  const effect: Effect = { type: 'save-hard-state', sequence: state.savedSequence, hardState }
  if (last < 0) effects.push(effect)
  else effects[last] = effect
}

/** What a message must wait for: the newest term and vote and, if one is named, an entry. */
export function durablePoint(
  state: State,
  entry?: { readonly index: Index; readonly term: Term },
): DurablePoint | undefined {
  const isSaved = state.durableSequence >= state.savedSequence
  if (entry !== undefined) return isSaved ? { entry } : { hardState: state.savedSequence, entry }
  return isSaved ? undefined : { hardState: state.savedSequence }
}

/** A `save-hard-state` is durable. */
export function hardStateDurable(state: State, sequence: number): void {
  invariant(sequence <= state.savedSequence, `hard state ${sequence} was never saved`)
  state.durableSequence = Math.max(state.durableSequence, sequence)
}
