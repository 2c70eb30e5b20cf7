// What the parts of the state machine suite share.

/** What a state machine supports. */
export interface StateMachineManifest {
  /** Equal states give equal snapshot bytes, whether they were applied or restored. Without it, give `inspect`. */
  readonly canonicalSnapshots: boolean
  /** A restore from less than a whole snapshot rejects. */
  readonly detectsTruncation: boolean
  /** Has `applyBatch`. */
  readonly applyBatch: boolean
}

/** Registers one case. */
export type StateMachineCase = (title: string, body: () => Promise<void>) => void
