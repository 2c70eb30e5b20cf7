import {
  type Clock,
  type Index,
  type Logger,
  messageOf,
  type OpenSnapshot,
  type Random,
  RaftError,
  type SnapshotMeta,
  type SnapshotSink,
  type SnapshotStore,
  type StateMachineSnapshot,
  type TimerHandle,
} from '@raftkit/interface'
import type { RaftConfig } from '../../config.ts'
import type { Applier, CapturedState } from '../state-machine/applier.ts'
import type { WaitOptions } from '../calls/caller.ts'
import { openNewest } from './newest-snapshot.ts'
import { shutDown } from '../calls/refusals.ts'
import { waitFor } from '../calls/wait.ts'

/** What the snapshotter works with. */
export interface SnapshotterParts<R> {
  readonly clock: Clock
  readonly random: Random
  readonly config: Pick<RaftConfig, 'snapshotIntervalMs' | 'snapshotThreshold'>
  readonly applier: Applier<R>
  readonly store: SnapshotStore
  readonly logger: Logger
  /** Resolves when the log is durable up to the index. */
  readonly whenDurable: (index: Index) => Promise<void>
  /** Told how long the whole of it took. */
  readonly onSaved: (meta: SnapshotMeta, tookMs: number) => void
}

/**
 * Saves the state machine when enough entries were applied since the last snapshot (§7), or when asked to: one snapshot
 * at a time, written while commands go on being applied.
 */
export class Snapshotter<R> {
  readonly #parts: SnapshotterParts<R>
  #lastIndex: Index
  #building: Promise<SnapshotMeta> | undefined
  #buildingIndex: Index = 0
  #isAbandoned = false
  #timer: TimerHandle | undefined
  #closedBy: RaftError | undefined

  constructor(parts: SnapshotterParts<R>, lastIndex: Index) {
    this.#parts = parts
    this.#lastIndex = lastIndex
  }

  /** True while a snapshot is being written. */
  get isBuilding(): boolean {
    return this.#building !== undefined
  }

  /** Begins to look from time to time whether a snapshot is due: uniform in [interval, 2 × interval). */
  start(): void {
    const { clock, random, config } = this.#parts
    const delayMs = config.snapshotIntervalMs * (1 + random.next())
    this.#timer = clock.setTimer(delayMs, () => {
      this.start()
      this.#takeIfDue()
    })
  }

  /** Waits anew: the interval is another one now. */
  restart(): void {
    if (this.#timer === undefined || this.#closedBy !== undefined) return
    this.#timer.cancel()
    this.start()
  }

  /** As {@link take}, with limits. */
  request(options: WaitOptions | undefined): Promise<SnapshotMeta> {
    return waitFor<SnapshotMeta>(this.#parts.clock, 'the snapshot', options, (caller) => {
      this.take().then(
        (meta) => caller.resolve(meta),
        (error: unknown) => caller.reject(error),
      )
    })
  }

  /** A snapshot that covers everything applied before the call. Rejects with `RAFT_NOTHING_NEW_TO_SNAPSHOT`. */
  async take(): Promise<SnapshotMeta> {
    const needed = this.#parts.applier.appliedIndex
    while (this.#building !== undefined) {
      const building = this.#building
      const meta = await building.catch(() => undefined)
      if (meta !== undefined && meta.index >= needed) return meta
    }
    if (this.#closedBy !== undefined) throw this.#closedBy
    if (needed <= this.#lastIndex)
      throw new RaftError(
        'RAFT_NOTHING_NEW_TO_SNAPSHOT',
        'nothing new to snapshot: the last one covers everything that was applied',
        { details: { index: this.#lastIndex } },
      )
    return this.#build()
  }

  /** Opens a snapshot, the newest that can be opened unless it is named. */
  open(id: string | undefined): Promise<OpenSnapshot> {
    const { store, logger } = this.#parts
    return id === undefined ? openNewest(store, logger) : store.open(id)
  }

  /** The leader's snapshot replaced the state: one that is being written is of no use any more. */
  superseded(index: Index): void {
    this.#lastIndex = Math.max(this.#lastIndex, index)
    if (this.#buildingIndex <= index) this.#isAbandoned = true
  }

  /** Stops, because of `reason`; resolves when nothing is being written any more. */
  async close(reason: RaftError = shutDown()): Promise<void> {
    this.#closedBy ??= reason
    this.#isAbandoned = true
    this.#timer?.cancel()
    await this.#building?.catch(() => undefined)
  }

  #takeIfDue(): void {
    const { applier, config, logger } = this.#parts
    if (this.#closedBy !== undefined || this.#building !== undefined) return
    if (applier.appliedIndex - this.#lastIndex < config.snapshotThreshold) return
    this.#build().then(
      // What was applied meanwhile may make the next one due.
      () => this.#takeIfDue(),
      (error: unknown) =>
        logger.warn({ error: messageOf(error) }, 'the snapshot could not be taken'),
    )
  }

  #build(): Promise<SnapshotMeta> {
    this.#isAbandoned = false
    const building = this.#run().finally(() => {
      this.#building = undefined
    })
    this.#building = building
    return building
  }

  async #run(): Promise<SnapshotMeta> {
    const { applier, clock, logger, onSaved } = this.#parts
    const startedAt = clock.now()
    try {
      const captured = await applier.capture()
      this.#buildingIndex = captured.index
      const meta = await this.#save(captured)
      this.#lastIndex = Math.max(this.#lastIndex, meta.index)
      const tookMs = clock.now() - startedAt
      logger.info(
        { index: meta.index, bytes: meta.size, tookMs: Math.round(tookMs) },
        'saved a snapshot',
      )
      onSaved(meta, tookMs)
      return meta
    } catch (error) {
      if (error === this.#closedBy || RaftError.is(error, 'RAFT_SHUTDOWN')) throw error
      throw new RaftError(
        'RAFT_SNAPSHOT_FAILED',
        `the snapshot could not be taken: ${messageOf(error)}. The log is kept as it is`,
        { retryable: true, cause: error },
      )
    } finally {
      this.#buildingIndex = 0
    }
  }

  async #save({ snapshot, index, term, configuration }: CapturedState): Promise<SnapshotMeta> {
    try {
      const sink = await this.#parts.store.create({
        index,
        term,
        configuration: configuration.configuration,
        configurationIndex: configuration.index,
      })
      return await this.#write(sink, snapshot.persist.bind(snapshot), index)
    } finally {
      await this.#release(snapshot)
    }
  }

  async #release(snapshot: StateMachineSnapshot): Promise<void> {
    try {
      await snapshot.release?.()
    } catch (error) {
      this.#parts.logger.warn({ error: messageOf(error) }, 'a snapshot could not be released')
    }
  }

  async #write(
    sink: SnapshotSink,
    persist: CapturedState['snapshot']['persist'],
    index: Index,
  ): Promise<SnapshotMeta> {
    try {
      await persist({
        write: async (chunk) => {
          this.#check()
          await sink.write(chunk)
        },
      })
      await this.#parts.whenDurable(index)
      this.#check()
      return await sink.close()
    } catch (error) {
      // The first error is the one that matters.
      await sink.cancel().catch(() => {})
      throw error
    }
  }

  #check(): void {
    if (this.#closedBy !== undefined) throw this.#closedBy
    if (this.#isAbandoned) throw new Error('a newer snapshot of the leader took its place')
  }
}
