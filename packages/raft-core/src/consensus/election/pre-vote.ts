// Pre-vote (dissertation §9.6): ask who would vote before disturbing the cluster with a new term.
import { membersOf, type ServerId, type Term } from '@raftkit/interface/protocol'
import { beginRound, campaign } from './election.ts'
import type { ReceivedPreVote } from '../messages.ts'
import { answer, send } from '../state/outgoing.ts'
import { isElected, isVoter, tally } from '../configuration/quorum.ts'
import {
  hasForgotten,
  hearsOtherLeader,
  isStranger,
  isWithoutVote,
  noteWanted,
} from './request-vote.ts'
import { becomeFollower, enterRole, setLeader } from './roles.ts'
import type { Election, State } from '../state/state.ts'

/** Asks the other voters. Neither term nor vote changes; the own pre-vote counts at once. */
export function askPreVotes(state: State, reason: string): void {
  const election = beginRound(state, 'pre-vote', state.savedSequence)
  if (state.role !== 'pre-candidate') enterRole(state, 'pre-candidate', reason)
  setLeader(state, undefined)
  const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = state.log
  if (state.membership.isVoter(state.self.id)) election.granted.add(state.self.id)
  for (const server of membersOf(state.membership.latest.configuration)) {
    if (!isVoter(server) || server.id === state.self.id) continue
    if (state.peersWithoutPreVote.has(server.id)) {
      election.granted.add(server.id)
      continue
    }
    const term = state.hardState.term + 1
    const sendId = send(state, server, {
      type: 'request-pre-vote',
      term,
      lastLogIndex,
      lastLogTerm,
    })
    election.asked.set(sendId, server.id)
  }
  countPreVotes(state, election)
}

/**
 * The answer to a RequestPreVote. A refusal with a term above the proposed one is adopted: a server that lags
 * behind in terms would be refused for ever otherwise. A grant only echoes the proposed term.
 */
export function preVoteAnswered(
  state: State,
  peer: ServerId,
  sendId: number,
  term: Term,
  granted: boolean,
): void {
  const { election } = state
  if (election?.phase !== 'pre-vote' || election.asked.get(sendId) !== peer) return
  election.asked.delete(sendId)
  if (granted) {
    election.granted.add(peer)
    countPreVotes(state, election)
  } else if (term > state.hardState.term + 1) {
    becomeFollower(state, term, `higher term ${term} from ${peer}`)
  }
}

/** The peer does not know pre-votes (an older hashicorp/raft): it cannot be asked, now or later, and counts. */
export function preVoteUnsupported(state: State, peer: ServerId, sendId: number): void {
  const { election } = state
  if (election?.phase !== 'pre-vote' || election.asked.get(sendId) !== peer) return
  state.peersWithoutPreVote.add(peer)
  election.asked.delete(sendId)
  election.granted.add(peer)
  countPreVotes(state, election)
}

/** Answers a RequestPreVote. It changes nothing here: no term, no vote, no timer (but see {@link noteWanted}). */
export function receivePreVote(state: State, requestId: number, request: ReceivedPreVote): void {
  const { from, term, lastLogIndex, lastLogTerm } = request
  state.peersWithoutPreVote.delete(from.id)
  const own = state.hardState.term
  const isHeard =
    !state.isStorageStalled &&
    !hasForgotten(state, request) &&
    !isStranger(state, request) &&
    !hearsOtherLeader(state, from)
  if (isHeard) noteWanted(state, request)
  const isRefused =
    !isHeard ||
    term < own ||
    isWithoutVote(state, request) ||
    !state.log.isUpToDate(lastLogIndex, lastLogTerm)
  answer(state, requestId, {
    type: 'request-pre-vote',
    term: isHeard ? Math.max(term, own) : own,
    granted: !isRefused,
  })
}

function countPreVotes(state: State, election: Election): void {
  const { voters, granted } = election
  if (isElected(voters, granted)) campaign(state, `${tally(voters, granted)} pre-votes`, false)
}
