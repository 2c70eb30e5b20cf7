// What a run of one seed is given, and what comes of it.
import type { StateMachine } from '@raftkit/interface'
import type { recoverCluster } from '@raftkit/raft-core'
import type { Violation } from '../checks/violation.ts'
import type { Mark } from '../marks/marks.ts'
import type { Reduction } from '../shrinking/reduction.ts'
import type { StoryLine } from '../story/trace.ts'
import type { Layer } from '../server/layer.ts'
import type { Workload } from '../workload/workload.ts'
import type { WorldOptions } from './world-options.ts'

/** What a run is made of beside its options. */
export interface RunParts<M extends StateMachine<Output>, Input, Output> {
  readonly newMachine: () => M
  readonly workload: Workload<M, Input, Output>
  readonly check?: ((machine: M) => string | undefined) | undefined
  readonly reduction?: Reduction
  readonly maxEvents?: number | undefined
  readonly guardRealTime?: boolean | undefined
  readonly layer?: Layer<M, Input, Output> | undefined
  readonly onLine?: ((line: StoryLine) => void) | undefined
  /** What recovers servers after a disaster. Default: the product's. */
  readonly recoverCluster?: typeof recoverCluster | undefined
}

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number
  readonly profile: string
  /** Equal for two runs of one seed, in any process. */
  readonly traceHash: string
  /** What was found wrong; undefined when nothing was. */
  readonly violation: Violation | undefined
  /** The last things that happened, in words; only after a violation. */
  readonly story: readonly string[]
  /** What was left out of the seed. */
  readonly reduction: Reduction
  /** The world that was run, for people. */
  readonly options: WorldOptions
  readonly simulatedMs: number
  readonly events: number
  /** Calls that clients made. */
  readonly calls: number
  /** Entries that were committed. */
  readonly committed: number
  /** True when the judge could not decide within its limits whether the history is right: then nothing is known of it. */
  readonly historyUndecided: boolean
  /** Named situations that were reached, with how often. */
  readonly marks: Readonly<Partial<Record<Mark, number>>>
  /** The same of situations that a layer has named. */
  readonly ownMarks: Readonly<Record<string, number>>
}
