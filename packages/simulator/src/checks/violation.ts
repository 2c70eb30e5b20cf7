/** The checks of a simulation by name. */
export type CheckName =
  | 'election safety'
  | 'leader append-only'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'durable quorum'
  | 'nothing goes back'
  | 'one vote per term'
  | 'persist, then promise'
  | 'acknowledged stays'
  | 'reads see what was acknowledged'
  | 'bounded reads are new enough'
  | 'reads see one committed state'
  | 'removed servers refuse reads'
  | 'readers share questions'
  | 'configurations overlap'
  | 'removed servers keep quiet'
  | 'damage is found'
  | 'store contract'
  | 'honest outcomes'
  | 'applied once'
  | 'linearizability'
  | 'every promise settles'
  | 'every run ends'
  | 'nothing but the seed'
  | 'nothing left over'
  | 'liveness'
  | 'steady leadership'
  | 'no server breaks'
  | 'determinism'
  | 'snapshot round trip'
  | 'own check'

/** What does not hold. */
export interface Violation {
  readonly check: CheckName
  /** What was seen, in a sentence or several lines. */
  readonly message: string
}

/** Takes violations; the first one ends the run. */
export type Violate = (check: CheckName, message: string) => void
