import {
  type Reduction,
  runSeed,
  type SeedResult,
  shrink,
  type ShrunkSeed,
  type StoryLine,
} from '@raftkit/simulator'
import { canary } from './canary.ts'
import { KINDS } from './worlds/kinds.ts'

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
  const watched = { reduction, guardRealTime: true, ...(onLine && { onLine }) }
  const kind = KINDS[profile]
  if (kind !== undefined) return kind.run(seed, watched)
  const guarded = { profile, ...watched }
  return options.canary ? runSeed(seed, { ...canary, ...guarded }) : runSeed(seed, guarded)
}

/** Makes a failing seed smaller. */
export function shrinkOne(
  seed: number,
  options: SeedOptions & { readonly maxRuns: number },
  onSmaller: (result: SeedResult, runs: number) => void,
): Promise<ShrunkSeed | undefined> {
  const { profile, reduction, maxRuns } = options
  const kind = KINDS[profile]
  if (kind !== undefined) return kind.shrink(seed, { reduction, maxRuns, onSmaller })
  if (options.canary) return shrink(seed, { ...canary, profile, reduction, maxRuns, onSmaller })
  return shrink(seed, { profile, reduction, maxRuns, onSmaller })
}
