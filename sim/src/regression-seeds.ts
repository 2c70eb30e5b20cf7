import type { Reduction } from '@raftkit/simulator'

/** A seed that found a bug once. */
export interface RegressionSeed {
  readonly seed: number
  readonly profile: string
  readonly reduction?: Reduction
  /** What was wrong. */
  readonly found: string
}

/**
 * Every seed that ever found a bug, for `--regressions`. Seeds are drawn anew when the drawing of worlds changes, so each
 * bug also has a test of its own; what stays here is cheap and may find it again.
 */
export const REGRESSION_SEEDS: readonly RegressionSeed[] = [
  { seed: 247, profile: 'default', found: 'a timer that was set after a shutdown' },
  {
    seed: 265,
    profile: 'default',
    found: 'a rejected forward that did not say what is known of it',
  },
  {
    seed: 293,
    profile: 'default',
    found:
      'a server with a new disk that refused its vote to the only candidate, by an old configuration',
  },
  {
    seed: 539,
    profile: 'lease',
    found: 'a learner that somebody needed, and that alone could have been elected',
  },
  {
    seed: 33,
    profile: 'default',
    found: 'a stale read that saw a state machine in the middle of a restore',
  },
]
