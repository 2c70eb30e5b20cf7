// What may leave the log once a snapshot covers it (§7).
import { invariant } from '../invariant.ts'
import type { SnapshotPoint } from '../messages.ts'
import type { State } from '../state/state.ts'

/** How many times `trailingLogs` entries are kept at most for a peer that is being sent a snapshot. */
const MOST_TRAILING = 4

/** A snapshot of the own state machine is durable: entries that nobody needs any more go. */
export function snapshotSaved(state: State, { index, term }: SnapshotPoint): void {
  const { log } = state
  if (index <= log.snapshot.index) return
  invariant(
    index <= state.appliedIndex,
    `a snapshot holds what was applied: it ends at ${index}, applied is ${state.appliedIndex}`,
  )
  invariant(
    log.termAt(index) === term,
    `the snapshot at ${index} has term ${term}, the log has ${log.termAt(index)}`,
  )
  log.snapshotSaved({ index, term })
  const to = compactTo(state)
  if (to < log.firstIndex) return
  log.compact(to)
  state.effects.push({ type: 'compact-log', to })
}

/**
 * Keeps `trailingLogs` entries for slow peers. While a snapshot is on its way to a peer, the entries after it stay
 * too, or the peer would need the next snapshot as soon as it has this one; but never more than four times
 * `trailingLogs`, so a peer that never finishes does not fill the disk.
 */
function compactTo(state: State): number {
  const { log, timing, leadership } = state
  let to = Math.min(log.snapshot.index, log.lastIndex - timing.trailingLogs)
  if (leadership === undefined) return to
  for (const { snapshot } of leadership.peers)
    if (snapshot !== undefined) to = Math.min(to, snapshot.index)
  const bound = log.lastIndex - MOST_TRAILING * timing.trailingLogs
  return Math.max(to, Math.min(log.snapshot.index, bound))
}
