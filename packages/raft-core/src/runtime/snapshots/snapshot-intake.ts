import { type Clock, type Logger, RaftError, type SnapshotSink } from '@raftkit/interface'
import { Watchdog } from '../watchdog.ts'

/** How often the progress of a long transfer is logged. */
const PROGRESS_LOG_MS = 10_000

/** What the intake works with. */
export interface SnapshotIntakeParts {
  readonly clock: Clock
  readonly stallMs: number
  readonly logger: Logger
}

/** Writes a stream into a snapshot as it comes. Whatever goes wrong, the snapshot is cancelled. One at a time. */
export class SnapshotIntake {
  readonly #parts: SnapshotIntakeParts
  /** Ends the transfer under way; without an error when it has ended by itself. */
  #cancel: ((error?: RaftError) => void) | undefined

  constructor(parts: SnapshotIntakeParts) {
    this.#parts = parts
  }

  /** Resolves with the sink when exactly `size` bytes are written; it is still to be closed. */
  async receive(
    sink: SnapshotSink,
    state: AsyncIterable<Uint8Array>,
    size: number,
  ): Promise<SnapshotSink> {
    const { clock, stallMs } = this.#parts
    let cancel = (_error?: RaftError): void => {}
    const cancelled = new Promise<RaftError | undefined>((resolve) => {
      cancel = resolve
    })
    this.#cancel = cancel
    const watchdog = new Watchdog(clock, stallMs, (forMs) =>
      this.cancel(
        new RaftError('RAFT_RPC_TIMEOUT', `the snapshot made no progress for ${forMs} ms`),
      ),
    )
    try {
      watchdog.start()
      const copied = this.#copy(state, size, sink, watchdog)
      const reason = await Promise.race([copied, cancelled])
      if (reason !== undefined) throw reason
      return sink
    } catch (error) {
      // The first error is the one that matters.
      await sink.cancel().catch(() => {})
      throw error
    } finally {
      watchdog.close()
      cancel()
      this.#cancel = undefined
    }
  }

  /** Gives up what is under way. */
  cancel(error: RaftError): void {
    this.#cancel?.(error)
  }

  async #copy(
    state: AsyncIterable<Uint8Array>,
    size: number,
    sink: SnapshotSink,
    watchdog: Watchdog,
  ): Promise<undefined> {
    const { clock, logger } = this.#parts
    let received = 0
    let logAt = clock.now() + PROGRESS_LOG_MS
    for await (const chunk of state) {
      received += chunk.length
      if (received > size) break
      await sink.write(chunk)
      watchdog.start()
      if (clock.now() < logAt) continue
      logAt = clock.now() + PROGRESS_LOG_MS
      logger.info({ received, bytes: size }, 'receiving a snapshot')
    }
    if (received !== size)
      throw new RaftError(
        'RAFT_SNAPSHOT_FAILED',
        `short read: the snapshot has ${size} bytes, ${received} came`,
      )
  }
}
