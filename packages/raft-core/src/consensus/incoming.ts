// What comes from other servers: requests, answers, and the news that there is none.
import type { ServerId } from '@raftkit/interface/protocol'
import { receiveAppendEntries } from './replication/append-entries.ts'
import { voteAnswered } from './election/election.ts'
import { handedOver } from './leadership/departure.ts'
import { hasOtherDisk } from './election/disk-identity.ts'
import type { ConsensusEvent, SendFailure } from './events.ts'
import { heartbeatAnswered, heartbeatFailed } from './leadership/heartbeat.ts'
import { progressOf } from './election/leadership.ts'
import { receiveTimeoutNow, timeoutNowFailed } from './leadership/leadership-transfer.ts'
import type { Answer, ReceivedRequest } from './messages.ts'
import { answerError } from './state/outgoing.ts'
import { preVoteAnswered, preVoteUnsupported, receivePreVote } from './election/pre-vote.ts'
import { appendAnswered, appendFailed } from './replication/replication.ts'
import { receiveRequestVote } from './election/request-vote.ts'
import { becomeFollower } from './election/roles.ts'
import { receiveInstallSnapshot } from './replication/snapshot-installation.ts'
import { snapshotAnswered, snapshotFailed } from './replication/snapshot-transfer.ts'
import type { State } from './state/state.ts'

/** A request of another server. */
export function received(state: State, requestId: number, request: ReceivedRequest): void {
  if (request.from.id === state.self.id) {
    answerError(
      state,
      requestId,
      `a request from ${request.from.id}, which is this server's own id`,
    )
    return
  }
  switch (request.type) {
    case 'append-entries':
      return receiveAppendEntries(state, requestId, request)
    case 'request-vote':
      return receiveRequestVote(state, requestId, request)
    case 'request-pre-vote':
      return receivePreVote(state, requestId, request)
    case 'install-snapshot':
      return receiveInstallSnapshot(state, requestId, request)
    case 'timeout-now':
      return receiveTimeoutNow(state, requestId, request)
  }
}

/** The answer to a send. Late, doubled and foreign answers find nothing that they belong to. */
export function answered(state: State, event: Extract<ConsensusEvent, { type: 'answered' }>): void {
  const { peer, sendId, answer } = event
  // It does not know what it said before: nothing that it says now proves anything.
  if (hasOtherDisk(state, peer, event.diskId)) {
    forgotten(state, peer, sendId)
    return
  }
  switch (answer.type) {
    case 'request-vote':
      return voteAnswered(state, peer, sendId, answer.term, answer.granted)
    case 'request-pre-vote':
      return preVoteAnswered(state, peer, sendId, answer.term, answer.granted)
    case 'append-entries':
    case 'install-snapshot':
      return leaderAnswered(state, event, answer)
    case 'timeout-now':
      return handedOver(state, sendId)
    case 'error':
      return sendFailed(state, peer, sendId, 'refused')
  }
}

/** A peer that lost its disk answered: as if it had not. */
function forgotten(state: State, id: ServerId, sendId: number): void {
  const peer = state.leadership && progressOf(state.leadership, id)
  if (peer !== undefined && !peer.isDiskLost) {
    peer.isDiskLost = true
    state.effects.push({ type: 'disk-lost', server: id })
  }
  sendFailed(state, id, sendId, 'refused')
}

function leaderAnswered(
  state: State,
  { peer: id, sendId, isRaftkit, diskId }: Extract<ConsensusEvent, { type: 'answered' }>,
  answer: Extract<Answer, { type: 'append-entries' | 'install-snapshot' }>,
): void {
  // A higher term ends any role, before anything else is made of the answer (§5.1).
  if (answer.term > state.hardState.term) {
    becomeFollower(state, answer.term, `higher term ${answer.term} from ${id}`)
    return
  }
  const { leadership } = state
  const peer = leadership && progressOf(leadership, id)
  if (leadership === undefined || peer === undefined) return
  // A late answer may come from before the server was removed and added again: with another disk, by another program.
  if (peer.awaits(sendId)) {
    peer.isHeard = true
    peer.isRaftkit = isRaftkit
    peer.diskId = diskId
    peer.isDiskLost = false
  }
  if (answer.type === 'install-snapshot') snapshotAnswered(state, peer, sendId, answer)
  else if (!heartbeatAnswered(state, leadership, peer, sendId, answer))
    appendAnswered(state, leadership, peer, sendId, answer)
}

/** A send had no answer. */
export function sendFailed(state: State, id: ServerId, sendId: number, failure: SendFailure): void {
  if (failure === 'unsupported') preVoteUnsupported(state, id, sendId)
  handedOver(state, sendId)
  const { leadership } = state
  const peer = leadership && progressOf(leadership, id)
  if (leadership === undefined || peer === undefined) return
  if (heartbeatFailed(state, peer, sendId)) return
  appendFailed(state, peer, sendId)
  snapshotFailed(state, peer, sendId)
  timeoutNowFailed(state, leadership, sendId)
}
