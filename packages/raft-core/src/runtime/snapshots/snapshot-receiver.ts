import {
  type Clock,
  type Logger,
  messageOf,
  RaftError,
  type SnapshotDescription,
  type SnapshotMeta,
  type SnapshotStore,
  type StateMachine,
} from '@raftkit/interface'
import { decodeConfiguration } from '@raftkit/wire'
import type { Effect } from '../../consensus/effects.ts'
import type { ConsensusEvent } from '../../consensus/events.ts'
import type { Applier, AppliedStart } from '../state-machine/applier.ts'
import { shutDown } from '../calls/refusals.ts'
import type { InboundSnapshot } from '../network/rpc-server.ts'
import type { ServerLog } from '../log/server-log.ts'
import { savePendingRestore } from './pending-restore.ts'
import { SnapshotIntake } from './snapshot-intake.ts'
import { closeSnapshot, restoreState } from './snapshot-restore.ts'

/** What the snapshot receiver works with. */
export interface SnapshotReceiverParts<R> {
  readonly store: SnapshotStore
  readonly stateMachine: StateMachine<R>
  readonly applier: Applier<R>
  readonly log: ServerLog
  /** The state machine keeps its state by itself: that it must be given a snapshot has to outlive a crash. */
  readonly keepsState: boolean
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
  readonly #intake: SnapshotIntake

  constructor(parts: SnapshotReceiverParts<R>) {
    this.#parts = parts
    this.#intake = new SnapshotIntake(parts)
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
    this.#intake.cancel(shutDown())
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
    const { applier, log, logger, stateMachine, onInstalled, keepsState } = this.#parts
    // A checksum that fails is found here, before the old state is given up.
    const opened = await this.#parts.store.open(meta.id)
    try {
      await applier.replace(installed, async () => {
        await restoreState(stateMachine, opened.state, installed.index)
        if (keepsState) await savePendingRestore(log.writer, 0)
        if (!keepLogAfter) await log.reset(installed.index)
      })
    } finally {
      await closeSnapshot(opened, logger)
    }
    logger.info({ index: installed.index, bytes: meta.size }, 'installed a snapshot')
    onInstalled(installed)
  }

  async #receive(
    { request, state }: InboundSnapshot,
    description: SnapshotDescription,
  ): Promise<SnapshotMeta> {
    const { store, logger, log, keepsState } = this.#parts
    logger.info({ index: description.index, bytes: request.size }, 'receiving a snapshot')
    if (keepsState) await savePendingRestore(log.writer, description.index)
    const sink = await this.#intake.receive(await store.create(description), state, request.size)
    return sink.close()
  }
}
