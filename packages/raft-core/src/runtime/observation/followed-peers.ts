import type { ServerId } from '@raftkit/interface'
import type { RaftEvents } from '../../raft-events.ts'
import type { EventEmitter } from './event-emitter.ts'

/** Tells to which servers this leader replicates, when that has changed. */
export class FollowedPeers {
  readonly #events: EventEmitter<RaftEvents>
  readonly #followed = new Set<ServerId>()
  #mayHaveChanged = false

  constructor(events: EventEmitter<RaftEvents>) {
    this.#events = events
  }

  /** Something happened that goes with a change. */
  mayHaveChanged(): void {
    this.#mayHaveChanged = true
  }

  /** The turn is over. `present` gives whom the leader follows now; it is asked only after a change. */
  turnEnded(present: () => readonly { readonly id: ServerId }[]): void {
    if (!this.#mayHaveChanged) return
    this.#mayHaveChanged = false
    this.update(present())
  }

  /** Compares with what was told before. */
  update(present: readonly { readonly id: ServerId }[]): void {
    const ids = new Set(present.map(({ id }) => id))
    for (const peer of this.#followed)
      if (!ids.has(peer)) {
        this.#followed.delete(peer)
        this.#events.emit('replication-stopped', { peer })
      }
    for (const peer of ids)
      if (!this.#followed.has(peer)) {
        this.#followed.add(peer)
        this.#events.emit('replication-started', { peer })
      }
  }
}
