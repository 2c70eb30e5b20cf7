import type { Progress } from './progress.ts'
import { isVoter } from './quorum.ts'
import type { Leadership } from './state.ts'

/** The reachable voter that has the most of the log: the best next leader. */
export function bestTarget(leadership: Leadership): Progress | undefined {
  let best: Progress | undefined
  for (const peer of leadership.peers) {
    if (!isVoter(peer.server)) continue
    const isBetter =
      best === undefined ||
      (peer.isReachable === best.isReachable ? peer.matchIndex > best.matchIndex : peer.isReachable)
    if (isBetter) best = peer
  }
  return best
}
