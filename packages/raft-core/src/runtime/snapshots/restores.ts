import {
  type Clock,
  type Index,
  type Logger,
  messageOf,
  RaftError,
  type SnapshotMeta,
  type SnapshotSink,
  type SnapshotStore,
  type StateMachine,
} from '@raftkit/interface'
import type { Effect, KnownLeader } from '../../consensus/effects.ts'
import type { ConsensusEvent } from '../../consensus/events.ts'
import type { Applier, AppliedStart } from '../state-machine/applier.ts'
import type { Caller, WaitOptions } from '../calls/caller.ts'
import { restoreRefused } from '../calls/restore-refusals.ts'
import { withOutcome } from '../calls/refusals.ts'
import type { ServerLog } from '../log/server-log.ts'
import { savePendingRestore } from './pending-restore.ts'
import { SnapshotIntake } from './snapshot-intake.ts'
import { closeSnapshot, restoreState } from './snapshot-restore.ts'
import { waitFor } from '../calls/wait.ts'

/** What a restore needs to know of the snapshot that it is given. */
export type RestoreSource = Pick<SnapshotMeta, 'version' | 'index' | 'size'>

/** What became of a restore. */
export interface RestoreResult {
  /** Where the restored state stands in the log. */
  readonly index: Index
}

/** What restores work with. */
export interface RestoresParts<R> {
  readonly clock: Clock
  readonly stallMs: number
  readonly logger: Logger
  readonly store: SnapshotStore
  readonly stateMachine: StateMachine<R>
  readonly applier: Applier<R>
  readonly log: ServerLog
  /** As for the snapshot receiver. */
  readonly keepsState: boolean
  readonly submit: (event: ConsensusEvent) => void
  /** What waits for the state that is replaced is told now. */
  readonly onBegin: () => void
  readonly onInstalled: (installed: AppliedStart) => void
  readonly onFailed: (error: RaftError) => void
}

type ReceiveRestore = Extract<Effect, { type: 'receive-restore' }>

interface PendingRestore {
  readonly size: number
  readonly state: AsyncIterable<Uint8Array>
  readonly caller: Caller<RestoreResult>
  readonly intake: SnapshotIntake
  /** From `received` on consensus decides: the caller cannot take it back any more. */
  phase: 'asked' | 'receiving' | 'received' | 'installing'
  description: ReceiveRestore | undefined
  sink: SnapshotSink | undefined
}

/** Callers that give the cluster a snapshot; consensus lets one of them do so at a time. */
export class Restores<R> {
  readonly #parts: RestoresParts<R>
  readonly #pending = new Map<number, PendingRestore>()
  #nextId = 1
  #installing: Promise<void> | undefined

  constructor(parts: RestoresParts<R>) {
    this.#parts = parts
  }

  /** Resolves when a quorum has the restored state. */
  request(
    { index, size }: RestoreSource,
    state: AsyncIterable<Uint8Array>,
    options: WaitOptions | undefined,
  ): Promise<RestoreResult> {
    const { clock, submit } = this.#parts
    const restoreId = this.#nextId++
    const waiting = waitFor<RestoreResult>(clock, 'the restore', options, (caller) => {
      caller.outcome = 'not-committed'
      const intake = new SnapshotIntake(this.#parts)
      const begun = { description: undefined, sink: undefined }
      this.#pending.set(restoreId, { size, state, caller, intake, phase: 'asked', ...begun })
      submit({ type: 'restore-requested', restoreId, index })
    })
    waiting.catch(() => this.#withdraw(restoreId))
    return waiting
  }

  /** Consensus has given the snapshot its place. */
  receive(effect: ReceiveRestore): void {
    const { restoreId } = effect
    const pending = this.#pending.get(restoreId)
    if (pending === undefined) return
    pending.phase = 'receiving'
    pending.description = effect
    this.#receive(pending, effect).then(
      () => this.#received(restoreId, pending),
      (error: unknown) => this.#notReceived(restoreId, error),
    )
  }

  /** There is no way back: the snapshot takes the place of log and state. */
  install(restoreId: number): void {
    const { submit, onBegin, onFailed, logger } = this.#parts
    const pending = this.#pending.get(restoreId)
    if (pending?.sink === undefined || pending.description === undefined)
      throw new RaftError('RAFT_INVARIANT_VIOLATED', `restore ${restoreId} was not received`)
    pending.phase = 'installing'
    onBegin()
    this.#installing = this.#install(pending.sink, pending.description).then(
      () => submit({ type: 'restore-installed', restoreId }),
      (error: unknown) => {
        logger.error({ error: messageOf(error) }, 'the restore failed')
        onFailed(failureOf(error))
      },
    )
  }

