import type { StoreKind } from './protocol.ts'
import type { PeerKind } from './peer-cluster.ts'

/** What is measured: raftkit on one of its stores, or another library. */
export type Contender = StoreKind | PeerKind

/** One measurement of one contender at one number of clients. */
export interface Row {
  readonly contender: Contender
  readonly clients: number
  readonly round: number
  readonly commandsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicrosecondsPerCommand: number
  readonly leaderChanges: number
  /** Share of one processor that others used meanwhile, in per cent. */
  readonly foreignCpuPercent: number | undefined
}

/** The middle one; of an even number, the upper of the two. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}
