import { type Clock, type Logger, membersOf, RaftError, type ServerId } from '@raftkit/interface'
import type { Effect } from '../../consensus/effects.ts'
import type { RaftEvents } from '../../raft-events.ts'
import type { EventEmitter } from './event-emitter.ts'
import type { FollowedPeers } from './followed-peers.ts'
import type { Standing } from './standing.ts'

/** What announcements go to. */
export interface AnnouncementParts {
  readonly id: ServerId
  readonly standing: Standing
  readonly events: EventEmitter<RaftEvents>
  readonly followed: FollowedPeers
  readonly clock: Clock
  readonly logger: Logger
  readonly fail: (error: RaftError) => void
  /** This server led, was removed and has handed over. */
  readonly leave: () => void
}

/** Effects that say what changed. */
export type Announced = Extract<
  Effect,
  {
    type:
      | 'role-changed'
      | 'leader-changed'
      | 'configuration-changed'
      | 'removed'
      | 'disk-lost'
      | 'peer-contact-changed'
      | 'heartbeat-failed'
      | 'fatal'
  }
>

/** Tells what changed: the log, the standing that others look at, and whoever listens. */
export class Announcements {
  readonly #parts: AnnouncementParts

  constructor(parts: AnnouncementParts) {
    this.#parts = parts
  }

  /** Tells what changed, in the order of the effects; listeners hear of it when the turn ends. */
  tell(effect: Announced): void {
    const { standing, events, logger } = this.#parts
    switch (effect.type) {
      case 'role-changed':
        logger.info(
          { role: effect.role, term: effect.term, reason: effect.reason },
          'the role changed',
        )
        this.#parts.followed.mayHaveChanged()
        return standing.roleChanged(effect.role, effect.term, effect.reason)
      case 'leader-changed':
        logger.info({ leader: effect.leader?.id, term: effect.term }, 'the leader changed')
        return standing.leaderChanged(effect.leader, effect.term)
      case 'configuration-changed': {
        const { latest, committed } = effect
        this.#parts.followed.mayHaveChanged()
        logger.info(
          { index: latest.index, committedIndex: committed.index, ...latest.configuration },
          'the configuration changed',
        )
        const isMember = membersOf(latest.configuration).some(({ id }) => id === this.#parts.id)
        if (isMember) standing.membershipChanged(true)
        return events.emit('configuration-changed', { latest, committed })
      }
      case 'removed':
        logger.warn({ wasLeader: effect.wasLeader }, 'this server was removed from the cluster')
        standing.membershipChanged(false)
        events.emit('removed', {})
        if (effect.wasLeader) this.#parts.leave()
        return
      case 'disk-lost': {
        const { server } = effect
        logger.error(
          { server },
          'the server has another disk than the one the cluster knows: it has forgotten its votes and its log and counts for nothing. Remove it and add it again',
        )
        return events.emit('disk-lost', { server })
      }
      case 'peer-contact-changed':
      case 'heartbeat-failed':
        return this.#tellContact(effect)
      case 'fatal':
        return this.#parts.fail(
          new RaftError(
            'RAFT_INVARIANT_VIOLATED',
            `this server is broken and stops: ${effect.message}. Please report it with the log`,
          ),
        )
    }
  }

  #tellContact(
    effect: Extract<Effect, { type: 'peer-contact-changed' | 'heartbeat-failed' }>,
  ): void {
    const { events, logger, clock } = this.#parts
    const { peer } = effect
    if (effect.type === 'heartbeat-failed') {
      const lastContact = Math.max(0, clock.now() - effect.lastContact)
      events.emit('heartbeat-failed', { peer, lastContact })
      return
    }
    const { reachable } = effect
    logger.warn({ peer, reachable }, reachable ? 'contact regained' : 'contact lost')
    events.emit('peer-contact-changed', { peer, reachable })
    if (reachable) events.emit('heartbeat-resumed', { peer })
  }
}
