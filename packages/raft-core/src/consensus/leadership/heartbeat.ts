// Heartbeats (§5.2): bare AppendEntries on a path of their own, which no disk and no entry can delay.
import { isVoter } from '../configuration/quorum.ts'
import { confirmReads } from './read-index.ts'
import { send } from '../state/outgoing.ts'
import type { AppendEntriesAnswer } from '../messages.ts'
import type { Progress } from '../state/progress.ts'
import { randomDeadline, type Leadership, type State } from '../state/state.ts'

const MOST_OUTSTANDING = 3

/** Heartbeats per heartbeat timeout: one every tenth to fifth part of it, as hashicorp/raft does. */
function interval(state: State): number {
  return state.timing.heartbeatTimeoutMs / 10
}

/** Begins a round when one is due or a read waits for one. Sent before entries, so those count for the round too. */
export function beat(state: State, leadership: Leadership, isForReads: boolean): void {
  const isDue = state.now >= leadership.heartbeatAt
  if (!isDue && !isForReads) return
  leadership.round++
  if (isDue) leadership.heartbeatAt = randomDeadline(state, interval(state))
  for (const peer of leadership.peers)
    if ((isForReads && isVoter(peer.server)) || (isDue && mayBeat(state, peer)))
      sendHeartbeat(state, leadership, peer)
}

/** One at a time, unless the answer is overdue. */
function mayBeat(state: State, peer: Progress): boolean {
  const newest = peer.heartbeats.at(-1)
  return newest === undefined || state.now - newest.sentAt >= 2 * interval(state)
}

function sendHeartbeat(state: State, leadership: Leadership, peer: Progress): void {
  const { heartbeats } = peer
  if (heartbeats.length >= MOST_OUTSTANDING) {
    // A network that swallows requests must not end heartbeats: the oldest is given up.
    if (state.now - heartbeats[0]!.sentAt < state.timing.heartbeatTimeoutMs) return
    heartbeats.shift()
  }
  const sendId = send(state, peer.server, { type: 'heartbeat', term: leadership.term })
  heartbeats.push({ sendId, sentAt: state.now, round: leadership.round })
}

/** The answer to a heartbeat. False when `sendId` is no heartbeat under way. */
export function heartbeatAnswered(
  state: State,
  leadership: Leadership,
  peer: Progress,
  sendId: number,
  answer: AppendEntriesAnswer,
): boolean {
  const heartbeat = peer.takeHeartbeat(sendId)
  if (heartbeat === undefined) return false
  if (!answer.success && answer.term !== leadership.term) return true
  peer.contact(heartbeat.sentAt, heartbeat.round)
  if (!peer.isReachable) {
    peer.isReachable = true
    // The pause ends with what caused it.
    peer.clearBackOff()
    state.effects.push({ type: 'peer-contact-changed', peer: peer.server.id, reachable: true })
  }
  confirmReads(state, leadership)
  return true
}

/** A heartbeat failed. False when `sendId` is no heartbeat under way. */
export function heartbeatFailed(state: State, peer: Progress, sendId: number): boolean {
  const heartbeat = peer.takeHeartbeat(sendId)
  if (heartbeat === undefined) return false
  // A request sent after this one was answered: what failed is history.
  if (heartbeat.sentAt < peer.lastContact || heartbeat.round < peer.ackedRound) return true
  const { lastContact, server } = peer
  state.effects.push({ type: 'heartbeat-failed', peer: server.id, lastContact })
  if (peer.isReachable) {
    peer.isReachable = false
    state.effects.push({ type: 'peer-contact-changed', peer: peer.server.id, reachable: false })
  }
  return true
}
