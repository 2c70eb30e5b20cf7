// Changes of the membership (§6, dissertation §4.1): one is appended at a time, and none before this leader has
// committed an entry of its own term, or two majorities without a common server could decide.
import type { Configuration, Server } from '@raftkit/interface/protocol'
import { hasCaughtUp } from './catch-up.ts'
import { configurationChanged } from '../replication/commitment.ts'
import {
  faultsOf,
  isPlan,
  type MemberChange,
  nextConfiguration,
} from '../configuration/configuration-change.ts'
import { dropDeparted } from '../leadership/departure.ts'
import { withDisks } from '../election/disk-identity.ts'
import type { ChangeRefusal } from '../effects.ts'
import { endOfJoint, nextOfPlans } from './joint-change.ts'
import { followConfiguration } from '../election/leadership.ts'
import { refuseChange } from '../calls/membership-calls.ts'
import { mustCatchUp } from '../leadership/raftkit-peers.ts'
import type { Leadership, MembershipCall, State } from '../state/state.ts'

/** The `changeId` of what the leader does by itself. */
const NOBODY = 0

/** A caller asks for a change. It waits until the change before it is committed. */
export function requestChange(state: State, call: MembershipCall): void {
  const { leadership } = state
  if (leadership === undefined) refuseChange(state, call, 'not-leader', false)
  else leadership.changes.push(call)
}

/**
 * Nobody waits for the change any more: it is not begun, and servers that catch up for it get no vote. One of several
 * members that is appended goes on: the joint state is left by its end, and by nothing else.
 */
export function withdrawChange(state: State, changeId: number): void {
  const { leadership } = state
  if (leadership === undefined) return
  const { changes, appendedChange, stagedChanges } = leadership
  leadership.changes = changes.filter((call) => call.changeId !== changeId)
  leadership.plans = leadership.plans.filter(({ call }) => call.changeId !== changeId)
  for (const call of [appendedChange, ...stagedChanges.values()]) {
    if (call?.changeId !== changeId || call.change.type !== 'stage-voter') continue
    const change = { type: 'unstage', id: call.change.id } as const
    leadership.changes.unshift({ changeId: NOBODY, change, prevIndex: 0 })
    return
  }
}

/** Begins the next change when the one before it is done; lets go of servers that know of their removal. */
export function advanceMembership(state: State, leadership: Leadership): void {
  dropDeparted(state, leadership)
  if (leadership.transfer !== undefined || !leadership.voters.selfVotes) {
    const isOwn = ({ changeId }: MembershipCall): boolean => changeId === NOBODY
    for (const call of leadership.changes)
      if (!isOwn(call)) refuseChange(state, call, 'transfer-in-progress', false)
    // What nobody can ask for again waits for the end of the transfer.
    leadership.changes = leadership.changes.filter(isOwn)
  } else if (mayChange(state, leadership) && !advanceJoint(state, leadership)) {
    while (leadership.changes.length > 0)
      if (begin(state, leadership, leadership.changes.shift()!)) return
    if (!promoteStaged(state, leadership)) recordDisks(state, leadership)
  }
}

/** Ends a joint state, or gets on with a change of several members. False when there is nothing to append for that. */
function advanceJoint(state: State, leadership: Leadership): boolean {
  const next = endOfJoint(state, leadership) ?? nextOfPlans(state, leadership)
  if (next === undefined) return false
  appendConfiguration(
    state,
    leadership,
    withDisks(state, leadership, next.configuration),
    next.call,
  )
  return true
}

function mayChange(state: State, { firstIndex, restore }: Leadership): boolean {
  const { latest, committed } = state.membership
  // A restore belongs to the configuration that it began with.
  if (restore !== undefined) return false
  return latest.index === committed.index && state.commitIndex >= firstIndex
}

/** False when nothing is appended: the change is refused, or waits. */
function begin(state: State, leadership: Leadership, call: MembershipCall): boolean {
  const { configuration, index } = state.membership.latest
  if (call.prevIndex > 0 && call.prevIndex !== index) {
    refuseChange(state, call, 'configuration-changed', false)
    return false
  }
  const { change } = call
  if (isPlan(change)) {
    leadership.plans.push({ call: { ...call, change }, hasBegun: false })
    return advanceJoint(state, leadership)
  }
  const refusal = refusalOf(configuration, change)
  if (refusal === undefined) appendAsked(state, leadership, change, call)
  else refuseChange(state, call, refusal, false)
  return refusal === undefined
}

/** A vote that is asked for at once waits all the same while the server might be needed and not be served. */
function appendAsked(
  state: State,
  leadership: Leadership,
  asked: MemberChange,
  call: MembershipCall,
): void {
  const isStaged = asked.type === 'add-voter' && mustCatchUp(state, leadership, asked.id)
  const change = isStaged ? ({ ...asked, type: 'stage-voter' } as const) : asked
  append(state, leadership, change, { ...call, change })
}

function refusalOf(configuration: Configuration, change: MemberChange): ChangeRefusal | undefined {
  const next = nextConfiguration(configuration, change)
  return next === undefined ? 'unknown-server' : faultsOf(next)[0]?.problem
}

/** Gives a staged server that has caught up its vote, whoever staged it: the wish is in the log. */
function promoteStaged(state: State, leadership: Leadership): boolean {
  let ready: Server | undefined
  for (const peer of leadership.peers)
    if (peer.server.suffrage === 'staging' && hasCaughtUp(state, peer)) ready ??= peer.server
  if (ready === undefined) return false
  const { id, address } = ready
  const change = { type: 'add-voter', id, address } as const
  const call = leadership.stagedChanges.get(id) ?? { changeId: NOBODY, change, prevIndex: 0 }
  append(state, leadership, change, call)
  return true
}

/** Notes the disks of members, so that one that forgets is noticed. */
function recordDisks(state: State, leadership: Leadership): void {
  const { configuration } = state.membership.latest
  const known = withDisks(state, leadership, configuration)
  if (known !== configuration) appendConfiguration(state, leadership, known, undefined)
}

function append(
  state: State,
  leadership: Leadership,
  change: MemberChange,
  call: MembershipCall,
): void {
  const next = nextConfiguration(state.membership.latest.configuration, change)
  if (next !== undefined)
    appendConfiguration(state, leadership, withDisks(state, leadership, next), call)
}

function appendConfiguration(
  state: State,
  leadership: Leadership,
  configuration: Configuration,
  call: MembershipCall | undefined,
): void {
  const { membership, log } = state
  const { term } = leadership
  const index = log.lastIndex + 1
  const changeId = call?.changeId ?? NOBODY
  log.append(1, term)
  state.effects.push({ type: 'append-configuration', index, term, configuration, changeId })
  leadership.appendedChange = call
  membership.append([{ configuration, index }], index)
  configurationChanged(state)
  followConfiguration(state, leadership)
}
