// What may go wrong in a random run. Drawn from the seed too, so that runs differ in kind and not only in detail.
import type { ConsensusTiming } from '@raftkit/raft-core/consensus'

export type Random = () => number

export type Action =
  // the network
  | 'deliver'
  | 'deliver-any'
  | 'deliver-together'
  | 'lose'
  | 'duplicate'
  | 'keep'
  | 'replay'
  | 'cut'
  | 'heal'
  // one server
  | 'write'
  | 'freeze-disk'
  | 'read'
  | 'crash'
  | 'restart'
  | 'snapshot'
  | 'stall'
  | 'storage-stall'
  | 'campaign'
  // callers
  | 'propose'
  | 'ask-read'
  | 'transfer'
  | 'change-membership'
  | 'give-up-change'
  // all at once
  | 'depose'
  | 'pass-time'

export interface Weather {
  readonly weights: readonly (readonly [Action, number])[]
  readonly total: number
  readonly timing: Partial<ConsensusTiming>
  /** Share of servers that ask for pre-votes: a cluster may be mixed. */
  readonly preVotes: number
  /** Share of servers that speak like hashicorp/raft, without hints. */
  readonly plain: number
  readonly voters: number
  readonly nonvoters: number
  /** Servers that are no members at the start. */
  readonly spares: number
  /** Share of changes of the membership that name several members. */
  readonly plans: number
}

/** A small generator of uniform numbers in [0, 1) (mulberry32). */
export function generator(seed: number): Random {
  let state = (seed * 2_654_435_761) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function pick<T>(random: Random, items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)]
}

export function drawWeather(random: Random): Weather {
  const often = (weight: number): number => (random() < 0.5 ? 0 : random() * weight)
  // Joint states are rare unless much is made for them.
  const isJoint = random() < 0.4
  const weights: (readonly [Action, number])[] = [
    ['deliver', 40 + random() * 60],
    ['deliver-any', often(60)],
    ['deliver-together', often(20)],
    ['lose', often(12)],
    ['duplicate', often(8)],
    ['keep', often(6)],
    ['replay', often(6)],
    ['cut', often(2)],
    ['heal', 0.1 + random()],
    ['write', 20 + random() * 60],
    ['freeze-disk', often(2)],
    ['read', 20],
    ['crash', often(3)],
    ['restart', 1 + random() * 3],
    ['snapshot', often(8)],
    ['stall', often(0.5)],
    ['storage-stall', often(0.5)],
    ['campaign', often(2)],
    ['propose', 2 + random() * 8],
    ['ask-read', often(6)],
    ['transfer', often(1)],
    ['change-membership', isJoint ? 2 + random() * 4 : often(3)],
    ['give-up-change', often(1)],
    ['depose', often(2)],
    ['pass-time', 2 + random() * 8],
  ]
  return {
    weights,
    total: weights.reduce((sum, [, weight]) => sum + weight, 0),
    timing: {
      maxAppendEntries: 1 + Math.floor(random() * 5),
      maxInflightAppends: 1 + Math.floor(random() * 4),
      maxInflightBytes: random() < 0.3 ? 150 : 1_000_000,
      trailingLogs: Math.floor(random() * 4),
      // A long lease lets deposed leaders live on.
      leaderLeaseTimeoutMs: random() < 0.5 ? 100 : 2000,
      maxLeaderStallMs: random() < 0.5 ? 10 : 1000,
    },
    preVotes: pick(random, [0, 0.5, 1])!,
    plain: isJoint ? pick(random, [0, 0, 0, 0.2])! : pick(random, [0, 0, 0.5])!,
    voters: pick(random, [1, 2, 3, 3, 3, 4, 5, 5])!,
    nonvoters: pick(random, [0, 0, 1])!,
    spares: pick(random, isJoint ? [1, 2, 3] : [0, 1, 2])!,
    plans: isJoint ? 0.8 : 0.2,
  }
}

export function drawAction(random: Random, { weights, total }: Weather): Action {
  let rest = random() * total
  for (const [action, weight] of weights) {
    rest -= weight
    if (rest < 0) return action
  }
  return 'deliver'
}
