// Time and chance of the platform: what a node uses unless its parts bring others.
import type { Clock, Random } from '@raftkit/interface'
import { realClock } from '@raftkit/raft-core'

export const systemClock: Clock = realClock()

/** Good enough for numbers that must differ between machines that know nothing of each other. */
export const systemRandom: Random = {
  next: () => {
    const [bits = 0] = crypto.getRandomValues(new Uint32Array(1))
    return bits / 2 ** 32
  },
}
