// When a server that is to have a vote has caught up (dissertation §4.2.1): a server that is far behind with a vote would be one
// that the quorum waits for.
import type { Progress } from '../state/progress.ts'
import type { State } from '../state/state.ts'

/**
 * Replication goes in rounds, each up to where the log ended when it began. One that takes less than an election
 * timeout shows that the server keeps up: if it had to lead or to be waited for, nobody would notice.
 */
export function hasCaughtUp(state: State, peer: Progress): boolean {
  const { lastIndex } = state.log
  const round = peer.catchUp
  if (round === undefined) {
    peer.catchUp = { target: lastIndex, startedAt: state.now }
    return false
  }
  if (peer.matchIndex < round.target) return false
  if (state.now - round.startedAt < state.timing.electionTimeoutMs) return peer.isReachable
  peer.catchUp = { target: lastIndex, startedAt: state.now }
  return false
}
