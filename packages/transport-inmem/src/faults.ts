import { RaftError } from '@raftkit/interface'
import type { Random } from '@raftkit/interface'

/** What one directed link does to the messages that pass. Partitions are separate: see `InmemNetwork.cut`. */
export interface LinkFaults {
  /** Least time that a message takes, milliseconds. Default 0. */
  readonly minDelayMs: number
  /** Mean of an exponentially distributed time added to it, milliseconds. Order is kept all the same. Default 0. */
  readonly jitterMs: number
  /** Share of messages lost, 0 to 1. Default 0. */
  readonly loss: number
  /** Share of calls and answers delivered twice, 0 to 1; streams never duplicate. Default 0. */
  readonly duplication: number
  /** Share of calls and answers that later ones may overtake, 0 to 1; streams keep their order. Default 0. */
  readonly reordering: number
  /** Mean of the exponentially distributed extra time of an overtaken message, milliseconds. Default 10. */
  readonly reorderDelayMs: number
  /** How much the link carries, bytes per second. Calls do not wait behind streams. Default Infinity. */
  readonly bytesPerSecond: number
  /** Bytes of calls and answers that may be under way; what goes beyond is lost. Default 64 MiB. */
  readonly capacityBytes: number
}

/** A link that does nothing to its messages. */
export const NO_FAULTS: LinkFaults = {
  minDelayMs: 0,
  jitterMs: 0,
  loss: 0,
  duplication: 0,
  reordering: 0,
  reorderDelayMs: 10,
  bytesPerSecond: Infinity,
  capacityBytes: 64 * 1024 * 1024,
}

/** The longest delay that may be asked for, milliseconds: one hour. */
const MAX_DELAY_MS = 3_600_000

/** Least and most of every fault. */
const RANGES: Readonly<Record<keyof LinkFaults, readonly [number, number]>> = {
  minDelayMs: [0, MAX_DELAY_MS],
  jitterMs: [0, MAX_DELAY_MS],
  loss: [0, 1],
  duplication: [0, 1],
  reordering: [0, 1],
  reorderDelayMs: [0, MAX_DELAY_MS],
  bytesPerSecond: [1, Infinity],
  capacityBytes: [0, Infinity],
}

/** `faults` over `base`, checked; throws `RAFT_INVALID_ARGUMENT` that names the first one out of range. */
export function mergeFaults(base: LinkFaults, faults: Partial<LinkFaults>): LinkFaults {
  const merged: LinkFaults = { ...base, ...faults }
  for (const name of Object.keys(RANGES) as (keyof LinkFaults)[]) {
    const [least, most] = RANGES[name]
    const value = merged[name]
    if (!(value >= least && value <= most))
      throw new RaftError(
        'RAFT_INVALID_ARGUMENT',
        `the link fault ${name} is ${value}; it must be from ${least} to ${most}`,
        { details: { name, value } },
      )
  }
  return merged
}

/** What chance has in store for one message. */
export interface Fate {
  readonly lost: boolean
  readonly delayMs: number
  readonly duplicated: boolean
  /** How much later the duplicate comes, milliseconds. */
  readonly duplicateDelayMs: number
  readonly reordered: boolean
  /** Extra time of a reordered message, milliseconds. */
  readonly reorderDelayMs: number
}

/** Draws six numbers for every message, whatever the faults: switching one off leaves the others as they were. */
export function drawFate(random: Random, faults: LinkFaults): Fate {
  const lost = random.next() < faults.loss
  const delayMs = faults.minDelayMs + exponential(random, faults.jitterMs)
  const duplicated = random.next() < faults.duplication
  const duplicateDelayMs = exponential(random, faults.jitterMs)
  const reordered = random.next() < faults.reordering
  const reorderDelayMs = exponential(random, faults.reorderDelayMs)
  return { lost, delayMs, duplicated, duplicateDelayMs, reordered, reorderDelayMs }
}

function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random.next()) * mean
}
