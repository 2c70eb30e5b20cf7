import type { Progress } from './progress.ts'
import type { Leadership, State } from './state.ts'

/** The reachable voter that has the most of the log: the best next leader. One that is to lose its vote is none. */
export function bestTarget({ membership }: State, leadership: Leadership): Progress | undefined {
  let best: Progress | undefined
  for (const peer of leadership.peers) {
    if (!membership.isLastingVoter(peer.server.id)) continue
    const isBetter =
      best === undefined ||
      (peer.isReachable === best.isReachable ? peer.matchIndex > best.matchIndex : peer.isReachable)
    if (isBetter) best = peer
  }
  return best
}
