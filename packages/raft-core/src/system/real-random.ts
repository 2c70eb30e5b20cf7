import type { Random } from '@raftkit/interface'

/** Randomness of the platform, for election timeouts. */
export function realRandom(): Random {
  return { next: () => Math.random() }
}
