// Linearizable reads (dissertation §6.4): proof, newer than the question, that this server still leads.
import { hasReadLease } from '../election/check-quorum.ts'
import type { Refusal } from '../effects.ts'
import type { Progress } from '../state/progress.ts'
import type { Leadership, State } from '../state/state.ts'

const ackedRoundOf = (peer: Progress): number => peer.ackedRound

/**
 * A caller asks for proof. It is confirmed by a heartbeat round that begins after this moment; answers to earlier
 * ones never count, however late they come. Many reads share one round.
 */
export function requestRead(
  state: State,
  readId: number,
  needsIndex: boolean,
  onLease = false,
): void {
  const { leadership } = state
  if (leadership === undefined) refuse(state, readId, 'not-leader')
  // From here on the target may lead at any moment.
  else if (leadership.transfer?.sendId !== undefined) refuse(state, readId, 'transfer-in-progress')
  else if (needsIndex && state.commitIndex < leadership.firstIndex)
    // Until then the commit index may be behind what earlier leaders acknowledged.
    leadership.readsBeforeCommit.push(readId)
  else if (onLease && hasReadLease(state, leadership))
    state.effects.push({ type: 'read-confirmed', readId, index: state.commitIndex })
  else {
    leadership.reads.push({ readId, index: state.commitIndex, round: leadership.round + 1 })
    confirmReads(state, leadership)
  }
}

/** The first entry of the term is committed: reads that waited for it can take their index. */
export function releaseReads(state: State, leadership: Leadership): void {
  if (leadership.readsBeforeCommit.length === 0) return
  const round = leadership.round + 1
  for (const readId of leadership.readsBeforeCommit)
    leadership.reads.push({ readId, index: state.commitIndex, round })
  leadership.readsBeforeCommit = []
  confirmReads(state, leadership)
}

/** Confirms the reads whose round a quorum of voters has answered. */
export function confirmReads(state: State, leadership: Leadership): void {
  const { reads } = leadership
  if (reads.length === 0) return
  const confirmed = leadership.voters.reached(Infinity, ackedRoundOf)
  let count = 0
  while (count < reads.length && reads[count]!.round <= confirmed) {
    const { readId, index } = reads[count]!
    state.effects.push({ type: 'read-confirmed', readId, index })
    count++
  }
  if (count > 0) leadership.reads = reads.slice(count)
}

/** True when a read waits for a round that has not begun, and no earlier read waits for one that has. */
export function needsRound(leadership: Leadership): boolean {
  const first = leadership.reads[0]
  return first !== undefined && first.round > leadership.round
}

/** After a stall nothing that was sent before it proves anything: every read waits for a new round. */
export function readsStalled(leadership: Leadership): void {
  const round = leadership.round + 1
  leadership.reads = leadership.reads.map(({ readId, index }) => ({ readId, index, round }))
}

function refuse(state: State, readId: number, reason: Refusal): void {
  state.effects.push({ type: 'read-refused', readId, reason })
}
