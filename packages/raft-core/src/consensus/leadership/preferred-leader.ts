// Leadership goes to the server that shall have it, when it can: a leader hands over to a voter of higher priority that has
// been steady for a while. Elections know nothing of it: any voter may lead when the preferred one cannot, and members
// that know no priorities (hashicorp/raft) need not, for it is an ordinary transfer (dissertation §3.10).
//
// It ends, whatever the servers disagree about. Each hand-over of a server makes it wait twice as long before the next, up
// to 64 times as long: a server that leads well for a while only, again and again, gets leadership ever more seldom. And a
// server to which leadership is handed back soon after it handed it over notes that somebody wants it otherwise: the third
// time it lets the matter rest, until its priorities are set anew, it is started anew, or leadership comes back to it much
// later. So n servers that disagree hand leadership around at most 3 n times.
import { requestTransfer } from './leadership-transfer.ts'
import { isLongAgo, priorityOf, waitBefore } from '../state/preference.ts'
import type { Progress } from '../state/progress.ts'
import { isVoter } from '../configuration/quorum.ts'
import type { Leadership, State } from '../state/state.ts'

/** Nobody waits for these transfers. */
const NOBODY = 0

/** How often leadership may be handed back. */
const MOST_RETURNS = 3

/** Hands over to the voter of highest priority above the own that has been steady for long enough, if there is one. */
export function offerLeadership(state: State, leadership: Leadership): void {
  const own = priorityOf(state, state.self.id)
  const waitMs = waitBefore(state)
  let best: Progress | undefined
  for (const peer of leadership.peers) {
    const priority = priorityOf(state, peer.server.id)
    if (priority <= own) continue
    peer.steadySince = isSteady(state, leadership, peer)
      ? Math.min(peer.steadySince, state.now)
      : Infinity
    if (state.now - peer.steadySince < waitMs) continue
    if (best === undefined || priority > priorityOf(state, best.server.id)) best = peer
  }
  if (best !== undefined && mayOffer(state, leadership)) offer(state, leadership, best, own)
}

function offer(state: State, leadership: Leadership, peer: Progress, own: number): void {
  const { preference } = state
  const { id } = peer.server
  if (isLongAgo(state)) preference.offers = 0
  preference.at = state.now
  preference.offers++
  // Should it come to nothing, all of them must be steady anew, for twice as long.
  for (const other of leadership.peers) other.steadySince = Infinity
  const reason = `${id} has priority ${priorityOf(state, id)}, this server ${own}`
  state.effects.push({ type: 'leadership-offered', to: id, reason })
  requestTransfer(state, NOBODY, id)
}

/** Answers, and has about all of the log: it could lead at once. */
function isSteady(state: State, leadership: Leadership, peer: Progress): boolean {
  const { heartbeatTimeoutMs, maxInflightAppends, maxAppendEntries } = state.timing
  return (
    isVoter(peer.server) &&
    peer.departure === undefined &&
    peer.isReachable &&
    !peer.isDiskLost &&
    peer.state === 'pipeline' &&
    state.now - peer.lastContact <= heartbeatTimeoutMs / 2 &&
    peer.matchIndex >= leadership.firstIndex &&
    state.log.lastIndex - peer.matchIndex <= maxInflightAppends * maxAppendEntries
  )
}

/** Nothing else is under way, and nobody keeps handing leadership back. */
function mayOffer(state: State, leadership: Leadership): boolean {
  const { latest, committed } = state.membership
  return (
    state.preference.returned < MOST_RETURNS &&
    leadership.transfer === undefined &&
    leadership.restore === undefined &&
    leadership.voters.selfVotes &&
    leadership.changes.length === 0 &&
    leadership.stagedChanges.size === 0 &&
    leadership.plans.length === 0 &&
    latest.configuration.next === undefined &&
    latest.index === committed.index &&
    state.commitIndex >= leadership.firstIndex
  )
}
