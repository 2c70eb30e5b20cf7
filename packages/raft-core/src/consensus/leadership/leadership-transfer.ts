// Handing leadership over (dissertation §3.10).
import type { ServerId, Term } from '@raftkit/interface/protocol'
import type { Refusal } from '../effects.ts'
import { campaign, mayCampaign } from '../election/election.ts'
import { progressOf } from '../election/leadership.ts'
import type { ReceivedTimeoutNow, Sender } from '../messages.ts'
import { answer, answerError, send } from '../state/outgoing.ts'
import { isMember } from '../election/request-vote.ts'
import { identityOf } from '../election/roles.ts'
import type { Leadership, State } from '../state/state.ts'
import { bestTarget, timeoutNow } from './transfer-target.ts'

/** Begins a transfer. From now on proposals are refused, so that the target can catch up. */
export function requestTransfer(
  state: State,
  transferId: number,
  wanted: ServerId | undefined,
): void {
  const { leadership } = state
  if (leadership === undefined) end(state, transferId, 'not-leader')
  // A leader that leaves the membership hands over by itself, when that is committed.
  else if (leadership.transfer !== undefined || !leadership.voters.selfVotes)
    end(state, transferId, 'transfer-in-progress')
  else if (leadership.restore !== undefined) end(state, transferId, 'restore-in-progress')
  else {
    const target = wanted ?? bestTarget(state, leadership)?.server.id
    const refusal = refusalOf(state, leadership, target)
    if (target === undefined || refusal !== undefined)
      end(state, transferId, refusal ?? 'no-such-target')
    else {
      const deadline = state.now + state.timing.electionTimeoutMs
      leadership.transfer = { transferId, target, deadline, sendId: undefined }
      advanceTransfer(state, leadership)
    }
  }
}

/** Sends TimeoutNow once the target has the whole log; ends a transfer whose target went or whose time is over. */
export function advanceTransfer(state: State, leadership: Leadership): void {
  const { transfer } = leadership
  if (transfer === undefined) return
  const target = progressOf(leadership, transfer.target)
  const refusal = refusalOf(state, leadership, transfer.target)
  if (target === undefined || refusal !== undefined)
    endTransfer(state, leadership, refusal ?? 'no-such-target')
  else if (state.now >= transfer.deadline) endTransfer(state, leadership, 'transfer-timeout')
  else if (transfer.sendId === undefined && target.matchIndex === state.log.lastIndex) {
    leadership.hasAskedToCampaign = true
    transfer.sendId = send(state, target.server, timeoutNow(target, leadership))
  }
}

/** The TimeoutNow failed or was refused: leadership stays, proposals go on. */
export function timeoutNowFailed(state: State, leadership: Leadership, sendId: number): void {
  if (leadership.transfer?.sendId === sendId) endTransfer(state, leadership, 'target-unreachable')
}

/**
 * Answers TimeoutNow: campaigns at once, without pre-votes. Only the leader may ask, and only a voter; hashicorp/raft
 * takes it from anyone in any state.
 */
export function receiveTimeoutNow(
  state: State,
  requestId: number,
  { from, term }: ReceivedTimeoutNow,
): void {
  const refusal = timeoutNowRefusal(state, from, term)
  if (refusal !== undefined) {
    answerError(state, requestId, refusal)
    return
  }
  campaign(state, `${identityOf(from)} hands leadership over`, true)
  answer(state, requestId, { type: 'timeout-now' })
}

function timeoutNowRefusal(state: State, from: Sender, term: Term | undefined): string | undefined {
  if (!mayCampaign(state)) return 'this server cannot campaign: it is no voter, or is not ready'
  if (state.leadership !== undefined) return 'this server leads'
  // Voters give these votes in spite of a leader that they hear. That of a later term never asked, and may hold a lease.
  if (term !== undefined && term !== state.hardState.term)
    return `the sender led in term ${term}, this is term ${state.hardState.term}`
  const isLeader =
    state.leader === undefined
      ? isMember(state, from)
      : identityOf(state.leader) === identityOf(from)
  return isLeader ? undefined : 'the sender does not lead'
}

function refusalOf(
  state: State,
  leadership: Leadership,
  target: ServerId | undefined,
): Refusal | undefined {
  if (target === undefined) return 'no-such-target'
  if (target === state.self.id) return 'target-is-self'
  const peer = progressOf(leadership, target)
  if (peer === undefined) return 'no-such-target'
  return state.membership.isLastingVoter(target) ? undefined : 'target-not-voter'
}

function endTransfer(state: State, leadership: Leadership, refusal: Refusal): void {
  if (leadership.transfer !== undefined) end(state, leadership.transfer.transferId, refusal)
  leadership.transfer = undefined
}

function end(state: State, transferId: number, refusal: Refusal): void {
  state.effects.push({ type: 'transfer-ended', transferId, refusal })
}
