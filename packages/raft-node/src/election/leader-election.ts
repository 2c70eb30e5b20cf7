import type { Clock, Logger, ServerAddress, ServerId } from '@raftkit/interface'
import type { LeadershipCallback } from '../leadership/leadership.ts'
import { DEFAULT_STOP_TIMEOUT_MS, type RaftNode, type StopOptions } from '../raft-node.ts'
import { settledWithin } from '../settled-within.ts'
import { systemClock } from '../system.ts'
import type { LeaseWatch } from './lease-watch.ts'

/** The server below an election. */
export type ElectingNode = RaftNode<never, never, never, never>

/** One member of a cluster that elects a leader and does nothing else. Made by `createLeaderElection`. */
export class LeaderElection {
  readonly #node: ElectingNode
  readonly #lease: LeaseWatch
  readonly #logger: Logger
  readonly #clock: Clock
  #stopped: Promise<void> | undefined

  constructor(node: ElectingNode, lease: LeaseWatch, logger: Logger, clock: Clock = systemClock) {
    this.#node = node
    this.#lease = lease
    this.#logger = logger
    this.#clock = clock
  }

  get id(): ServerId {
    return this.#node.id
  }

  get address(): ServerAddress {
    return this.#node.address
  }

  /** Whether this member leads, by its lease and the clock at this moment. */
  get isLeader(): boolean {
    return this.#lease.current !== undefined
  }

  /** The leader that this member knows of; it may be none any more. */
  get leaderAddress(): ServerAddress | undefined {
    return this.#node.leaderAddress
  }

  /**
   * Calls `callback` with `{ term, fencingToken, signal }` at every beginning of leadership, at once when this member
   * leads already. The calls of one callback never overlap. What it throws is logged. Returns the function that ends it.
   *
   * The signal is aborted before another member can lead. `fencingToken` is higher than all that were given before, to
   * any member: pass it to what the leader writes to.
   */
  onLeadership(callback: LeadershipCallback): () => void {
    return this.#lease.onLeadership(callback)
  }

  /**
   * Aborts the signal, waits for the callbacks, hands leadership over and closes everything, in this order. Callbacks
   * that have not settled after `timeoutMs` are given up, and leadership is then not handed over. Idempotent.
   */
  stop(options: StopOptions = {}): Promise<void> {
    this.#stopped ??= this.#stop(options)
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(options: StopOptions): Promise<void> {
    const { transferLeadership = true, timeoutMs = DEFAULT_STOP_TIMEOUT_MS } = options
    const areSettled = await settledWithin(this.#clock, timeoutMs, this.#lease.close())
    if (!areSettled)
      this.#logger.warn({ id: this.id, timeoutMs }, 'stops while a leadership callback still runs')
    await this.#node.stop({ transferLeadership: transferLeadership && areSettled, timeoutMs })
  }
}
