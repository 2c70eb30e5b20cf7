// Those who asked for a change of the membership, and what they are told.
import type { ServerId, Suffrage } from '@raftkit/interface/protocol'
import { isPlan, type MemberChange } from '../configuration/configuration-change.ts'
import type { ChangeRefusal } from '../effects.ts'
import type { Leadership, MembershipCall, State } from '../state/state.ts'

/**
 * A configuration is committed: its change is done, unless a server of it still has to catch up, or it is joint; that one
 * is done with the entry that ends the joint state.
 */
export function changeCommitted(state: State, leadership: Leadership): void {
  const { appendedChange } = leadership
  if (appendedChange === undefined || state.membership.isJoint) return
  leadership.appendedChange = undefined
  const { change } = appendedChange
  if (isPlan(change)) {
    endOvertaken(state, leadership)
    endChange(state, appendedChange)
  } else memberChanged(state, leadership, appendedChange, change)
}

function memberChanged(
  state: State,
  { stagedChanges }: Leadership,
  call: MembershipCall,
  { type, id }: MemberChange,
): void {
  const isStaged = suffrageOf(state, id) === 'staging'
  // Added as a nonvoter, a staged server has another address perhaps, and gets its vote all the same.
  if (isStaged && type !== 'stage-voter') return endChange(state, call)
  const earlier = stagedChanges.get(id)
  stagedChanges.delete(id)
  if (earlier !== undefined && earlier !== call) refuseChange(state, earlier, 'superseded', false)
  if (isStaged) stagedChanges.set(id, call)
  else endChange(state, call)
}

/** A plan is carried out: servers that were staged by other calls may have their vote now, or have lost their place. */
function endOvertaken(state: State, { stagedChanges }: Leadership): void {
  for (const [id, call] of stagedChanges) {
    const suffrage = suffrageOf(state, id)
    if (suffrage === 'staging') continue
    stagedChanges.delete(id)
    if (suffrage === 'voter') endChange(state, call)
    else refuseChange(state, call, 'superseded', false)
  }
}

/** Leadership is over: what waits is not made, what is appended may be made by the next leader. */
export function orphanChanges(
  state: State,
  { changes, plans, appendedChange, stagedChanges }: Leadership,
  reason: 'leadership-lost' | 'stopped',
): void {
  for (const call of [...changes, ...plans.map(({ call }) => call)])
    refuseChange(state, call, reason, false)
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
  server?: ServerId,
): void {
  const { index } = state.membership.latest
  const refused = { type: 'change-refused', changeId, reason, isAppended, index } as const
  state.effects.push(server === undefined ? refused : { ...refused, server })
}

function endChange(state: State, { changeId }: MembershipCall): void {
  const { index } = state.membership.committed
  state.effects.push({ type: 'change-ended', changeId, index })
}

function suffrageOf(state: State, id: ServerId): Suffrage | undefined {
  return state.membership.find(id)?.suffrage
}
