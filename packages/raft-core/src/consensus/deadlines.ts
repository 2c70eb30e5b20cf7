// Time. Deadlines are looked at when a turn ends, after everything that had arrived: a heartbeat that waited in
// the socket is heard before the election timeout that it prevents.
import { checkQuorum, leaseStalled } from './election/check-quorum.ts'
import { campaign, mayCampaign } from './election/election.ts'
import { beat } from './leadership/heartbeat.ts'
import { advanceTransfer } from './leadership/leadership-transfer.ts'
import { advanceMembership } from './membership/membership-change.ts'
import { offerLeadership } from './leadership/preferred-leader.ts'
import { askPreVotes } from './election/pre-vote.ts'
import { needsRound, readsStalled } from './leadership/read-index.ts'
import { replicate } from './replication/replication.ts'
import { becomeFollower, enterRole, setLeader } from './election/roles.ts'
import { randomDeadline, type Leadership, type State } from './state/state.ts'

/** Why a follower begins an election. */
export const NO_LEADER_HEARD = 'no leader heard'

/** Does what is due, plans what is sent, and asks to be woken for the next deadline. */
export function turnEnded(state: State): void {
  if (state.leadership === undefined) checkElectionTimeout(state)
  if (state.leadership !== undefined) advanceMembership(state, state.leadership)
  if (state.leadership !== undefined) checkQuorum(state, state.leadership)
  if (state.leadership !== undefined) lead(state, state.leadership)
  askToBeWoken(state)
}

function lead(state: State, leadership: Leadership): void {
  offerLeadership(state, leadership)
  advanceTransfer(state, leadership)
  beat(state, leadership, needsRound(leadership))
  for (const peer of leadership.peers) replicate(state, leadership, peer)
}

/** §5.2: a follower that hears no leader, or a candidate that wins no majority, starts an election. */
function checkElectionTimeout(state: State): void {
  if (state.now < state.electionDeadline) return
  if (!mayCampaign(state)) {
    setLeader(state, undefined)
    state.electionDeadline = randomDeadline(state, state.timing.heartbeatTimeoutMs)
    if (state.role !== 'follower') leaveCampaign(state)
    return
  }
  const reason = state.role === 'follower' ? NO_LEADER_HEARD : 'no majority in time'
  // One that only stands in disturbs nobody with a new term before it knows that it would be elected.
  if (state.timing.preVote || !state.membership.mayBeVoter(state.self.id))
    askPreVotes(state, reason)
  else campaign(state, reason, false)
}

function leaveCampaign(state: State): void {
  state.election = undefined
  enterRole(state, 'follower', 'may not campaign')
}

/**
 * The event loop stood still for `forMs`. Messages may be waiting, so election timeouts move by as much; what was
 * known of the quorum before proves nothing any more; after too long a stall others should lead.
 */
export function stalled(state: State, forMs: number): void {
  state.electionDeadline += forMs
  const { leadership } = state
  if (leadership === undefined) return
  if (forMs >= state.timing.maxLeaderStallMs) {
    becomeFollower(state, state.hardState.term, `the event loop stood still for ${forMs} ms`)
    return
  }
  leaseStalled(state, leadership, forMs)
  readsStalled(leadership)
}

/** Asks for the earliest deadline, unless an earlier wish is still outstanding. */
function askToBeWoken(state: State): void {
  if (state.wakeAt <= state.now) state.wakeAt = Infinity
  const { leadership } = state
  const time =
    leadership === undefined ? state.electionDeadline : nextLeaderDeadline(state, leadership)
  if (time >= state.wakeAt) return
  state.wakeAt = time
  state.effects.push({ type: 'wake-at', time })
}

function nextLeaderDeadline(state: State, leadership: Leadership): number {
  let time = Math.min(leadership.heartbeatAt, leadership.leaseCheckAt)
  if (leadership.transfer !== undefined) time = Math.min(time, leadership.transfer.deadline)
  for (const peer of leadership.peers) {
    if (peer.retryAt > state.now) time = Math.min(time, peer.retryAt)
    // A notice that is due but found no room goes out when an answer makes room.
    if (peer.commitNoticeAt > state.now) time = Math.min(time, peer.commitNoticeAt)
    if (peer.departure !== undefined) time = Math.min(time, peer.departure.deadline)
  }
  return time
}
