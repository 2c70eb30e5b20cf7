// A kind of world that `pnpm sim --profile` knows beside the profiles of the simulator: other machines, clients and code
// around Raft.
import type { StateMachine } from '@raftkit/interface'
import {
  runSeed,
  type SeedResult,
  shrink,
  type ShrunkSeed,
  type SimulationOptions,
} from '@raftkit/simulator'

/** How a seed is run, whatever its kind. */
export type RunOptions = Pick<SimulationOptions, 'reduction' | 'guardRealTime' | 'onLine'>

/** How a seed is made smaller, whatever its kind. */
export interface SmallerOptions extends RunOptions {
  readonly maxRuns?: number
  readonly onSmaller?: (result: SeedResult, runs: number) => void
}

/** One kind of world. */
export interface Kind {
  /** Its situations, which a thousand seeds must reach. */
  readonly marks: readonly string[]
  readonly run: (seed: number, options: RunOptions) => Promise<SeedResult>
  readonly shrink: (seed: number, options: SmallerOptions) => Promise<ShrunkSeed | undefined>
}

/** A kind of world of these parts. */
export function kindOf<M extends StateMachine<Output>, Input, Output>(
  marks: readonly string[],
  parts: Pick<
    SimulationOptions<M, Input, Output>,
    'profile' | 'stateMachine' | 'workload' | 'layer' | 'check'
  >,
): Kind {
  return {
    marks,
    run: (seed, options) => runSeed(seed, { ...parts, ...options }),
    shrink: (seed, options) => shrink(seed, { ...parts, ...options }),
  }
}
