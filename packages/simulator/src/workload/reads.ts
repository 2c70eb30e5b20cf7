// Reads that clients make.
import type { StateMachine } from '@raftkit/interface'
import type { ReadOptions } from '@raftkit/raft-core'
import { checkRemovedRead } from '../checks/removed-reads.ts'
import { ReadMarks } from '../marks/read-marks.ts'
import type { Stream } from '../random/streams.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import { isLeaseSafe } from '../world/lease-safety.ts'
import type { World } from '../world/world.ts'
import type { Reached } from './reached.ts'

/** Consistency of a read that belongs into the history. */
export type StrongConsistency = 'linearizable' | 'lease'

/** A read that need not be new. */
export type WeakDemand =
  | { readonly consistency: 'bounded'; readonly maxStalenessMs: number }
  | { readonly consistency: 'stale' }

/** How a client reads. */
export type ReadDemand =
  | { readonly consistency: 'linearizable' }
  | { readonly consistency: 'lease' }
  | WeakDemand

/** The least that a bounded read allows, milliseconds. */
const LEAST_STALENESS_MS = 0.5

/** The reads of one client. */
export class Reads<M extends StateMachine<R>, R> {
  readonly #world: World<M, R>
  readonly #random: Stream
  readonly #isLeaseSafe: boolean
  readonly #marks: ReadMarks<M, R>

  constructor(world: World<M, R>, random: Stream) {
    this.#world = world
    this.#random = random
    this.#isLeaseSafe = isLeaseSafe(world.options)
    this.#marks = new ReadMarks<M, R>(world)
  }

  /** Draws how new a read has to be. */
  draw(): ReadDemand {
    const { boundedReads, staleReads, maxStalenessMs } = this.#world.options.workload
    const share = this.#random.next()
    if (share < boundedReads) {
      const most = Math.max(LEAST_STALENESS_MS, maxStalenessMs)
      const allowed = this.#random.magnitude(LEAST_STALENESS_MS, most)
      return { consistency: 'bounded', maxStalenessMs: allowed }
    }
    if (share < boundedReads + staleReads) return { consistency: 'stale' }
    return this.#drawStrong()
  }

  /** Draws where a read goes: undefined for where commands go. */
  place(): SimulatedServer<M, R> | undefined {
    const { servers, options } = this.#world
    return this.#random.chance(options.workload.readsAnywhere)
      ? this.#random.pick(servers)
      : undefined
  }

  /** Reads everything that was acknowledged before. */
  strong<T>(
    reached: Reached<M, R>,
    read: (machine: M) => T,
    consistency: StrongConsistency,
  ): Promise<T> {
    const { acknowledged, violate, options } = this.#world
    const { id, raft, machine, run } = reached
    return this.#inProcess(reached, () => {
      const needed = acknowledged.lastIndex
      const marked = this.#marks.asks(reached, consistency)
      const asked = raft.read(
        () => {
          acknowledged.read(id, needed, raft.appliedIndex)
          run.readers.seen.look(raft.appliedIndex)
          marked.served()
          return read(machine)
        },
        { timeoutMs: options.workload.timeoutMs, consistency },
      )
      if (run.readers.isRemoved) checkRemovedRead(violate, id, asked)
      asked.catch((error: unknown) => marked.refused(error))
      return asked
    })
  }

  /**
   * Reads what need not be new; false when that failed. Nothing is written down: no order of calls has to explain what
   * such a read sees.
   */
  async weak(
    name: string,
    reached: Reached<M, R>,
    read: (machine: M) => unknown,
    demand: WeakDemand,
  ): Promise<boolean> {
    const { openCalls } = this.#world
    const asked = this.#inProcess(reached, () => this.#askWeakly(name, reached, read, demand))
    openCalls.watch(`a ${demand.consistency} read of ${reached.id}`, asked, reached.process.died)
    const answered = asked.then(
      () => true,
      () => false,
    )
    return Promise.race([answered, reached.process.died.then(() => false)])
  }

  #askWeakly(
    name: string,
    { id, raft, machine, run }: Reached<M, R>,
    read: (machine: M) => unknown,
    demand: WeakDemand,
  ): Promise<unknown> {
    const { acknowledged, trace, options } = this.#world
    const isBounded = demand.consistency === 'bounded'
    const needed = isBounded
      ? acknowledged.lastIndexBefore(run.clock.worldTimeBefore(demand.maxStalenessMs))
      : 0
    const { timeoutMs } = options.workload
    const how: ReadOptions = { timeoutMs, ...demand }
    let isServed = false
    const asked = raft.read(() => {
      isServed = true
      trace.tell(name, `reads (${demand.consistency})`, id, 'as of', raft.appliedIndex)
      if (isBounded) acknowledged.readBounded(id, needed, raft.appliedIndex)
      run.readers.seen.look(raft.appliedIndex)
      return read(machine)
    }, how)
    this.#marks.weak({ id, raft, run }, demand.consistency, isServed, asked)
    return asked
  }

  #drawStrong(): ReadDemand {
    const { options, marks } = this.#world
    if (!this.#isLeaseSafe || !this.#random.chance(options.workload.leaseReads))
      return { consistency: 'linearizable' }
    marks.hit('a read was made on the lease')
    return { consistency: 'lease' }
  }

  /** Calls when the process runs: while it is paused nobody in it can read. */
  #inProcess<T>({ process }: Reached<M, R>, call: () => Promise<T>): Promise<T> {
    if (process.isPaused) this.#world.marks.hit('a read reached a server that had just woken up')
    return new Promise<T>((resolve, reject) => {
      process.run('input', () => void call().then(resolve, reject))
    })
  }
}
