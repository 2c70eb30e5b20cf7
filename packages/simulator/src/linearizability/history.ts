// What clients did and saw: the input of the checker.

/** One call of one client. Times are of one clock for all clients; any unit will do. */
export interface Operation<Input, Output> {
  readonly client: string
  readonly input: Input
  /** When it was called. */
  readonly calledAt: number
  /** When the answer came; undefined when the outcome is unknown: it may take effect later, or never. */
  readonly returnedAt: number | undefined
  /** The answer; undefined when the outcome is unknown. */
  readonly output: Output | undefined
}

/**
 * What the object under test does when it is called by one client after the other. States are plain values that are
 * never changed in place.
 */
export interface SequentialModel<State, Input, Output> {
  readonly initial: State
  /**
   * The state after `input`, or undefined when `input` cannot give `output` in `state`. An undefined `output` is an
   * unknown one: then anything goes.
   */
  step(
    state: State,
    input: Input,
    output: Output | undefined,
  ): { readonly state: State } | undefined
  /** The part of the object that `input` touches, when operations on different parts do not affect each other. */
  partOf?(input: Input): string
  /** The same text exactly for equal states. Default: `JSON.stringify`. */
  stateKey?(state: State): string
  /** An operation in words, for transcripts. */
  describe?(input: Input, output: Output | undefined): string
}
