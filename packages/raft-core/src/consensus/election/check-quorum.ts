// A leader that a quorum of voters does not answer steps down (dissertation §6.2). Contact counts from when the
// answered request was sent: what the peer did after that, nobody knows.
import type { Progress } from '../state/progress.ts'
import { isVoter } from '../configuration/quorum.ts'
import { becomeFollower } from './roles.ts'
import type { Leadership, State } from '../state/state.ts'

/** Why a leader steps down that no quorum answers. */
export const LEASE_LOST = 'no answer from a quorum within the lease'

const lastContactOf = (peer: Progress): number => peer.lastContact

/** Until when the answers of a quorum let this leader believe that it still leads. */
function leaseEnd(state: State, leadership: Leadership): number {
  const contact = leadership.voters.reached(Infinity, lastContactOf)
  if (contact >= leadership.stalledAt) leadership.leaseExtensionMs = 0
  return contact + state.timing.leaderLeaseTimeoutMs + leadership.leaseExtensionMs
}

/** True when a quorum has answered something sent within the lease, and since the last stall. */
export function hasLease(state: State, leadership: Leadership): boolean {
  const contact = leadership.voters.reached(Infinity, lastContactOf)
  return contact >= leadership.stalledAt && state.now < contact + state.timing.leaderLeaseTimeoutMs
}

/** Clocks of two servers run apart by no more than this part of a lease. */
const CLOCK_DRIFT = 0.1

/**
 * True when no other server can have been elected: the voters of a quorum give no vote within a heartbeat timeout of
 * hearing this leader (§6, dissertation §6.4.1), nor of their own start. Counted from when the request was sent, less
 * what clocks may drift; void after a stall, and with voters that do not keep to it after a restart (hashicorp/raft).
 */
export function hasReadLease(state: State, leadership: Leadership): boolean {
  const { leaderLeaseTimeoutMs, heartbeatTimeoutMs } = state.timing
  const leaseMs = Math.min(leaderLeaseTimeoutMs, heartbeatTimeoutMs) * (1 - CLOCK_DRIFT)
  const contact = leadership.voters.reached(Infinity, lastContactOf)
  if (contact < leadership.stalledAt || state.now >= contact + leaseMs) return false
  // A TimeoutNow that comes late makes its target campaign in spite of this leader.
  if (leadership.hasAskedToCampaign) return false
  // Nor does it hold with a voter that has not answered yet: its contact is only what a new peer is given.
  return leadership.peers.every((peer) => peer.isRaftkit || !isVoter(peer.server))
}

/** Steps down when the lease has run out. */
export function checkQuorum(state: State, leadership: Leadership): void {
  if (state.now < leadership.leaseCheckAt) return
  const end = leaseEnd(state, leadership)
  if (state.now >= end) becomeFollower(state, state.hardState.term, LEASE_LOST)
  else leadership.leaseCheckAt = end
}

/**
 * The lease had `beforeMs` until now. The answers so far were asked for at the pace of the old one: when the new one is
 * shorter, they count as long as it said, until answers to what is sent from now on are there.
 */
export function leaseChanged(state: State, leadership: Leadership, beforeMs: number): void {
  const shorterBy = beforeMs - state.timing.leaderLeaseTimeoutMs
  if (shorterBy === 0) return
  leadership.leaseCheckAt = state.now
  if (shorterBy < 0) return
  leadership.stalledAt = state.now
  leadership.leaseExtensionMs += shorterBy
}

/**
 * The event loop stood still. Answers may be waiting, and none was asked for meanwhile, so the time of the stall
 * does not count against the quorum; nor does anything heard before prove leadership any more.
 */
export function leaseStalled(state: State, leadership: Leadership, forMs: number): void {
  leadership.stalledAt = state.now
  leadership.leaseExtensionMs += forMs
  leadership.leaseCheckAt += forMs
}
