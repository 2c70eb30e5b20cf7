// Reads that clients make.
import type { StateMachine } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import { isLeaseSafe } from '../world/lease-safety.ts'
import type { World } from '../world/world.ts'
import type { Reached } from './reached.ts'

/** Consistency of a read that belongs into the history. */
export type StrongConsistency = 'linearizable' | 'lease'

/** The reads of one client. */
export class Reads<M extends StateMachine<R>, R> {
  readonly #world: World<M, R>
  readonly #random: Stream
  readonly #isLeaseSafe: boolean

  constructor(world: World<M, R>, random: Stream) {
    this.#world = world
    this.#random = random
    this.#isLeaseSafe = isLeaseSafe(world.options)
  }

  /** Draws how strong a read is. */
  draw(): StrongConsistency {
    const { options, marks } = this.#world
    if (!this.#isLeaseSafe || !this.#random.chance(options.workload.leaseReads))
      return 'linearizable'
    marks.hit('a read was made on the lease')
    return 'lease'
  }

  /** Reads everything that was acknowledged before. */
  strong<T>(
    { raft, machine }: Reached<M, R>,
    read: (machine: M) => T,
    consistency: StrongConsistency,
  ): Promise<T> {
    const { acknowledged, committed, marks, options } = this.#world
    const needed = acknowledged.lastIndex
    if (raft.state === 'leader' && committed.termAt(raft.commitIndex) !== raft.currentTerm)
      marks.hit('a read waited for the first entry of a term')
    return raft.read(
      () => {
        acknowledged.read(raft.id, needed, raft.appliedIndex)
        return read(machine)
      },
      { timeoutMs: options.workload.timeoutMs, consistency },
    )
  }
}
