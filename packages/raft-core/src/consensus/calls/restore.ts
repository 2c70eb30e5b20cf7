// Giving a running cluster the state of a snapshot that does not come from its log (hashicorp/raft's user restore): the
// way back to a backup.
//
// The leader receives the snapshot, takes no proposals meanwhile, and gives it an index that no entry has, in its own
// term. When all bytes are there it makes the one step that cannot be taken back (`restoreReceived`): its log ends at that
// index now, as if a leader's snapshot had been installed, and there is nothing before it. No server starts from a gap:
// the snapshot is durable before the log goes, a crash before that leaves the old state whole, and followers, whose logs
// end before the index, are sent the snapshot because nothing else can be sent to them.
//
// Nothing is confirmed to anyone before a quorum has followed: reads, changes of the membership and commits wait for a
// no-op after the snapshot, as those of a new leader do (§5.4.2). As a vote needs a log that is up to date (§5.4.1), the
// restored state cannot be lost once that no-op is committed. If leadership is lost before, the next leader may not have it;
// it then writes an entry of its own term at an index that the snapshot covers, by which the few servers that have it see
// that the cluster went on without them: they stop, with that message, and must be emptied.
import type { Index } from '@raftkit/interface/protocol'
import type { RestoreRefusal } from '../effects.ts'
import { invariant } from '../invariant.ts'
import { randomDeadline, type Leadership, type State } from '../state/state.ts'

/** A caller asks to restore a snapshot that reached `atLeast` where it was taken. */
export function requestRestore(state: State, restoreId: number, atLeast: Index): void {
  const { leadership, log, membership } = state
  const refusal = refusalOf(state)
  if (leadership === undefined || refusal !== undefined) {
    end(state, restoreId, refusal ?? 'not-leader', false)
    return
  }
  const index = Math.max(log.lastIndex, atLeast) + 1
  const { term } = leadership
  leadership.restore = { restoreId, index, phase: 'receiving' }
  const configuration = membership.committed
  state.effects.push({ type: 'receive-restore', restoreId, index, term, configuration })
}

/** All of the snapshot is at hand: it takes the place of the log, whatever happens from now on. */
export function restoreReceived(state: State, restoreId: number): void {
  const { leadership, log } = state
  const restore = leadership?.restore
  if (leadership === undefined || restore?.restoreId !== restoreId) return
  const { index } = restore
  invariant(
    index > log.lastIndex,
    `entry ${log.lastIndex} was appended during a restore at ${index}`,
  )
  restore.phase = 'installing'
  state.restoring = { restoreId, index }
  log.install({ index, term: leadership.term }, false)
  state.commitIndex = index
  state.appliedIndex = index
  leadership.firstIndex = index + 1
  for (const { readId } of leadership.reads) leadership.readsBeforeCommit.push(readId)
  leadership.reads = []
  for (const peer of leadership.peers) {
    state.effects.push({ type: 'drop-sends', peer: peer.server.id })
    peer.enterProbe(peer.matchIndex + 1)
  }
  state.effects.push({ type: 'install-restore', restoreId })
}

/** The snapshot is durable, the state machine holds it and the log is gone: the others follow now. */
export function restoreInstalled(state: State, restoreId: number): void {
  const { restoring, leadership, log } = state
  if (restoring?.restoreId !== restoreId) return
  state.restoring = undefined
  state.durableIndex = Math.max(state.durableIndex, restoring.index)
  const restore = leadership?.restore
  if (leadership === undefined || restore === undefined) {
    state.electionDeadline = randomDeadline(state, state.timing.heartbeatTimeoutMs)
    return
  }
  restore.phase = 'committing'
  const { term } = leadership
  log.append(1, term)
  state.effects.push({ type: 'append-noop', index: log.lastIndex, term })
}

/** The caller does not wait any more: what has not begun never will. */
export function withdrawRestore({ leadership }: State, restoreId: number): void {
  const restore = leadership?.restore
  if (leadership !== undefined && restore?.restoreId === restoreId && restore.phase === 'receiving')
    leadership.restore = undefined
}

/** Something was committed: after a restore that is the no-op, so a quorum has the restored state. */
export function restoreCommitted(state: State, leadership: Leadership): void {
  const { restore } = leadership
  if (restore === undefined || state.commitIndex <= restore.index) return
  leadership.restore = undefined
  state.effects.push({ type: 'restore-ended', restoreId: restore.restoreId })
}

/** Leadership is over before the restore was: unless it had not begun, the next leader may have it or not. */
export function orphanRestore(
  state: State,
  { restore }: Leadership,
  reason: 'leadership-lost' | 'stopped',
): void {
  if (restore !== undefined) end(state, restore.restoreId, reason, restore.phase !== 'receiving')
}

/** True while proposals would not survive the restore. */
export function isRestoring({ restore }: Leadership): boolean {
  return restore !== undefined && restore.phase !== 'committing'
}

function refusalOf({ leadership, membership, commitIndex }: State): RestoreRefusal | undefined {
  if (leadership === undefined) return 'not-leader'
  if (leadership.transfer !== undefined || !leadership.voters.selfVotes)
    return 'transfer-in-progress'
  if (leadership.restore !== undefined) return 'restore-in-progress'
  const isSettled =
    membership.latest.index === membership.committed.index &&
    !membership.isJoint &&
    commitIndex >= leadership.firstIndex
  return isSettled ? undefined : 'configuration-pending'
}

function end(state: State, restoreId: number, refusal: RestoreRefusal, hasBegun: boolean): void {
  state.effects.push({ type: 'restore-ended', restoreId, refusal, hasBegun })
}
