import {
  type Reduction,
  runSeed,
  type SeedResult,
  shrink,
  type ShrunkSeed,
  type StoryLine,
} from '@raftkit/simulator'
import { canary } from './canary.ts'

/** How every seed of a run is run. */
export interface SeedOptions {
  readonly profile: string
  readonly reduction: Reduction
  /** With a state machine that has a planted bug. */
  readonly canary: boolean
}

/** Runs one seed. */
export function runOne(
  seed: number,
  options: SeedOptions,
  onLine?: (line: StoryLine) => void,
): Promise<SeedResult> {
  const { profile, reduction } = options
  const guarded = { profile, reduction, guardRealTime: true, ...(onLine && { onLine }) }
  return options.canary ? runSeed(seed, { ...canary, ...guarded }) : runSeed(seed, guarded)
}

/** Makes a failing seed smaller. */
export function shrinkOne(
  seed: number,
  options: SeedOptions & { readonly maxRuns: number },
  onSmaller: (result: SeedResult, runs: number) => void,
): Promise<ShrunkSeed | undefined> {
  const { profile, reduction, maxRuns } = options
  if (options.canary) return shrink(seed, { ...canary, profile, reduction, maxRuns, onSmaller })
  return shrink(seed, { profile, reduction, maxRuns, onSmaller })
}
