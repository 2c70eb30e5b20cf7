// A disk that hangs or fails. A leader with a sick disk can send heartbeats for ever and commit nothing, so it must
// go; and whoever cannot save a vote must not give one.
import { becomeFollower, stop } from './election/roles.ts'
import { randomDeadline, type State } from './state/state.ts'

/** A write hangs: no leading, no campaigning and no voting until it is over. */
export function storageStalled(state: State): void {
  state.isStorageStalled = true
  if (state.role !== 'follower') becomeFollower(state, state.hardState.term, 'the disk is stalled')
}

/** The write has ended. */
export function storageRecovered(state: State): void {
  if (!state.isStorageStalled) return
  state.isStorageStalled = false
  state.electionDeadline = randomDeadline(state, state.timing.heartbeatTimeoutMs)
}

/** A write failed. What is on disk is unknown, so this server takes no further part until it is started anew. */
export function storageFailed(state: State, message: string): void {
  stop(state, `the disk failed: ${message}`)
}
