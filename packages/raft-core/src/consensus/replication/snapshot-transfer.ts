// The leader's side of InstallSnapshot (§7): a peer needs entries that are compacted away.
import type { Index, Term } from '@raftkit/interface/protocol'
import { invariant } from '../invariant.ts'
import type { Progress } from '../state/progress.ts'
import type { Leadership, State } from '../state/state.ts'

/** Sends the newest snapshot. Until it is answered the peer gets heartbeats only. */
export function sendSnapshot(state: State, leadership: Leadership, peer: Progress): void {
  const { index } = state.log.snapshot
  invariant(index > 0, `entry ${peer.nextIndex} is gone and no snapshot covers it`)
  const sendId = state.nextSendId++
  peer.enterSnapshot({ sendId, index, sentAt: state.now, round: leadership.round })
  state.effects.push({ type: 'send-snapshot', to: peer.server, sendId, term: leadership.term })
}

/** The runtime has opened the snapshot that it sends: a newer one, perhaps. */
export function snapshotOpened(peer: Progress, sendId: number, index: Index): void {
  const sent = peer.snapshot
  if (sent?.sendId === sendId) peer.snapshot = { ...sent, index }
}

/** The answer to the snapshot: the peer holds it, or the leader tries again after a pause. */
export function snapshotAnswered(
  state: State,
  peer: Progress,
  sendId: number,
  answer: { readonly term: Term; readonly success: boolean },
): void {
  const sent = peer.snapshot
  if (sent?.sendId !== sendId) return
  if (answer.term === state.hardState.term) peer.contact(sent.sentAt, sent.round)
  if (!answer.success) {
    peer.backOff(state.now, longestPause(state))
    return
  }
  peer.clearBackOff()
  peer.matchIndex = Math.max(peer.matchIndex, sent.index)
  peer.enterProbe(peer.matchIndex + 1)
}

/** The snapshot did not get through. */
export function snapshotFailed(state: State, peer: Progress, sendId: number): void {
  if (peer.snapshot?.sendId === sendId) peer.backOff(state.now, longestPause(state))
}

/** A peer that does not answer is tried at least twice per heartbeat timeout. */
export function longestPause(state: State): number {
  return state.timing.heartbeatTimeoutMs / 2
}
