// The way of a proposal through consensus: admitted, appended, applied (§5.3).
import type { Index } from '@raftkit/interface/protocol'
import type { Refusal } from '../effects.ts'
import { isRestoring } from './restore.ts'
import type { State } from '../state/state.ts'

/** Appends `count` proposals to the log of the leader. They are sent when the turn ends. */
export function propose(state: State, count: number): void {
  if (count === 0) return
  const refusal = refusalOf(state)
  if (refusal !== undefined) {
    state.effects.push({ type: 'proposals-refused', count, reason: refusal })
    return
  }
  const { log } = state
  const { term } = state.hardState
  const firstIndex = log.lastIndex + 1
  log.append(count, term)
  state.effects.push({ type: 'append-proposals', firstIndex, count, term })
}

/** The state machine has applied everything up to `index`. */
export function applied(state: State, index: Index): void {
  state.appliedIndex = Math.max(state.appliedIndex, index)
}

function refusalOf({ leadership }: State): Refusal | undefined {
  if (leadership === undefined) return 'not-leader'
  // A leader that leaves the membership appends nothing that it could not see committed (dissertation §4.2.2).
  if (!leadership.voters.selfVotes) return 'transfer-in-progress'
  if (isRestoring(leadership)) return 'restore-in-progress'
  // The target of a transfer must be able to catch up (dissertation §3.10).
  return leadership.transfer === undefined ? undefined : 'transfer-in-progress'
}
