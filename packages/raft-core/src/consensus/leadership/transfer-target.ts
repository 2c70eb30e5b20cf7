import type { ControlRequest } from '../messages.ts'
import { priorityOf } from '../state/preference.ts'
import type { Progress } from '../state/progress.ts'
import type { Leadership, State } from '../state/state.ts'

/**
 * The reachable voter that has the most of the log, of several the preferred one: the best next leader. One that is to
 * lose its vote is none.
 */
export function bestTarget(state: State, leadership: Leadership): Progress | undefined {
  let best: Progress | undefined
  for (const peer of leadership.peers) {
    if (!state.membership.isLastingVoter(peer.server.id)) continue
    if (best === undefined || isBetter(state, peer, best)) best = peer
  }
  return best
}

/** What has that server campaign. Its term is an addition: servers that are not known to be raftkit are not sent it. */
export function timeoutNow({ isRaftkit }: Progress, { term }: Leadership): ControlRequest {
  return isRaftkit ? { type: 'timeout-now', term } : { type: 'timeout-now' }
}

function isBetter(state: State, peer: Progress, best: Progress): boolean {
  if (peer.isReachable !== best.isReachable) return peer.isReachable
  if (peer.matchIndex !== best.matchIndex) return peer.matchIndex > best.matchIndex
  return priorityOf(state, peer.server.id) > priorityOf(state, best.server.id)
}
