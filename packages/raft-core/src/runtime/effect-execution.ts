import { type Index, LogType, type Term } from '@raftkit/interface'
import { encodeConfiguration, encodeEntries } from '@raftkit/wire'
import type { Effect } from '../consensus/effects.ts'
import { type AnnouncementParts, Announcements } from './observation/announcements.ts'
import type { Lanes } from './lanes.ts'
import { notLeader, refusalError } from './calls/refusals.ts'
import type { WakeTimer } from './wake-timer.ts'

/** What effects act on. */
export interface EffectTargets<R> extends AnnouncementParts {
  readonly lanes: Lanes<R>
  readonly wakeTimer: WakeTimer
}

/** No bytes: the content of a no-op. */
const EMPTY = new Uint8Array(0)

/** Carries out what consensus wants, each effect in the lane that it belongs to. */
export class EffectExecution<R> {
  readonly #targets: EffectTargets<R>
  readonly #announcements: Announcements

  constructor(targets: EffectTargets<R>) {
    this.#targets = targets
    this.#announcements = new Announcements(targets)
  }

  /** Carries out one effect. Effects come in the order in which consensus gave them. */
  carryOut(effect: Effect): void {
    const { lanes } = this.#targets
    switch (effect.type) {
      case 'bootstrap-ended':
        return this.#bootstrapEnded(effect)
      case 'receive-restore':
        return lanes.restores.receive(effect)
      case 'install-restore':
        return lanes.restores.install(effect.restoreId)
      case 'restore-ended':
        return lanes.restores.ended(effect, this.#targets.standing.leader)
      case 'save-hard-state':
      case 'append-proposals':
      case 'append-noop':
      case 'append-configuration':
      case 'append-received':
      case 'truncate-log':
      case 'compact-log':
        return this.#write(effect)
      case 'send':
      case 'answer':
        return this.#sendWhenDurable(effect)
      case 'read-entries':
        return lanes.peers.read(effect)
      case 'send-entries':
        return lanes.peers.entries(effect)
      case 'send-snapshot':
        return lanes.snapshotSender.send(effect)
      case 'drop-sends':
        this.#targets.followed.mayHaveChanged()
        lanes.peers.drop(effect.peer)
        return lanes.snapshotSender.drop(effect.peer)
      case 'commit':
        lanes.log.writer.commit(effect.index)
        return lanes.applier.commit(effect.index)
      case 'install-snapshot':
        return lanes.snapshotReceiver.install(effect, lanes.rpcServer.snapshot(effect.requestId))
      case 'wake-at':
        return this.#targets.wakeTimer.wakeAt(effect.time)
      case 'leadership-offered':
        return this.#offered(effect)
      case 'proposals-refused':
      case 'proposals-orphaned':
      case 'read-confirmed':
      case 'read-refused':
      case 'transfer-ended':
      case 'change-ended':
      case 'change-refused':
        return this.#tellCaller(effect)
      case 'role-changed':
      case 'leader-changed':
      case 'configuration-changed':
      case 'removed':
      case 'disk-lost':
      case 'peer-contact-changed':
      case 'heartbeat-failed':
      case 'fatal':
        return this.#announcements.tell(effect)
    }
  }

  #offered({ to, reason }: Extract<Effect, { type: 'leadership-offered' }>): void {
    const { events, logger } = this.#targets
    logger.info({ to, reason }, 'leadership is handed over to a preferred server')
    events.emit('leadership-offered', { to, reason })
  }

