// Quorums: floor(n / 2) + 1 of the voters, everywhere the same (§5.2, §5.3, dissertation §6.4); in the joint state that
// many of each half (§6).
import type { Configuration, Server, ServerId } from '@raftkit/interface/protocol'

/** How many of `voters` voters make a quorum. */
export function quorumSize(voters: number): number {
  return Math.floor(voters / 2) + 1
}

/** True for the one suffrage that counts in quorums; `staging` counts like `nonvoter`. */
export function isVoter(server: Server | undefined): boolean {
  return server?.suffrage === 'voter'
}

/** The voters of a configuration: of its one half, or of both while it is joint. */
export function votersOf({ servers, next }: Configuration): readonly (readonly ServerId[])[] {
  const halves = next === undefined ? [servers] : [servers, next]
  return halves.map((half) => half.filter(isVoter).map(({ id }) => id))
}

/** True when `granted` has a quorum of each half: one of the union would let either half decide alone (§6). */
export function isElected(
  halves: readonly (readonly ServerId[])[],
  granted: ReadonlySet<ServerId>,
): boolean {
  return halves.every((half) => countIn(half, granted) >= quorumSize(half.length))
}

/** "2 of 3", and of each half in the joint state: for logs. */
export function tally(
  halves: readonly (readonly ServerId[])[],
  granted: ReadonlySet<ServerId>,
): string {
  return halves.map((half) => `${countIn(half, granted)} of ${half.length}`).join(' and ')
}

function countIn(half: readonly ServerId[], granted: ReadonlySet<ServerId>): number {
  let count = 0
  for (const id of half) if (granted.has(id)) count++
  return count
}

/**
 * The voters of one configuration as their leader sees them. One calculation serves commitment (match index), the
 * lease (time of contact) and reads (heartbeat round): what is the largest value that a quorum has reached? In the joint
 * state that is what a quorum of each half has reached.
 */
export class VoterSet<Peer> {
  readonly #peers: readonly Peer[]
  readonly #isVoter: boolean
  readonly #quorum: number
  readonly #otherHalf: VoterSet<Peer> | undefined
  /** Used again by every call, so that an acknowledgement allocates nothing. */
  readonly #largest: number[]

  /**
   * `peers`: the other voters. `isVoter`: a leader outside of its configuration does not count itself. `otherHalf`: the
   * voters after the change, in the joint state.
   */
  constructor(peers: readonly Peer[], isVoter: boolean, otherHalf?: VoterSet<Peer>) {
    this.#peers = peers
    this.#isVoter = isVoter
    this.#otherHalf = otherHalf
    this.#quorum = quorumSize(peers.length + (isVoter ? 1 : 0))
    this.#largest = Array.from({ length: this.#quorum }, () => -Infinity)
  }

  /** False for a leader that is leaving: it counts in no quorum of its last configuration. */
  get selfVotes(): boolean {
    return this.#isVoter || this.#otherHalf?.selfVotes === true
  }

  /** The largest value that at least a quorum of voters has reached; -Infinity when there is no voter. */
  reached(own: number, valueOf: (peer: Peer) => number): number {
    const largest = this.#largest
    largest.fill(-Infinity)
    if (this.#isVoter) insertDescending(largest, own)
    for (const peer of this.#peers) insertDescending(largest, valueOf(peer))
    const reached = largest[this.#quorum - 1]!
    return this.#otherHalf === undefined
      ? reached
      : Math.min(reached, this.#otherHalf.reached(own, valueOf))
  }
}

/** Keeps `values` the largest ones seen, in descending order. Voters are few: this beats a sort. */
function insertDescending(values: number[], value: number): void {
  let place = values.length
  while (place > 0 && values[place - 1]! < value) {
    if (place < values.length) values[place] = values[place - 1]!
    place--
  }
  if (place < values.length) values[place] = value
}
