import type { WorldOptions } from '../world/world-options.ts'
import { FAULT_CLASSES, type FaultClass, withoutClasses } from './fault-classes.ts'

/** What is left out of a seed. The rest stays as the seed has it, so a reduction is as reproducible as the seed. */
export interface Reduction {
  /** Number of servers, 1 to 7. */
  readonly servers?: number
  /** Classes of faults that are off, from {@link FAULT_CLASSES}. */
  readonly without?: readonly FaultClass[]
  /** Numbers of the acts of nemeses that happen. Default: all. */
  readonly acts?: readonly number[]
  /** When faults and clients end, milliseconds of simulated time. Default: as drawn. */
  readonly untilMs?: number
  /** Number of clients. Default: as drawn. */
  readonly clients?: number
  /** Calls of all clients, at most. Default: no limit. */
  readonly calls?: number
  /** Another course of events in the same world with the same acts: all chance is drawn anew. Default 0, the seed's own. */
  readonly variant?: number
}

/** The world without what the reduction leaves out. The number of servers is a matter of drawing it. */
export function reducedWorld(drawn: WorldOptions, reduction: Reduction): WorldOptions {
  const {
    without = [],
    acts,
    untilMs = Infinity,
    clients,
    calls = Infinity,
    variant = 0,
  } = reduction
  const unknown = without.find((name) => !FAULT_CLASSES.includes(name))
  if (unknown !== undefined)
    throw new RangeError(
      `there is no class of faults '${unknown}': choose from ${FAULT_CLASSES.join(', ')}`,
    )
  const options = withoutClasses(drawn, without)
  return {
    ...options,
    durationMs: Math.min(options.durationMs, untilMs),
    onlyActs: acts,
    maxCalls: calls,
    variant,
    workload:
      clients === undefined
        ? options.workload
        : { ...options.workload, clients: Math.min(clients, options.workload.clients) },
  }
}

/** The reduction as arguments of `pnpm sim`, empty when nothing is left out. */
export function reductionArguments(reduction: Reduction): readonly string[] {
  const { servers, without = [], acts, untilMs, clients, calls, variant = 0 } = reduction
  const words: string[] = []
  if (servers !== undefined) words.push('--servers', String(servers))
  if (without.length > 0) words.push('--without', without.join(','))
  if (acts !== undefined) words.push('--acts', acts.length === 0 ? 'none' : acts.join(','))
  if (untilMs !== undefined) words.push('--until', String(untilMs))
  if (clients !== undefined) words.push('--clients', String(clients))
  if (calls !== undefined) words.push('--calls', String(calls))
  if (variant !== 0) words.push('--variant', String(variant))
  return words
}
