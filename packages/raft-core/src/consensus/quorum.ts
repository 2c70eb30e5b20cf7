// Quorums: floor(n / 2) + 1 of the voters, everywhere the same (§5.2, §5.3, dissertation §6.4).
import type { Server } from '@raftkit/interface/protocol'

/** How many of `voters` voters make a quorum. */
export function quorumSize(voters: number): number {
  return Math.floor(voters / 2) + 1
}

/** True for the one suffrage that counts in quorums; `staging` counts like `nonvoter`. */
export function isVoter(server: Server | undefined): boolean {
  return server?.suffrage === 'voter'
}

/**
 * The voters of one configuration as their leader sees them. One calculation serves commitment (match index), the
 * lease (time of contact) and reads (heartbeat round): what is the largest value that a quorum has reached?
 */
export class VoterSet<Peer> {
  readonly #peers: readonly Peer[]
  /** False for a leader that is leaving: it counts in no quorum of its last configuration. */
  readonly selfVotes: boolean
  readonly #quorum: number
  /** Used again by every call, so that an acknowledgement allocates nothing. */
  readonly #largest: number[]

  /** `peers`: the other voters. `selfVotes`: a leader outside of its configuration does not count itself. */
  constructor(peers: readonly Peer[], selfVotes: boolean) {
    this.#peers = peers
    this.selfVotes = selfVotes
    this.#quorum = quorumSize(peers.length + (selfVotes ? 1 : 0))
    this.#largest = Array.from({ length: this.#quorum }, () => -Infinity)
  }

  /** True when this server alone is a quorum. */
  get isSelfAlone(): boolean {
    return this.selfVotes && this.#peers.length === 0
  }

  /** The largest value that at least a quorum of voters has reached; -Infinity when there is no voter. */
  reached(own: number, valueOf: (peer: Peer) => number): number {
    const largest = this.#largest
    largest.fill(-Infinity)
    if (this.selfVotes) insertDescending(largest, own)
    for (const peer of this.#peers) insertDescending(largest, valueOf(peer))
    return largest[this.#quorum - 1]!
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
