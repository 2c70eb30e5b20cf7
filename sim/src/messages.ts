// What the main process and its workers say to each other.
import type { CheckName } from '@raftkit/simulator'
import type { SeedOptions } from './seed-options.ts'

/** A seed for a worker to run. */
export interface Job extends SeedOptions {
  readonly seed: number
}

/** What a worker says: that it takes jobs, and what came of each. */
export type WorkerMessage = 'ready' | SeedMessage

/** What a worker says of one seed. */
export interface SeedMessage {
  readonly seed: number
  readonly failure: SeedFailure | undefined
  readonly historyUndecided: boolean
  readonly simulatedMs: number
  /** Time that the seed took on its core. */
  readonly busyMs: number
  readonly events: number
  readonly calls: number
  readonly committed: number
  /** The simulator's, and those of the kind of world. */
  readonly marks: Readonly<Record<string, number>>
}

/** A seed that violates something. */
export interface SeedFailure {
  readonly seed: number
  readonly check: CheckName
  readonly message: string
  /** Arguments of `pnpm sim` that run it again. */
  readonly replay: string
  /** The failure in words, with the last events. */
  readonly text: string
}

/** A seed that could not be run to its end. */
export interface BrokenSeed {
  readonly job: Job
  readonly reason: string
}
