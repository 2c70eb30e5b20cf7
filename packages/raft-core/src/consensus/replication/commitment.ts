// What is committed (§5.3, §5.4.2).
import type { Index } from '@raftkit/interface/protocol'
import { leaveOffice, noteRemoval, tellDeparted } from '../leadership/departure.ts'
import { noteLostDisk } from '../election/disk-identity.ts'
import { violated } from '../invariant.ts'
import { changeCommitted } from '../calls/membership-calls.ts'
import type { Progress } from '../state/progress.ts'
import { releaseReads } from '../leadership/read-index.ts'
import { restoreCommitted } from '../calls/restore.ts'
import { randomDeadline, type Leadership, type State } from '../state/state.ts'

const matchIndexOf = (peer: Progress): Index => peer.matchIndex

/** Everything up to `index` is committed. */
export function commitTo(state: State, index: Index): void {
  const { commitIndex, log } = state
  if (index <= commitIndex || index > log.lastIndex)
    violated(`the commit index goes up, to entries that are there: ${commitIndex} to ${index}`)
  state.commitIndex = index
  state.effects.push({ type: 'commit', index })
  const wasMember = state.membership.has(state.self.id)
  if (!state.membership.commit(index)) return
  configurationChanged(state)
  noteRemoval(state, wasMember)
}

/** Says which configurations are in force and committed now. */
export function configurationChanged(state: State): void {
  const { latest, committed } = state.membership
  state.effects.push({ type: 'configuration-changed', latest, committed })
  noteLostDisk(state)
}

/**
 * Commits what a quorum of voters has durably, this leader among them only as far as its own disk says so, and only
 * from the first entry of its own term on: a majority of copies of an older entry proves nothing (§5.4.2, figure 8).
 */
export function advanceCommit(state: State, leadership: Leadership): void {
  const index = leadership.voters.reached(state.durableIndex, matchIndexOf)
  if (index <= state.commitIndex || index < leadership.firstIndex) return
  const committed = state.membership.committed
  commitTo(state, index)
  for (const peer of leadership.peers)
    if (peer.commitNoticeAt === Infinity)
      peer.commitNoticeAt = randomDeadline(state, state.timing.commitTimeoutMs)
  releaseReads(state, leadership)
  restoreCommitted(state, leadership)
  if (state.membership.committed !== committed) {
    changeCommitted(state, leadership)
    tellDeparted(state, leadership)
  }
  // A leader that is not part of the cluster any more leads until that is committed (dissertation §4.2.2). One that never had
  // a vote leads until a quorum has its log.
  if (!state.membership.isCommittedVoter(state.self.id)) leaveOffice(state, leadership)
}

/** The log is durable up to the entry, unless that entry has been replaced meanwhile. */
export function entriesDurable(state: State, index: Index, term: number): void {
  if (index <= state.durableIndex || state.log.termAt(index) !== term) return
  state.durableIndex = index
  if (state.leadership !== undefined) advanceCommit(state, state.leadership)
}
