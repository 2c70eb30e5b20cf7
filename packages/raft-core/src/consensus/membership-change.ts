// Changes of the membership (§6, dissertation §4.1): one is made at a time, and none before this leader has
// committed an entry of its own term, or two majorities without a common server could decide.
import type { Configuration, Server } from '@raftkit/interface/protocol'
import { hasCaughtUp } from './catch-up.ts'
import { configurationChanged } from './commitment.ts'
import { type ConfigurationChange, faultsOf, nextConfiguration } from './configuration-change.ts'
import { dropDeparted } from './departure.ts'
import { withDisks } from './disk-identity.ts'
import type { ChangeRefusal } from './effects.ts'
import { followConfiguration } from './leadership.ts'
import { refuseChange } from './membership-calls.ts'
import type { Leadership, MembershipCall, State } from './state.ts'

/** The `changeId` of what the leader does by itself. */
const NOBODY = 0

/** A caller asks for a change. It waits until the change before it is committed. */
export function requestChange(state: State, call: MembershipCall): void {
  const { leadership } = state
  if (leadership === undefined) refuseChange(state, call, 'not-leader', false)
  else leadership.changes.push(call)
}

/** Nobody waits for the change any more: it is not begun, and a server staged by it gets no vote. */
export function withdrawChange(state: State, changeId: number): void {
  const { leadership } = state
  if (leadership === undefined) return
  const { changes, appendedChange, stagedChanges } = leadership
  leadership.changes = changes.filter((call) => call.changeId !== changeId)
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
    for (const call of leadership.changes) refuseChange(state, call, 'transfer-in-progress', false)
    leadership.changes = []
  } else if (mayChange(state, leadership)) {
    while (leadership.changes.length > 0)
      if (begin(state, leadership, leadership.changes.shift()!)) return
    if (!promoteStaged(state, leadership)) recordDisks(state, leadership)
  }
}

function mayChange(state: State, { firstIndex, restore }: Leadership): boolean {
  const { latest, committed } = state.membership
  // A restore belongs to the configuration that it began with.
  if (restore !== undefined) return false
  return latest.index === committed.index && state.commitIndex >= firstIndex
}

/** False when the change is refused. */
function begin(state: State, leadership: Leadership, call: MembershipCall): boolean {
  const refusal = refusalOf(state, call)
  if (refusal !== undefined) {
    refuseChange(state, call, refusal, false)
    return false
  }
  append(state, leadership, call.change, call)
  return true
}

function refusalOf(state: State, { change, prevIndex }: MembershipCall): ChangeRefusal | undefined {
  const { configuration, index } = state.membership.latest
  if (prevIndex > 0 && prevIndex !== index) return 'configuration-changed'
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
  change: ConfigurationChange,
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
