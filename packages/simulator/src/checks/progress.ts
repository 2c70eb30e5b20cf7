import type { Raft } from '@raftkit/raft-core'
import type { Configuration, Index, ServerId, Term } from '@raftkit/interface'
import type { CommittedLog } from './committed-log.ts'
import type { Violate } from './violation.ts'

/** What can be seen of a server from outside. */
export interface Watched extends Pick<
  Raft,
  'currentTerm' | 'commitIndex' | 'appliedIndex' | 'state'
> {
  configuration(): { readonly configuration: Configuration }
}

/** One run of a server, watched from outside after each of its turns: its numbers never go back. */
export class Progress {
  readonly #id: ServerId
  readonly #raft: Watched
  readonly #committed: CommittedLog
  readonly #violate: Violate
  #term: Term = 0
  #commit: Index = 0
  #applied: Index = 0
  #wasLeader = false
  /** In force when the turn before this one ended. */
  #before: Configuration
  #latest: Configuration

  constructor(id: ServerId, raft: Watched, committed: CommittedLog, violate: Violate) {
    this.#id = id
    this.#raft = raft
    this.#committed = committed
    this.#violate = violate
    this.#before = raft.configuration().configuration
    this.#latest = this.#before
  }

  /** Another configuration is in force: what this turn commits may still rest on the one before. */
  configured(configuration: Configuration): void {
    this.#latest = configuration
  }

  look(): void {
    const { currentTerm, commitIndex, appliedIndex, state } = this.#raft
    if (commitIndex !== this.#commit)
      this.#commitChanged(
        commitIndex,
        state === 'leader' ? currentTerm : this.#term,
        state === 'leader',
      )
    this.#check('term', this.#term, currentTerm)
    this.#check('applied index', this.#applied, appliedIndex)
    if (appliedIndex > commitIndex)
      this.#violate(
        'state machine safety',
        `${this.#id} has applied ${appliedIndex}, committed is ${commitIndex}`,
      )
    this.#before = this.#latest
    this.#term = currentTerm
    this.#applied = appliedIndex
    this.#wasLeader = state === 'leader'
  }

  #commitChanged(index: Index, term: Term, isLeader: boolean): void {
    this.#check('commit index', this.#commit, index)
    this.#commit = index
    // A leader may step down in the turn in which it commits.
    if (isLeader || this.#wasLeader) {
      const { configuration } = this.#raft.configuration()
      this.#committed.commit(this.#id, index, term, [configuration, this.#before])
    }
    if (!this.#committed.reaches(index))
      this.#violate(
        'durable quorum',
        `${this.#id} commits entry ${index}, which no leader has committed (${this.#committed.lastIndex})`,
      )
  }

  #check(what: string, before: number, now: number): void {
    if (now < before)
      this.#violate('nothing goes back', `${this.#id}: the ${what} goes from ${before} to ${now}`)
  }
}
