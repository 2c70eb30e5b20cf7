import type { WorldOptions } from './world-options.ts'

/** The part of a lease that raft-core takes off for clocks that drift. */
const MARGIN = 0.9

/**
 * True in worlds where lease reads are promised to be linearizable: no clock jumps, and on no pair of clocks does a
 * leader's lease outlast the heartbeat timeout for which a voter refuses to vote for others.
 */
export function isLeaseSafe({
  configs,
  otherConfigs,
  clockRates,
  intervals,
}: WorldOptions): boolean {
  if (Number.isFinite(intervals['clock jump'])) return false
  let longestLease = 0
  let shortestRefusal = Infinity
  for (const [place, rate] of clockRates.entries())
    for (const config of [configs[place]!, otherConfigs[place]!]) {
      const { leaderLeaseTimeoutMs, heartbeatTimeoutMs } = config
      const lease = MARGIN * Math.min(leaderLeaseTimeoutMs, heartbeatTimeoutMs)
      longestLease = Math.max(longestLease, lease / rate)
      shortestRefusal = Math.min(shortestRefusal, heartbeatTimeoutMs / rate)
    }
  return longestLease <= shortestRefusal
}
