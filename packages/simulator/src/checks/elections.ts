import type {
  Configuration,
  DiskId,
  HardState,
  RpcRequest,
  RpcResponse,
  Server,
  ServerId,
  Term,
} from '@raftkit/interface'
import type { DiskImage } from '../disk/disk-image.ts'
import { isQuorum, votersOf } from './quorums.ts'
import type { Violate } from './violation.ts'

/** A vote as it became durable. */
interface Vote {
  readonly voter: ServerId
  readonly diskId: DiskId | undefined
  readonly candidate: ServerId
}

/**
 * Terms, votes and leaders over all servers and all their lives: one leader per term, one vote per term and disk,
 * terms never go back, and nothing is said in a term or with a vote that a crash could still take away.
 */
export class Elections {
  readonly #violate: Violate
  readonly #leaders = new Map<Term, ServerId>()
  /** Whom each disk voted for. A server that lost its disk votes as another one: who knows that does not count it. */
  readonly #votes = new WeakMap<DiskImage, Map<Term, ServerId>>()
  readonly #cast = new Map<Term, Vote[]>()
  readonly #candidates = new Map<Term, ServerId>()
  readonly #onRivals: () => void
  #highestLed: Term = 0

  /** `onRivals` is told when a second server asks for votes in a term. */
  constructor(violate: Violate, onRivals: () => void = () => {}) {
    this.#violate = violate
    this.#onRivals = onRivals
  }

  /** The highest term that has or had a leader. */
  get highestLed(): Term {
    return this.#highestLed
  }

  /** Who leads or led a term, as far as anyone was told. */
  leaderOf(term: Term): ServerId | undefined {
    return this.#leaders.get(term)
  }

  /** `id` acts as the leader of `term`. */
  leads(id: ServerId, term: Term): void {
    const known = this.#leaders.get(term)
    this.#highestLed = Math.max(this.#highestLed, term)
    if (known === undefined) this.#leaders.set(term, id)
    else if (known !== id)
      this.#violate('election safety', `both ${known} and ${id} lead term ${term}`)
  }

  /** `id` has won the election of `term` by this configuration: a quorum voted for it, with disks that it knows. */
  elected(id: ServerId, term: Term, configuration: Configuration): void {
    this.leads(id, term)
    const votes = (this.#cast.get(term) ?? []).filter(({ candidate }) => candidate === id)
    const hasVote = (voter: Server): boolean =>
      votes.some(
        (vote) =>
          vote.voter === voter.id &&
          (voter.diskId === undefined || vote.diskId === undefined || vote.diskId === voter.diskId),
      )
    if (isQuorum(configuration, hasVote)) return
    const voters = votersOf(configuration)
    this.#violate(
      'election safety',
      `${id} leads term ${term} with ${voters.filter(hasVote).length} votes of ${voters.length}`,
    )
  }

  /** Term and vote of a server become durable. */
  saved(id: ServerId, image: DiskImage, { term, votedFor }: HardState): void {
    const before = image.hardState
    if (before !== undefined && term < before.term)
      this.#violate(
        'nothing goes back',
        `${id} saves term ${term} after having saved term ${before.term}`,
      )
    if (votedFor !== undefined) this.#vote(id, image, term, votedFor.id)
    else if (before?.term === term && before.votedFor !== undefined)
      this.#violate(
        'nothing goes back',
        `${id} saves term ${term} without its vote for ${before.votedFor.id}`,
      )
  }

  /** A server has started with this disk: it remembers at least what is on it. */
  starts(id: ServerId, image: DiskImage, term: Term): void {
    const durable = image.hardState?.term ?? 0
    if (term < durable)
      this.#violate('nothing goes back', `${id} starts in term ${term}, its disk says ${durable}`)
  }

  /** A request leaves a server. */
  asks(id: ServerId, image: DiskImage, request: RpcRequest): void {
    if (request.type === 'append-entries' || request.type === 'install-snapshot')
      this.leads(id, request.term)
    if (request.type === 'request-vote') this.#campaigns(id, image, request.term)
    if (request.type !== 'request-pre-vote' && 'term' in request)
      this.#checkTerm(id, image, request.type, request.term)
  }

  /** An answer leaves a server. */
  answers(id: ServerId, image: DiskImage, request: RpcRequest, response: RpcResponse): void {
    if ('term' in response && response.type !== 'request-pre-vote')
      this.#checkTerm(id, image, `answer to ${response.type}`, response.term)
    if (response.type === 'request-vote' && response.granted)
      this.#checkVote(id, image, response.term, request.header.id)
  }

  #campaigns(id: ServerId, image: DiskImage, term: Term): void {
    this.#checkVote(id, image, term, id)
    const first = this.#candidates.get(term)
    if (first === undefined) this.#candidates.set(term, id)
    else if (first !== id) this.#onRivals()
  }

  #vote(id: ServerId, image: DiskImage, term: Term, candidate: ServerId): void {
    const votes = this.#votes.get(image) ?? new Map<Term, ServerId>()
    this.#votes.set(image, votes)
    const known = votes.get(term)
    if (known === undefined) {
      votes.set(term, candidate)
      const cast = this.#cast.get(term) ?? []
      cast.push({ voter: id, diskId: image.diskId, candidate })
      this.#cast.set(term, cast)
    } else if (known !== candidate)
      this.#violate(
        'one vote per term',
        `${id} votes for ${known} and ${candidate} in term ${term}`,
      )
  }

  /** Durable is the vote itself, or a later term, which rules out any other vote in this one. */
  #checkVote(id: ServerId, image: DiskImage, term: Term, candidate: ServerId): void {
    const durable = image.hardState?.term ?? 0
    if (durable > term) this.#vote(id, image, term, candidate)
    else if (this.#votes.get(image)?.get(term) !== candidate)
      this.#violate(
        'persist, then promise',
        `${id} gives its vote of term ${term} to ${candidate}, and that is not durable`,
      )
  }

  #checkTerm(id: ServerId, image: DiskImage, what: string, term: Term): void {
    const durable = image.hardState?.term ?? 0
    if (term > durable)
      this.#violate(
        'persist, then promise',
        `${id} sends ${what} in term ${term}, but only term ${durable} is durable`,
      )
  }
}
