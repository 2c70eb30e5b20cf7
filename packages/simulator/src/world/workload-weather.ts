// How the clients of a world behave.
import { often } from '../random/intensity.ts'
import { Stream } from '../random/streams.ts'
import type { WorkloadWeather } from './world-options.ts'

/** Draws how clients behave. */
export function drawWorkload(seed: number, beatMs: number, random: Stream): WorkloadWeather {
  return {
    clients: random.integer(1, 5),
    meanPauseMs: random.magnitude(10, 500),
    timeoutMs: beatMs * random.magnitude(0.3, 6),
    wrongServer: often(random, 0.2),
    bursts: often(random, 0.1),
    eager: often(random, 1),
    forwarded: often(random, 0.5),
    leaseReads: often(new Stream(seed, 'swarm lease reads'), 1),
    ...drawReads(seed, beatMs),
  }
}

/** Reads that need not be new, and reads anywhere. */
function drawReads(
  seed: number,
  beatMs: number,
): Pick<WorkloadWeather, 'boundedReads' | 'staleReads' | 'maxStalenessMs' | 'readsAnywhere'> {
  const random = new Stream(seed, 'swarm reads')
  return {
    boundedReads: often(random, 0.5),
    staleReads: often(random, 0.3),
    maxStalenessMs: beatMs * random.magnitude(0.1, 20),
    readsAnywhere: often(random, 0.6),
  }
}
