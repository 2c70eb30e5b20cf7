// What the process of a hunt tells the one that started it.

/** What came of a hunt. */
export type Finding =
  /** A check or a test says what is wrong. */
  | {
      readonly outcome: 'caught'
      /** Name of the check, or of the test. */
      readonly by: string
      readonly message: string
    }
  /** Nothing was noticed. */
  | { readonly outcome: 'survived' }
  /** The machinery itself failed: this proves nothing. */
  | { readonly outcome: 'error'; readonly message: string }

/** One seed, or one file of tests, is done. */
export interface HuntMessage {
  readonly finding: Finding
}

/** Errors of JavaScript itself: a mutant that is badly written, not a check that noticed it. */
const CODING_ERROR =
  /is not defined|is not a function|is not iterable|Cannot (read|set) properties|before initialization|Assignment to constant/

/** What a failure proves: nothing, when its message shows that the mutant's own code does not even run. */
export function findingOf(by: string, message: string): Finding {
  return CODING_ERROR.test(message)
    ? { outcome: 'error', message: `the mutated code does not run: ${message}` }
    : { outcome: 'caught', by, message }
}
