import {
  type Clock,
  type Logger,
  messageOf,
  RaftError,
  type SnapshotDescription,
  type SnapshotMeta,
  type SnapshotSink,
  type SnapshotStore,
  type StateMachine,
} from '@raftkit/interface'
import { decodeConfiguration } from '@raftkit/wire'
import type { Effect } from '../consensus/effects.ts'
import type { ConsensusEvent } from '../consensus/events.ts'
import type { Applier, AppliedStart } from './applier.ts'
import type { InboundSnapshot } from './rpc-server.ts'
import type { ServerLog } from './server-log.ts'
import { Watchdog } from './watchdog.ts'

/** How often the progress of a long transfer is logged. */
const PROGRESS_LOG_MS = 10_000

/** What the snapshot receiver works with. */
export interface SnapshotReceiverParts<R> {
  readonly store: SnapshotStore
  readonly stateMachine: StateMachine<R>
  readonly applier: Applier<R>
  readonly log: ServerLog
  readonly clock: Clock
  readonly stallMs: number
  readonly logger: Logger
  readonly submit: (event: ConsensusEvent) => void
  readonly onInstalled: (installed: AppliedStart) => void
  /** The state machine or the store is in a state that nobody knows: the server must stop. */
  readonly onFailed: (error: RaftError) => void
}

type Install = Extract<Effect, { type: 'install-snapshot' }>

/**
 * Receives a leader's snapshot (§7): stores it as it comes, checks it, gives it to the state machine, and only then
 * changes the log. Until the state machine is touched, a failure leaves everything as it was.
 */
export class SnapshotReceiver<R> {
  readonly #parts: SnapshotReceiverParts<R>
  #current: Promise<void> | undefined
  /** Ends the transfer under way; without an error when it has ended by itself. */
  #cancel: ((error?: RaftError) => void) | undefined

  constructor(parts: SnapshotReceiverParts<R>) {
    this.#parts = parts
  }

  /** Consensus has one installation at a time. */
  install({ requestId, keepLogAfter }: Install, inbound: InboundSnapshot): void {
    const { submit, logger, onFailed } = this.#parts
    this.#current = this.#install(inbound, keepLogAfter).then(
      () => submit({ type: 'snapshot-installed', requestId }),
      (error: unknown) => {
        logger.warn({ error: messageOf(error) }, 'the snapshot could not be installed')
        if (RaftError.is(error, 'RAFT_STATE_MACHINE_FAILED')) onFailed(error)
        else
          submit({
            type: 'snapshot-install-failed',
            requestId,
            message: `failed to install snapshot: ${messageOf(error)}`,
          })
      },
    )
  }

  /** Gives up; resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.#cancel?.(new RaftError('RAFT_SHUTDOWN', 'raft is already shutdown'))
    await this.#current
  }

  async #install(inbound: InboundSnapshot, keepLogAfter: boolean): Promise<void> {
    const { request } = inbound
    const configuration = {
      configuration: decodeConfiguration(request.configuration),
      index: request.configurationIndex,
    }
    const installed = { index: request.lastLogIndex, term: request.lastLogTerm, configuration }
    const meta = await this.#receive(inbound, {
      index: installed.index,
      term: installed.term,
      configuration: configuration.configuration,
      configurationIndex: configuration.index,
    })
    const { applier, log, logger, onInstalled } = this.#parts
    // A checksum that fails is found here, before the old state is given up.
    const opened = await this.#parts.store.open(meta.id)
    try {
      await applier.replace(installed, async () => {
        await this.#restore(opened.state, installed.index)
        if (!keepLogAfter) await log.reset(installed.index)
      })
    } finally {
      await opened.close()
    }
    logger.info({ index: installed.index, bytes: meta.size }, 'installed a snapshot')
    onInstalled(installed)
  }

  async #receive(
    { request, state }: InboundSnapshot,
    description: SnapshotDescription,
  ): Promise<SnapshotMeta> {
    const { store, logger, clock, stallMs } = this.#parts
    const sink = await store.create(description)
    const { index } = description
    logger.info({ index, bytes: request.size }, 'receiving a snapshot')
    const cancelled = new Promise<RaftError | undefined>((resolve) => {
      this.#cancel = resolve
    })
    const watchdog = new Watchdog(clock, stallMs, (forMs) =>
      this.#cancel?.(
        new RaftError('RAFT_RPC_TIMEOUT', `the snapshot made no progress for ${forMs} ms`),
      ),
    )
    try {
      watchdog.start()
      const copied = this.#copy(state, request.size, sink, watchdog)
      const reason = await Promise.race([copied, cancelled])
      if (reason !== undefined) throw reason
      return await sink.close()
    } catch (error) {
      // The first error is the one that matters.
      await sink.cancel().catch(() => {})
      throw error
    } finally {
      watchdog.close()
      this.#cancel?.()
      this.#cancel = undefined
    }
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

  async #restore(state: AsyncIterable<Uint8Array>, index: number): Promise<void> {
    try {
      await this.#parts.stateMachine.restore(state)
    } catch (cause) {
      throw new RaftError(
        'RAFT_STATE_MACHINE_FAILED',
        `the state machine could not take up the snapshot at ${index}, so the server stops: ${messageOf(cause)}`,
        { cause, details: { index } },
      )
    }
  }
}
