import type { Index, ServerId } from '@raftkit/interface'
import type { AppliedLog } from './applied-log.ts'
import type { CommittedLog } from './committed-log.ts'
import type { Violate } from './violation.ts'

/** A state machine as a reader finds it. */
export interface ReadState {
  /** Index of the command that it was given last. */
  readonly index: Index
  /** Hash over all commands that it was given. */
  readonly chain: number
  readonly isRestoring: boolean
}

/** What a {@link SeenStates} works with. */
export interface SeenStatesParts {
  readonly id: ServerId
  readonly machine: ReadState
  readonly committed: Pick<CommittedLog, 'reaches'>
  readonly applied: Pick<AppliedLog, 'has'>
  readonly violate: Violate
}

/**
 * The states that readers of one run of a server are shown, whatever consistency they asked for: each is the one history
 * up to some committed entry, whole, and never earlier than what a reader was shown before. (A restore that a leader has
 * made and not yet committed may be seen by stale and bounded reads.)
 */
export class SeenStates {
  readonly #parts: SeenStatesParts
  #last: Index = 0

  constructor(parts: SeenStatesParts) {
    this.#parts = parts
  }

  /** The highest entry that a reader was shown. */
  get last(): Index {
    return this.#last
  }

  /** A reader looks at the state machine, which has applied everything up to `appliedIndex`. */
  look(appliedIndex: Index): void {
    const { id, machine, committed, applied } = this.#parts
    if (machine.isRestoring) this.#wrong(`${id} lets a read see a state that is being replaced`)
    else if (!applied.has(machine.index, machine.chain))
      this.#wrong(`${id} lets a read see other commands than others applied to ${machine.index}`)
    const index = Math.max(appliedIndex, machine.index)
    if (!committed.reaches(index))
      this.#wrong(`${id} lets a read see entry ${index}, which is not committed`)
    if (appliedIndex < this.#last)
      this.#wrong(`${id} lets a read see entry ${appliedIndex}, an earlier one saw ${this.#last}`)
    this.#last = Math.max(this.#last, appliedIndex)
  }

  #wrong(message: string): void {
    this.#parts.violate('reads see one committed state', message)
  }
}
