// New times and limits for a running server: what waits under the old times is looked at anew.
import { leaseChanged } from './election/check-quorum.ts'
import type { ConsensusTiming } from './options.ts'
import { newPreference, randomDeadline, type State } from './state/state.ts'

/**
 * From now on these times hold. A server that waits for a leader, or for votes, begins to wait anew when that wait has
 * another length now; a leader sends heartbeats at once, so that followers with shorter times hear of it in time.
 */
export function timingChanged(state: State, timing: ConsensusTiming): void {
  const before = state.timing
  state.timing = timing
  if (timing.leaderPriorities !== before.leaderPriorities)
    Object.assign(state.preference, newPreference())
  const isHeartbeatChanged = timing.heartbeatTimeoutMs !== before.heartbeatTimeoutMs
  const { leadership } = state
  if (leadership !== undefined) {
    if (isHeartbeatChanged) leadership.heartbeatAt = state.now
    leaseChanged(state, leadership, before.leaderLeaseTimeoutMs)
  } else if (state.role === 'follower') {
    if (isHeartbeatChanged)
      state.electionDeadline = randomDeadline(state, timing.heartbeatTimeoutMs)
  } else if (timing.electionTimeoutMs !== before.electionTimeoutMs)
    state.electionDeadline = randomDeadline(state, timing.electionTimeoutMs)
}