  #write(
    effect: Extract<
      Effect,
      { type: 'save-hard-state' | `append-${string}` | 'truncate-log' | 'compact-log' }
    >,
  ): void {
    const { lanes, standing } = this.#targets
    switch (effect.type) {
      case 'save-hard-state':
        standing.termChanged(effect.hardState.term)
        return lanes.log.saveHardState(effect.sequence, effect.hardState)
      case 'append-proposals':
        return lanes.log.append(
          lanes.proposals.append(effect.firstIndex, effect.count, effect.term),
        )
      case 'append-noop':
        return this.#appendNoop(effect.index, effect.term)
      case 'append-configuration':
        return this.#appendConfiguration(effect)
      case 'append-received':
        // The request proves that the log is the leader's up to its last entry, so its word holds as far as that.
        lanes.log.writer.commit(Math.min(lanes.rpcServer.leaderCommit(effect.requestId), effect.to))
        for (const batch of lanes.rpcServer.entries(effect.requestId, effect.from, effect.to))
          lanes.log.append(batch)
        return
      case 'truncate-log':
        lanes.log.truncate(effect.from)
        return lanes.outbox.truncated(effect.from)
      case 'compact-log':
        return lanes.log.compact(effect.to)
    }
  }

  #appendNoop(index: Index, term: Term): void {
    const { lanes, standing, clock } = this.#targets
    const noop = { type: LogType.noop, data: EMPTY }
    lanes.log.append(encodeEntries(index, term, [noop], clock.wallTime()))
    standing.leads(index)
  }

  #appendConfiguration(effect: Extract<Effect, { type: 'append-configuration' }>): void {
    const { lanes, clock } = this.#targets
    const { index, term, configuration, changeId } = effect
    const entry = { type: LogType.configuration, data: encodeConfiguration(configuration) }
    // The first entry of a cluster has the same bytes on every server that is given it.
    const appendedAt = index === 1 ? undefined : clock.wallTime()
    lanes.log.append(encodeEntries(index, term, [entry], appendedAt))
    lanes.membershipChanges.appended(changeId)
  }

  #sendWhenDurable(effect: Extract<Effect, { type: 'send' | 'answer' }>): void {
    const { outbox, peers, rpcServer } = this.#targets.lanes
    if (effect.type === 'send') {
      const send = (): void => peers.control(effect.to, effect.sendId, effect.request)
      return outbox.pass(effect.after, send, () => {})
    }
    outbox.pass(
      effect.after,
      () => rpcServer.answer(effect.requestId, effect.answer),
      () =>
        rpcServer.answer(effect.requestId, {
          type: 'error',
          message: 'the entries were replaced before they were durable',
        }),
    )
  }

  #bootstrapEnded(effect: Extract<Effect, { type: 'bootstrap-ended' }>): void {
    const { outbox, bootstraps } = this.#targets.lanes
    const { bootstrapId, refusal, after } = effect
    outbox.pass(
      after,
      () => bootstraps.ended(bootstrapId, refusal),
      () => bootstraps.replaced(bootstrapId),
    )
  }

  #tellCaller(
    effect: Extract<
      Effect,
      {
        type:
          | `proposals-${string}`
          | `read-${'confirmed' | 'refused'}`
          | `change-${string}`
          | 'transfer-ended'
      }
    >,
  ): void {
    const { lanes, standing, logger } = this.#targets
    const { leader } = standing
    switch (effect.type) {
      case 'proposals-refused':
        return lanes.proposals.refuse(
          effect.count,
          refusalError(effect.reason, 'the command', leader),
        )
      case 'proposals-orphaned':
        // Before places become free: a waiting caller would be let in to be refused.
        lanes.proposals.admission.refuseWaiting(notLeader(undefined))
        return lanes.proposals.orphan(lanes.applier.commitIndex)
      case 'read-confirmed':
        return lanes.reads.confirmed(effect.readId, effect.index, lanes.applier.readableIndex)
      case 'read-refused':
        return lanes.reads.refused(effect.readId, effect.reason, leader)
      case 'transfer-ended':
        if (effect.transferId === 0 && effect.refusal !== undefined)
          logger.warn({ reason: effect.refusal }, 'a preferred server did not take over')
        return lanes.transfers.ended(effect.transferId, effect.refusal, leader)
      case 'change-ended':
        return lanes.membershipChanges.ended(effect.changeId, effect.index)
      case 'change-refused':
        return lanes.membershipChanges.refused(effect, leader)
    }
  }
}
