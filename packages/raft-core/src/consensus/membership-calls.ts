// Those who asked for a change of the membership, and what they are told.
import type { ServerId, Suffrage } from '@raftkit/interface/protocol'
import type { ChangeRefusal } from './effects.ts'
import type { Leadership, MembershipCall, State } from './state.ts'

/** A configuration is committed: its change is done, unless a server of it still has to catch up. */
export function changeCommitted(state: State, leadership: Leadership): void {
  const { appendedChange, stagedChanges } = leadership
  leadership.appendedChange = undefined
  if (appendedChange !== undefined) {
    const { type, id } = appendedChange.change
    const earlier = stagedChanges.get(id)
    stagedChanges.delete(id)
    if (earlier !== undefined && earlier !== appendedChange)
      refuseChange(state, earlier, 'superseded', false)
    if (type === 'stage-voter' && suffrageOf(state, id) === 'staging')
      stagedChanges.set(id, appendedChange)
    else endChange(state, appendedChange)
  }
}

/** Leadership is over: what waits is not made, what is appended may be made by the next leader. */
export function orphanChanges(
  state: State,
  { changes, appendedChange, stagedChanges }: Leadership,
  reason: 'leadership-lost' | 'stopped',
): void {
  for (const call of changes) refuseChange(state, call, reason, false)
  if (appendedChange !== undefined) refuseChange(state, appendedChange, reason, true)
  for (const call of stagedChanges.values())
    if (call !== appendedChange) refuseChange(state, call, reason, true)
}

/** Tells the caller that the change is not made; `isAppended`: not by this leader. */
export function refuseChange(
  state: State,
  { changeId }: MembershipCall,
  reason: ChangeRefusal,
  isAppended: boolean,
): void {
  const { index } = state.membership.latest
  state.effects.push({ type: 'change-refused', changeId, reason, isAppended, index })
}

function endChange(state: State, { changeId }: MembershipCall): void {
  const { index } = state.membership.committed
  state.effects.push({ type: 'change-ended', changeId, index })
}

function suffrageOf(state: State, id: ServerId): Suffrage | undefined {
  return state.membership.find(id)?.suffrage
}
