import { RaftError, type Term } from '@raftkit/interface'

/** One period in which this node leads. */
export interface Leadership {
  readonly term: Term
  /**
   * A number to hand to whatever the leader writes to: a resource that refuses a token lower than the highest it has
   * seen is safe from a leader that does not know yet that it was replaced. A node gives the term: at most one server
   * leads in a term, and terms only grow. An election gives the index of an entry that this leader had committed when
   * its leadership began: every later leader has that entry, and commits its own behind it.
   */
  readonly fencingToken: number
  /** Aborted when this node leads no more, or stops. Whoever ignores it relies on the fencing token alone. */
  readonly signal: AbortSignal
}

/** Work that only a leader does. */
export type LeadershipCallback = (leadership: Leadership) => void | Promise<void>

/** What the signal of a leadership is aborted with. */
export function leadershipOver(term: Term, reason: string): RaftError {
  return new RaftError('RAFT_LEADERSHIP_LOST', `Leadership of term ${term} is over: ${reason}.`)
}
