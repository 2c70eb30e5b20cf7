import type { SeenStates } from '../checks/seen-states.ts'

/** What matters to the readers of one run of a server. */
export class ReadSide {
  /** What they saw. */
  readonly seen: SeenStates
  /** Answers of other servers that have come: without a new one no round can have been confirmed. */
  answers = 0
  /** World time at which the server ran again after a pause or stall. */
  wokeAt: number = -Infinity
  /** It knows that it was removed from the cluster, and not of having come back. */
  isRemoved = false

  constructor(seen: SeenStates) {
    this.seen = seen
  }
}
