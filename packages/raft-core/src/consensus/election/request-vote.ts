// The voter's side of an election (§5.2, §5.4.1).
import type { Vote } from '@raftkit/interface/protocol'
import { hasLease } from './check-quorum.ts'
import { hasLostDisk, hasOtherDisk } from './disk-identity.ts'
import { saveHardState } from '../state/hard-state.ts'
import type { ReceivedRequestVote, Sender } from '../messages.ts'
import { answer } from '../state/outgoing.ts'
import { becomeFollower, identityOf } from './roles.ts'
import { randomDeadline, type State } from '../state/state.ts'

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
  if (state.isStorageStalled || hasForgotten(state, request) || isStranger(state, request))
    return false
  // A server that hears a leader helps nobody to depose it (§6, dissertation §4.2.3), unless that leader asks.
  if (hearsOtherLeader(state, from) && !request.leadershipTransfer) return false
  if (term < state.hardState.term) return false
  if (term > state.hardState.term)
    becomeFollower(state, term, `${identityOf(from)} campaigns in term ${term}`)
  noteWanted(state, request)
  if (isWithoutVote(state, request)) return false
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

/**
 * The candidate's configuration gives this server a vote that it knows nothing of, and the candidate may need it; but this
 * server has more of the log, from a leader that is gone perhaps, and must refuse. Then nobody might ever be elected, unless
 * this server is: without a vote of its own, by the voters that it knows, only to hand over when they have its log.
 */
export function noteWanted(state: State, { lastLogIndex, lastLogTerm }: Candidacy): void {
  const { membership, self, log } = state
  if (membership.find(self.id) === undefined || membership.mayBeVoter(self.id)) return
  if (!log.isUpToDate(lastLogIndex, lastLogTerm)) state.isWanted = true
}

/** What is said of a candidate, in a vote and in a pre-vote. */
type Candidacy = Pick<ReceivedRequestVote, 'from' | 'lastLogIndex' | 'lastLogTerm'>

/**
 * True for a server that lost its disk, unless the candidate may know that it was removed and added again: then the
 * candidate alone can tell which disk counts, and may have nobody else to ask.
 */
export function hasForgotten(state: State, candidacy: Candidacy): boolean {
  return hasLostDisk(state) && !mayKnowMore(state, candidacy)
}

/**
 * True for a candidate that is known to be no member, or to have lost its disk: a removed server must not disturb the
 * cluster, nor one that forgot.
 */
export function isStranger(state: State, candidacy: Candidacy): boolean {
  const { from } = candidacy
  if (isMember(state, from) && !hasOtherDisk(state, from.id, from.diskId)) return false
  return !mayKnowMore(state, candidacy)
}

/** True for a candidate that is known to have no vote: it cannot win, and must not be given one. */
export function isWithoutVote(state: State, candidacy: Candidacy): boolean {
  const { membership } = state
  const { id } = candidacy.from
  if (id === '' || membership.isEmpty || mayKnowMore(state, candidacy)) return false
  return !membership.isVoter(id)
}

/**
 * A candidate with more of the log may have a configuration that this server has not seen yet. Were it refused by an
 * older one, two servers that need each other's votes could wait for ever (dissertation §4.1: votes are given without
 * a look at the configuration); hashicorp/raft refuses.
 */
function mayKnowMore(state: State, { lastLogIndex, lastLogTerm }: Candidacy): boolean {
  return state.log.isBehind(lastLogIndex, lastLogTerm)
}

/** True for members of the latest configuration; for everyone while there is none, or when a sender has no id. */
export function isMember(state: State, from: Sender): boolean {
  const { membership } = state
  return from.id === '' || membership.isEmpty || membership.find(from.id) !== undefined
}

/**
 * True when a leader other than the sender is alive as far as this server can know: it was heard within the
 * heartbeat timeout (or may have been, before a restart), or it is this server and its lease holds.
 */
export function hearsOtherLeader(state: State, from: Sender): boolean {
  if (state.leadership !== undefined) return hasLease(state, state.leadership)
  if (state.now < state.quietUntil) return true
  const { leader, lastContact } = state
  if (leader === undefined || lastContact === undefined) return false
  return (
    identityOf(leader) !== identityOf(from) &&
    state.now - lastContact < state.timing.heartbeatTimeoutMs
  )
}
