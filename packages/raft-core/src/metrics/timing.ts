import type { Clock, Histogram } from '@raftkit/interface'

const MS_PER_SECOND = 1000

/** The units of raftkit are milliseconds, those of metrics seconds. */
export function toSeconds(ms: number): number {
  return ms / MS_PER_SECOND
}

/** Records how long the promise takes to resolve; a failure is no duration. Gives back the same promise. */
export function timed<T>(clock: Clock, histogram: Histogram, call: () => Promise<T>): Promise<T> {
  const startedAt = clock.now()
  const promise = call()
  promise.then(
    () => histogram.record(toSeconds(clock.now() - startedAt)),
    () => {},
  )
  return promise
}
