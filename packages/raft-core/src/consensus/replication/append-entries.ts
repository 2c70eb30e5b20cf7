// The follower's side of replication (§5.3), bare heartbeats included.
import type { Index, Term } from '@raftkit/interface/protocol'
import { commitTo, configurationChanged } from './commitment.ts'
import { invariant, violated } from '../invariant.ts'
import type { AppendEntriesAnswer, EntrySpan, ReceivedAppendEntries } from '../messages.ts'
import { answer, answerError } from '../state/outgoing.ts'
import { followLeader } from '../election/roles.ts'
import type { State } from '../state/state.ts'
import type { SnapshotMark } from '../state/term-log.ts'

/** Answers an AppendEntries. A success waits until the last entry that the request proved is durable here. */
export function receiveAppendEntries(
  state: State,
  requestId: number,
  request: ReceivedAppendEntries,
): void {
  const fault = faultOf(request)
  if (fault !== undefined) {
    answerError(state, requestId, fault)
    return
  }
  if (request.term < state.hardState.term) {
    answer(state, requestId, refusal(state, false))
    return
  }
  followLeader(state, request.from, request.term)
  // A bare heartbeat proves nothing about the log, so it touches neither the log nor the commit index.
  if (request.heartbeat) answer(state, requestId, success(state))
  else if (state.installation !== undefined || state.restoring !== undefined)
    answer(state, requestId, refusal(state, false))
  else if (!matchesPrevious(state, request)) answer(state, requestId, mismatch(state, request))
  else accept(state, requestId, request)
}

function accept(state: State, requestId: number, request: ReceivedAppendEntries): void {
  const { entries, prevLogIndex, leaderCommit } = request
  const proven = entries?.lastIndex ?? prevLogIndex
  if (entries !== undefined) {
    checkCovered(state, entries)
    appendEntries(state, requestId, entries)
  }
  // Beyond what this request proves, the log may still differ from the leader's (Figure 2, rule 5).
  const commitIndex = Math.min(leaderCommit, proven)
  if (commitIndex > state.commitIndex) commitTo(state, commitIndex)
  const term = proven > state.durableIndex ? state.log.termAt(proven) : undefined
  answer(state, requestId, success(state), term === undefined ? undefined : { index: proven, term })
}

/**
 * What the snapshot covers is committed, and so the same in every leader's log. A server whose state was forced on it, by
 * `recoverCluster` or a restore that the cluster did not follow, notices here that it stands alone.
 */
function checkCovered({ log }: State, { firstIndex, lastIndex, runs }: EntrySpan): void {
  const { index, term } = log.snapshot
  if (firstIndex > index) return
  const covered = Math.min(lastIndex, index)
  const run = runs.findLast((other) => other.firstIndex <= covered)
  if (run !== undefined && run.term > term) standsAlone(log.snapshot, covered, run.term)
}

function standsAlone(snapshot: SnapshotMark, index: Index, term: Term): never {
  violated(
    `what a snapshot covers is the same everywhere: entry ${index} has term ${term} there, the snapshot at ${snapshot.index} ` +
      `here has term ${snapshot.term}. A state was forced on this server and the cluster went on without it: empty its stores`,
  )
}

/** Skips what is there, removes what conflicts, appends the rest (Figure 2, rules 3 and 4). */
function appendEntries(state: State, requestId: number, entries: EntrySpan): void {
  const { log, membership } = state
  let isConfigurationChanged = false
  const conflict = log.firstConflict(entries)
  if (conflict !== undefined) {
    invariant(
      conflict > state.commitIndex,
      `a committed entry is never replaced (§5.4): entry ${conflict}, commit index ${state.commitIndex}`,
    )
    log.truncate(conflict)
    state.durableIndex = Math.min(state.durableIndex, conflict - 1)
    state.effects.push({ type: 'truncate-log', from: conflict })
    isConfigurationChanged = membership.truncate(conflict)
  }
  const from = log.lastIndex + 1
  if (from <= entries.lastIndex) {
    log.appendSpan(entries)
    state.effects.push({ type: 'append-received', requestId, from, to: entries.lastIndex })
    if (membership.append(entries.configurations, from)) isConfigurationChanged = true
  }
  if (isConfigurationChanged) configurationChanged(state)
}

/** The consistency check (§5.3). What a snapshot covers is committed, and so the same everywhere. */
function matchesPrevious(state: State, request: ReceivedAppendEntries): boolean {
  const { prevLogIndex, prevLogTerm } = request
  const term = state.log.termAt(prevLogIndex)
  if (term === prevLogTerm) return true
  if (term === undefined) {
    const { firstIndex, snapshot } = state.log
    if (prevLogIndex < firstIndex && prevLogTerm > snapshot.term)
      standsAlone(snapshot, prevLogIndex, prevLogTerm)
    return prevLogIndex < firstIndex
  }
  invariant(
    prevLogIndex > state.commitIndex,
    `a leader has every committed entry (§5.4): entry ${prevLogIndex} has term ${term} here and ${prevLogTerm} there`,
  )
  return false
}

function success(state: State): AppendEntriesAnswer {
  return {
    type: 'append-entries',
    term: state.hardState.term,
    success: true,
    lastLogIndex: state.log.lastIndex,
    noRetryBackoff: false,
  }
}

function refusal(state: State, noRetryBackoff: boolean): AppendEntriesAnswer {
  return {
    type: 'append-entries',
    term: state.hardState.term,
    success: false,
    lastLogIndex: state.log.lastIndex,
    noRetryBackoff,
  }
}

/** A refusal with the term in conflict and where it begins, so that the leader skips it as a whole (§5.3). */
function mismatch(state: State, request: ReceivedAppendEntries): AppendEntriesAnswer {
  const answered = refusal(state, true)
  if (!request.from.isRaftkit) return answered
  const term = state.log.termAt(request.prevLogIndex)
  const firstIndex: Index =
    term === undefined
      ? state.log.lastIndex + 1
      : Math.max(state.log.runStart(request.prevLogIndex), state.commitIndex + 1)
  return { ...answered, conflict: { term: term ?? 0, firstIndex } }
}

/** What makes a request impossible, whoever sent it. Such a request changes nothing. */
function faultOf(request: ReceivedAppendEntries): string | undefined {
  const { entries, prevLogIndex, prevLogTerm, term } = request
  if (prevLogTerm > term || (prevLogIndex === 0 && prevLogTerm !== 0))
    return `entry ${prevLogIndex} cannot have term ${prevLogTerm} in a request of term ${term}`
  if (entries === undefined) return undefined
  if (entries.firstIndex !== prevLogIndex + 1 || entries.lastIndex < entries.firstIndex)
    return `entries ${entries.firstIndex}..${entries.lastIndex} do not follow entry ${prevLogIndex}`
  let lastTerm = prevLogTerm
  for (const run of entries.runs) {
    if (run.term < lastTerm || run.term > term)
      return `entry ${run.firstIndex} has term ${run.term} after ${lastTerm} in a request of term ${term}`
    lastTerm = run.term
  }
  return undefined
}
