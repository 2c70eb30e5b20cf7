// What can be switched off in a world, class by class, to see which classes a failure needs.
import { defaultConfig, type RaftConfig } from '@raftkit/raft-core'
import { FINE_WEATHER } from '../disk/simulated-disk.ts'
import { NO_CRASH_POINTS, type WorldOptions } from '../world/world-options.ts'

type SwitchOff = (options: WorldOptions) => WorldOptions

/** What can be switched off in a world. */
export const FAULT_CLASSES = [
  'delay',
  'loss',
  'duplication',
  'reordering',
  'replays',
  'datagrams',
  'slow-disks',
  'failing-disks',
  'torn-writes',
  'rot-at-read',
  'crash-points',
  'stalls',
  'slow-apply',
  'drift',
  'bursts',
  'eager-calls',
  'wrong-servers',
  'forwarding',
  'lease-reads',
  'bounded-reads',
  'stale-reads',
  'reads-anywhere',
  'snapshot-resets',
  'snapshots',
  'compaction',
  'small-limits',
  'mixed-timeouts',
  'no-pre-votes',
  'spares',
  'empty-disks',
  'core-ending',
  'disaster',
] as const

/** One of {@link FAULT_CLASSES}. */
export type FaultClass = (typeof FAULT_CLASSES)[number]

const SWITCHES: Readonly<Record<FaultClass, SwitchOff>> = {
  delay: (options) => onNetwork(options, { minDelayMs: 0.2, jitterMs: 0.3 }),
  loss: (options) => onNetwork(options, { loss: 0 }),
  duplication: (options) => onNetwork(options, { duplication: 0 }),
  reordering: (options) => onNetwork(options, { reordering: 0 }),
  replays: (options) => ({ ...options, vault: 0 }),
  datagrams: (options) => ({ ...options, pipelines: 'stream' }),
  'slow-disks': (options) => {
    const { meanReadMs, meanWriteMs, slow } = FINE_WEATHER
    return onDisks(options, { meanReadMs, meanWriteMs, slow })
  },
  'failing-disks': (options) => onDisks(options, { failing: 0 }),
  'torn-writes': (options) => onDisks(options, { torn: 0 }),
  'rot-at-read': (options) => ({ ...options, rotAtRead: 0 }),
  'crash-points': (options) => ({ ...options, crashPoints: NO_CRASH_POINTS }),
  stalls: (options) => ({ ...options, stalls: 0 }),
  'slow-apply': (options) => ({ ...options, slowApply: 0 }),
  drift: (options) => ({ ...options, clockRates: options.clockRates.map(() => 1) }),
  bursts: (options) => onWorkload(options, { bursts: 0 }),
  'eager-calls': (options) => onWorkload(options, { eager: 0 }),
  'wrong-servers': (options) => onWorkload(options, { wrongServer: 0 }),
  forwarding: (options) => onWorkload(options, { forwarded: 0 }),
  'lease-reads': (options) => onWorkload(options, { leaseReads: 0 }),
  'bounded-reads': (options) => onWorkload(options, { boundedReads: 0 }),
  'stale-reads': (options) => onWorkload(options, { staleReads: 0 }),
  'reads-anywhere': (options) => onWorkload(options, { readsAnywhere: 0 }),
  'snapshot-resets': (options) => ({ ...options, snapshotResets: 0 }),
  snapshots: (options) => onServers(options, { snapshotThreshold: 1_000_000 }),
  compaction: (options) =>
    onServers(options, { trailingLogs: 10_240, logTailBytes: defaultConfig().logTailBytes }),
  'small-limits': (options) => onServers(options, defaultLimits()),
  'mixed-timeouts': (options) => {
    const { heartbeatTimeoutMs, electionTimeoutMs, leaderLeaseTimeoutMs } = options.configs[0]!
    return onServers(options, { heartbeatTimeoutMs, electionTimeoutMs, leaderLeaseTimeoutMs })
  },
  'no-pre-votes': (options) => onServers(options, { preVote: true }),
  spares: (options) => {
    const { servers } = options
    const { configs, otherConfigs, clockRates, disks } = options
    return {
      ...options,
      spares: 0,
      configs: configs.slice(0, servers),
      otherConfigs: otherConfigs.slice(0, servers),
      clockRates: clockRates.slice(0, servers),
      disks: disks.slice(0, servers),
    }
  },
  'empty-disks': (options) => ({ ...options, wiped: 'stay out' }),
  'core-ending': (options) => ({ ...options, ending: 'heal' }),
  disaster: (options) => ({ ...options, disaster: false }),
}

/** The world without these classes. What is left happens as before, as far as it can. */
export function withoutClasses(
  options: WorldOptions,
  classes: readonly FaultClass[],
): WorldOptions {
  let reduced = options
  for (const name of classes) reduced = SWITCHES[name](reduced)
  return reduced
}

/** Classes that are on in this world. */
export function presentClasses(options: WorldOptions): readonly FaultClass[] {
  const whole = JSON.stringify(options)
  return FAULT_CLASSES.filter((name) => JSON.stringify(SWITCHES[name](options)) !== whole)
}

function onNetwork(options: WorldOptions, change: WorldOptions['network']): WorldOptions {
  return { ...options, network: { ...options.network, ...change } }
}

function onDisks(
  options: WorldOptions,
  change: Partial<WorldOptions['disks'][number]>,
): WorldOptions {
  return { ...options, disks: options.disks.map((disk) => ({ ...disk, ...change })) }
}

function onServers(options: WorldOptions, change: Partial<RaftConfig>): WorldOptions {
  const changed = (config: RaftConfig): RaftConfig => ({ ...config, ...change })
  return {
    ...options,
    configs: options.configs.map(changed),
    otherConfigs: options.otherConfigs.map(changed),
  }
}

function onWorkload(
  options: WorldOptions,
  change: Partial<WorldOptions['workload']>,
): WorldOptions {
  return { ...options, workload: { ...options.workload, ...change } }
}

function defaultLimits(): Partial<RaftConfig> {
  const {
    maxAppendEntries,
    maxAppendBytes,
    maxInflightAppends,
    maxInflightBytes,
    maxApplyBatch,
    maxPendingProposals,
  } = defaultConfig()
  return {
    maxAppendEntries,
    maxAppendBytes,
    maxInflightAppends,
    maxInflightBytes,
    maxApplyBatch,
    maxPendingProposals,
  }
}