  /** The cluster has the restored state, or `effect.refusal` says why not. */
  ended(effect: Extract<Effect, { type: 'restore-ended' }>, leader: KnownLeader | undefined): void {
    const { restoreId, refusal, hasBegun = false } = effect
    const pending = this.#pending.get(restoreId)
    if (pending === undefined) return
    this.#pending.delete(restoreId)
    if (refusal === undefined) pending.caller.resolve({ index: pending.description!.index })
    else {
      const error = restoreRefused(refusal, hasBegun, leader)
      pending.caller.reject(error)
      this.#discard(pending, error)
    }
  }

  /** Ends every wait, and what has not begun. */
  close(error: RaftError): void {
    for (const [restoreId, pending] of this.#pending) {
      this.#pending.delete(restoreId)
      const { caller } = pending
      caller.reject(withOutcome(error, caller.outcome))
      this.#discard(pending, error)
    }
  }

  /** Resolves when nothing is being written any more. */
  async whenIdle(): Promise<void> {
    await this.#installing
  }

  async #receive(pending: PendingRestore, effect: ReceiveRestore): Promise<void> {
    const { store, logger, log, keepsState } = this.#parts
    const { index, term, configuration } = effect
    const { size, state } = pending
    logger.warn(
      { index, bytes: size },
      'receiving a snapshot that replaces the state of the cluster',
    )
    if (keepsState) await savePendingRestore(log.writer, index)
    const sink = await store.create({
      index,
      term,
      configuration: configuration.configuration,
      configurationIndex: configuration.index,
    })
    // It may have ended before there was anything to cancel.
    if (this.#pending.get(effect.restoreId) === pending)
      pending.sink = await pending.intake.receive(sink, state, size)
    else await sink.cancel()
  }

  #received(restoreId: number, pending: PendingRestore): void {
    if (this.#pending.get(restoreId) !== pending) {
      void pending.sink?.cancel().catch(() => {})
      return
    }
    pending.phase = 'received'
    pending.caller.outcome = 'unknown'
    this.#parts.submit({ type: 'restore-received', restoreId })
  }

  #notReceived(restoreId: number, cause: unknown): void {
    const pending = this.#pending.get(restoreId)
    if (pending === undefined) return
    const message = `nothing was restored: ${messageOf(cause)}`
    const outcome = 'not-committed'
    pending.caller.reject(new RaftError('RAFT_SNAPSHOT_FAILED', message, { cause, outcome }))
  }

  async #install(sink: SnapshotSink, restore: ReceiveRestore): Promise<void> {
    const { store, stateMachine, applier, log, logger, onInstalled, keepsState } = this.#parts
    const { index, term, configuration } = restore
    const meta = await sink.close()
    const opened = await store.open(meta.id)
    const installed = { index, term, configuration }
    try {
      await applier.replace(installed, async () => {
        await restoreState(stateMachine, opened.state, index)
        if (keepsState) await savePendingRestore(log.writer, 0)
        await log.reset(index)
      })
    } finally {
      await closeSnapshot(opened, logger)
    }
    logger.warn({ index, bytes: meta.size }, 'restored the state of the cluster from a snapshot')
    onInstalled(installed)
  }

  /** The caller stopped waiting by itself. */
  #withdraw(restoreId: number): void {
    const pending = this.#pending.get(restoreId)
    if (pending === undefined || pending.phase === 'received') return
    this.#pending.delete(restoreId)
    this.#parts.submit({ type: 'restore-withdrawn', restoreId })
    this.#discard(pending, new RaftError('RAFT_ABORTED', 'nobody waits for the restore any more'))
  }

  #discard({ phase, intake, sink }: PendingRestore, error: RaftError): void {
    if (phase === 'installing') return
    intake.cancel(error)
    // What cannot be removed now is not listed, so it does no harm.
    void sink?.cancel().catch(() => {})
  }
}

function failureOf(cause: unknown): RaftError {
  if (RaftError.is(cause)) return cause
  return new RaftError(
    'RAFT_SNAPSHOT_FAILED',
    `a snapshot that was to be restored could not be saved, so the server stops: ${messageOf(cause)}`,
    { cause },
  )
}
