// Who shall lead, and what a server remembers of the hand-overs that it made by itself (see preferred-leader.ts).
import type { ServerId } from '@raftkit/interface/protocol'
import type { State } from './state.ts'

/** Election timeouts for which a server must be steady before it is given leadership. */
const STEADY_TIMEOUTS = 10

/** How often the time doubles. */
const MOST_DOUBLINGS = 6

/** This server leads from now on: has leadership come back to it? */
export function noteLeadership(state: State): void {
  const { preference } = state
  if (isLongAgo(state)) {
    preference.offers = 0
    preference.returned = 0
  } else if (preference.wasAsked) preference.returned++
}

/** A server that means to hand leadership back has done so by now. */
export function isLongAgo(state: State): boolean {
  return state.now - state.preference.at > 2 * steadyTime(state) * 2 ** MOST_DOUBLINGS
}

/** For how long, in milliseconds, a server must be steady at first. */
function steadyTime({ timing }: State): number {
  return STEADY_TIMEOUTS * timing.electionTimeoutMs
}

/** For how long, in milliseconds, a server must be steady now. */
export function waitBefore(state: State): number {
  return steadyTime(state) * 2 ** Math.min(state.preference.offers, MOST_DOUBLINGS)
}

/** 0 for a server that is not named. */
export function priorityOf({ timing }: State, id: ServerId): number {
  const { leaderPriorities } = timing
  // Ids may be names that every object knows.
  if (leaderPriorities === undefined || !Object.hasOwn(leaderPriorities, id)) return 0
  return leaderPriorities[id] ?? 0
}
