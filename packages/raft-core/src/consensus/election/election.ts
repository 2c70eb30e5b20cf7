// The candidate's side of an election (§5.2), and the answer to one: RequestVote as it leaves and as it returns.
import { membersOf, type ServerId, type Term } from '@raftkit/interface/protocol'
import { hasLostDisk } from './disk-identity.ts'
import { saveHardState } from '../state/hard-state.ts'
import { becomeLeader } from './leadership.ts'
import { send } from '../state/outgoing.ts'
import { isElected, isVoter, tally, votersOf } from '../configuration/quorum.ts'
import { becomeFollower, enterRole, setLeader } from './roles.ts'
import { randomDeadline, type Election, type State } from '../state/state.ts'

/**
 * Only servers with a vote campaign (one that is being taken away counts as long as that may fail), and those without that
 * somebody counts on (see `noteWanted`); never on a sick or another disk, nor while a snapshot is installed.
 */
export function mayCampaign(state: State): boolean {
  return (
    (state.isWanted || state.membership.mayBeVoter(state.self.id)) &&
    !hasLostDisk(state) &&
    !state.isStorageStalled &&
    state.installation === undefined &&
    state.restoring === undefined
  )
}

/** Starts the tally of a round among the voters of the latest configuration. */
export function beginRound(
  state: State,
  phase: Election['phase'],
  ownVoteSequence: number,
): Election {
  const election: Election = {
    phase,
    asked: new Map(),
    granted: new Set(),
    voters: votersOf(state.membership.latest.configuration),
    ownVoteSequence,
  }
  state.election = election
  state.electionDeadline = randomDeadline(state, state.timing.electionTimeoutMs)
  return election
}

/**
 * Campaigns in a new term. The vote for itself is saved first; the requests leave, and that vote counts, once it is
 * durable: otherwise a restart could vote again in this term.
 */
export function campaign(state: State, reason: string, leadershipTransfer: boolean): void {
  const term = state.hardState.term + 1
  state.preference.wasAsked = leadershipTransfer
  saveHardState(state, { term, votedFor: { id: state.self.id, address: state.self.address } })
  const election = beginRound(state, 'vote', state.savedSequence)
  enterRole(state, 'candidate', reason)
  setLeader(state, undefined)
  const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = state.log
  for (const server of membersOf(state.membership.latest.configuration)) {
    if (!isVoter(server) || server.id === state.self.id) continue
    const sendId = send(state, server, {
      type: 'request-vote',
      term,
      lastLogIndex,
      lastLogTerm,
      leadershipTransfer,
    })
    election.asked.set(sendId, server.id)
  }
}

/** The vote for itself may have become durable. */
export function countOwnVote(state: State): void {
  const { election } = state
  if (election?.phase !== 'vote' || election.ownVoteSequence > state.durableSequence) return
  if (state.membership.isVoter(state.self.id)) election.granted.add(state.self.id)
  countVotes(state, election)
}

/** The answer to a RequestVote. */
export function voteAnswered(
  state: State,
  peer: ServerId,
  sendId: number,
  term: Term,
  granted: boolean,
): void {
  if (term > state.hardState.term) {
    becomeFollower(state, term, `higher term ${term} from ${peer}`)
    return
  }
  const { election } = state
  if (election?.phase !== 'vote' || election.asked.get(sendId) !== peer) return
  election.asked.delete(sendId)
  // A grant carries the term it was given in: anything else is not a vote for this round.
  if (!granted || term !== state.hardState.term) return
  election.granted.add(peer)
  countVotes(state, election)
}

function countVotes(state: State, election: Election): void {
  // Nobody leads a term that this server could forget.
  if (election.ownVoteSequence > state.durableSequence) return
  const { voters, granted } = election
  if (isElected(voters, granted)) becomeLeader(state, `${tally(voters, granted)} votes`)
}
