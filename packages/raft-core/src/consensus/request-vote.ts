// The voter's side of an election (§5.2, §5.4.1).
import type { Vote } from '@raftkit/interface/protocol'
import { hasLease } from './check-quorum.ts'
import { saveHardState } from './hard-state.ts'
import type { ReceivedRequestVote, Sender } from './messages.ts'
import { answer } from './outgoing.ts'
import { becomeFollower, identityOf } from './roles.ts'
import { randomDeadline, type State } from './state.ts'

/** Answers a RequestVote. A vote is durable before its answer leaves. */
export function receiveRequestVote(
  state: State,
  requestId: number,
  request: ReceivedRequestVote,
): void {
  const granted = mayVote(state, request)
  if (granted) grantVote(state, request.from)
  answer(state, requestId, { type: 'request-vote', term: state.hardState.term, granted })
}

/** The order of the checks is that of hashicorp/raft: strangers and disturbers do not even bring a term. */
function mayVote(state: State, request: ReceivedRequestVote): boolean {
  const { from, term } = request
  if (state.isStorageStalled || !isMember(state, from)) return false
  // A server that hears a leader helps nobody to depose it (§6, dissertation §4.2.3), unless that leader asks.
  if (hearsOtherLeader(state, from) && !request.leadershipTransfer) return false
  if (term < state.hardState.term) return false
  if (term > state.hardState.term)
    becomeFollower(state, term, `${identityOf(from)} campaigns in term ${term}`)
  const { membership } = state
  if (from.id !== '' && !membership.isEmpty && !membership.isVoter(from.id)) return false
  const { votedFor } = state.hardState
  if (votedFor !== undefined) return isSameCandidate(votedFor, from)
  return state.log.isUpToDate(request.lastLogIndex, request.lastLogTerm)
}

function grantVote(state: State, from: Sender): void {
  const { term, votedFor } = state.hardState
  if (votedFor !== undefined) return
  becomeFollower(state, term, `votes for ${identityOf(from)}`)
  saveHardState(state, { term, votedFor: { id: from.id, address: from.address } })
  state.electionDeadline = randomDeadline(state, state.timing.heartbeatTimeoutMs)
}

function isSameCandidate(vote: Vote, from: Sender): boolean {
  return from.id === '' ? vote.address === from.address : vote.id === from.id
}

/** True for members of the latest configuration; for everyone while there is none, or when a sender has no id. */
export function isMember(state: State, from: Sender): boolean {
  const { membership } = state
  return from.id === '' || membership.isEmpty || membership.find(from.id) !== undefined
}

/**
 * True when a leader other than the sender is alive as far as this server can know: it was heard within the
 * heartbeat timeout, or it is this server and its lease holds.
 */
export function hearsOtherLeader(state: State, from: Sender): boolean {
  if (state.leadership !== undefined) return hasLease(state, state.leadership)
  const { leader, lastContact } = state
  if (leader === undefined || lastContact === undefined) return false
  return (
    identityOf(leader) !== identityOf(from) &&
    state.now - lastContact < state.timing.heartbeatTimeoutMs
  )
}
