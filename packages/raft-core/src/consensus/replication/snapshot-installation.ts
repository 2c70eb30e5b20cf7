// The follower's side of InstallSnapshot (§7).
import type { Index, Term } from '@raftkit/interface/protocol'
import { configurationChanged } from './commitment.ts'
import { noteRemoval } from '../leadership/departure.ts'
import { invariant } from '../invariant.ts'
import type { ReceivedInstallSnapshot } from '../messages.ts'
import { answer, answerError } from '../state/outgoing.ts'
import { followLeader, identityOf } from '../election/roles.ts'
import { randomDeadline, type State } from '../state/state.ts'

/** Begins to install a leader's snapshot, one at a time; the answer follows when it is installed. */
export function receiveInstallSnapshot(
  state: State,
  requestId: number,
  request: ReceivedInstallSnapshot,
): void {
  const { from, term, snapshot } = request
  if (term < state.hardState.term) {
    answerInstalled(state, requestId, false)
    return
  }
  const fault = faultOf(request)
  if (fault !== undefined) {
    answerError(state, requestId, fault)
    return
  }
  followLeader(state, from, term)
  const own = state.log.termAt(snapshot.index)
  if (state.installation !== undefined || state.restoring !== undefined)
    answerError(state, requestId, `${identityOf(from)}: another snapshot is being installed`)
  else if (snapshot.index <= state.commitIndex) {
    invariant(
      own === snapshot.term || (own === undefined && snapshot.term <= state.log.snapshot.term),
      `the snapshot at ${snapshot.index} has term ${snapshot.term}, the committed entry here ${own ?? 'a lower one'}`,
    )
    // Everything in it is here already; installing it would take the state machine back. A crash could still take the
    // last of it away, so the answer waits as that to AppendEntries does.
    const last = { index: snapshot.index, term: snapshot.term }
    answerInstalled(state, requestId, true, snapshot.index > state.durableIndex ? last : undefined)
  } else {
    const keepLogAfter = own === snapshot.term
    state.installation = { requestId, snapshot, keepLogAfter }
    state.effects.push({ type: 'install-snapshot', requestId, keepLogAfter })
  }
}

/** The snapshot is durable and restored: the log starts after it. */
export function snapshotInstalled(state: State, requestId: number): void {
  const { installation } = state
  if (installation?.requestId !== requestId) return
  state.installation = undefined
  const { snapshot, keepLogAfter } = installation
  const { index, term, configuration } = snapshot
  state.log.install({ index, term }, keepLogAfter)
  // Entries that stay and were not durable yet still are not.
  state.durableIndex = keepLogAfter ? Math.max(state.durableIndex, index) : index
  state.commitIndex = Math.max(state.commitIndex, index)
  state.appliedIndex = Math.max(state.appliedIndex, index)
  const wasMember = state.membership.has(state.self.id)
  state.membership.install(configuration, index)
  configurationChanged(state)
  noteRemoval(state, wasMember)
  // It took its time, and came from a leader.
  state.electionDeadline = randomDeadline(state, state.timing.heartbeatTimeoutMs)
  answerInstalled(state, requestId, true)
}

/** The snapshot could not be installed; log and state machine are as before. */
export function snapshotInstallFailed(state: State, requestId: number, message: string): void {
  if (state.installation?.requestId !== requestId) return
  state.installation = undefined
  answerError(state, requestId, message)
}

/** What makes a snapshot impossible, whoever sent it. Such a request changes nothing. */
function faultOf({ term, snapshot }: ReceivedInstallSnapshot): string | undefined {
  const { index, configuration } = snapshot
  if (index <= 0) return `a snapshot up to entry ${index} holds nothing`
  if (snapshot.term > term) return `a snapshot of term ${snapshot.term} in term ${term}`
  return configuration.index > index
    ? `a snapshot up to entry ${index} cannot hold the configuration of entry ${configuration.index}`
    : undefined
}

function answerInstalled(
  state: State,
  requestId: number,
  success: boolean,
  entry?: { readonly index: Index; readonly term: Term },
): void {
  answer(state, requestId, { type: 'install-snapshot', term: state.hardState.term, success }, entry)
}
