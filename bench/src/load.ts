// The closed loop: a fixed number of commands in flight, each timed from call to response.
import type { Raft } from '@raftkit/raft-core'
import type { Load, LoadResult } from './protocol.ts'

/** Latencies that are kept; beyond it, a uniform sample of that size stands for all. */
const MAX_SAMPLES = 1_000_000

/** Runs `load` against the leader in this process. `onMeasuring` is called when the warm-up is over. */
export async function runLoad(
  raft: Raft<number>,
  load: Load,
  onMeasuring: () => void,
): Promise<Omit<LoadResult, 'leaderChanges'>> {
  const command = new Uint8Array(load.commandBytes).fill(0x78)
  const samples: number[] = []
  const started = performance.now()
  const measureFrom = started + load.warmUpMs
  const until = measureFrom + load.measureMs
  let measuring = false
  let commands = 0
  let last = measureFrom

  const client = async (): Promise<void> => {
    for (;;) {
      const sent = performance.now()
      if (sent >= until) return
      await raft.apply(command)
      const now = performance.now()
      if (now < measureFrom || now > until) continue
      if (!measuring) {
        measuring = true
        onMeasuring()
      }
      commands++
      last = now
      if (samples.length < MAX_SAMPLES) samples.push(now - sent)
      else samples[commands % MAX_SAMPLES] = now - sent
    }
  }
  await Promise.all(Array.from({ length: load.clients }, client))

  samples.sort((a, b) => a - b)
  const percentile = (share: number): number =>
    samples[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? Number.NaN
  return {
    commands,
    elapsedMs: last - measureFrom,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
  }
}
