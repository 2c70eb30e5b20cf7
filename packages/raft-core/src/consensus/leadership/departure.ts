// How a server leaves the membership (dissertation §4.2.2): a removed server is told, a leader hands over first.
import { send } from '../state/outgoing.ts'
import { becomeFollower } from '../election/roles.ts'
import type { Leadership, State } from '../state/state.ts'
import { bestTarget, timeoutNow } from './transfer-target.ts'

/** Other configurations are known now: a server that was in one of them and is in none any more has been removed. */
export function noteRemoval(state: State, wasMember: boolean): void {
  if (wasMember && !state.membership.has(state.self.id) && state.leadership === undefined)
    state.effects.push({ type: 'removed', wasLeader: false })
}

/**
 * A leader whose vote is gone, and that is committed: everything it appended is, for it took no more proposals. The
 * voter with the whole log takes over at once.
 */
export function leaveOffice(state: State, leadership: Leadership): void {
  const isRemoved = !state.membership.has(state.self.id)
  const target = bestTarget(state, leadership)
  becomeFollower(state, state.hardState.term, 'no longer a voter of the committed configuration')
  const sendId =
    target?.matchIndex === state.log.lastIndex
      ? send(state, target.server, timeoutNow(target, leadership))
      : 0
  state.handOver = { sendId, isRemoved }
  if (sendId === 0) handedOver(state, sendId)
}

/** The TimeoutNow of a leader that left was answered, or failed. */
export function handedOver(state: State, sendId: number): void {
  const { handOver } = state
  if (handOver?.sendId !== sendId) return
  state.handOver = undefined
  if (handOver.isRemoved) state.effects.push({ type: 'removed', wasLeader: true })
}

/** The removal of servers is committed: they hear of it now, for an election timeout at most. */
export function tellDeparted(state: State, leadership: Leadership): void {
  for (const peer of leadership.peers) {
    const { departure } = peer
    if (departure === undefined || departure.index > state.commitIndex) continue
    peer.commitNoticeAt = Math.min(peer.commitNoticeAt, state.now)
    departure.deadline = Math.min(departure.deadline, state.now + state.timing.electionTimeoutMs)
  }
}

/** Follows a removed server no longer once it knows, or when it does not answer. */
export function dropDeparted(state: State, leadership: Leadership): void {
  if (!leadership.peers.some(({ departure }) => departure !== undefined)) return
  leadership.peers = leadership.peers.filter((peer) => {
    const { departure } = peer
    const isOver =
      departure !== undefined &&
      (peer.knownCommit >= departure.index || state.now >= departure.deadline)
    if (isOver) state.effects.push({ type: 'drop-sends', peer: peer.server.id })
    return !isOver
  })
}
