import { defaultConfig } from '@raftkit/raft-core'
import { FINE_WEATHER } from '../disk/simulated-disk.ts'
import type { Profile } from './swarm.ts'
import { NO_CRASH_POINTS, type NemesisName, type WorldOptions } from './world-options.ts'

const same: Profile['adjust'] = (options) => options

/** Changes to the options of every server. */
function configured(
  options: WorldOptions,
  change: Partial<WorldOptions['configs'][number]>,
): WorldOptions {
  const changed = (config: WorldOptions['configs'][number]): WorldOptions['configs'][number] => ({
    ...config,
    ...change,
  })
  return {
    ...options,
    configs: options.configs.map(changed),
    otherConfigs: options.otherConfigs.map(changed),
  }
}

function withIntervals(
  options: WorldOptions,
  intervals: Partial<Record<NemesisName, number>>,
): WorldOptions {
  return { ...options, intervals: { ...options.intervals, ...intervals } }
}

/** Votes under crashes: short restarts, no pre-votes, split votes. */
const votes: Profile['adjust'] = (options, random) => {
  const beatMs = options.configs[0]!.heartbeatTimeoutMs
  return withIntervals(
    {
      ...configured(options, { preVote: false }),
      network: { ...options.network, minDelayMs: beatMs / 20, jitterMs: beatMs / 5 },
      crashPoints: {
        voteGranted: 0.15,
        voteRequested: 0.02,
        appendAcknowledged: 0.002,
        writeDurable: 0.01,
        storeCall: 0.001,
      },
      meanDownMs: random.between(0.5, 15),
      disks: options.disks.map((disk) => ({ ...disk, meanWriteMs: beatMs / 20 })),
    },
    { flap: beatMs * 3 },
  )
}

/** Old messages, sent again much later. */
const vault: Profile['adjust'] = (options) => ({ ...options, vault: 0.03, pipelines: 'datagram' })

/** The leader is cut off again and again. */
const flap: Profile['adjust'] = (options, random) => {
  const beatMs = options.configs[0]!.heartbeatTimeoutMs
  return withIntervals(configured(options, { preVote: random.chance(0.3) }), {
    flap: beatMs * random.between(2, 4),
  })
}

/** Small batches, a snapshot every few entries, hardly a log behind it. */
const tiny: Profile['adjust'] = (options, random) =>
  configured(options, {
    maxAppendEntries: random.integer(1, 3),
    trailingLogs: random.integer(0, 3),
    snapshotThreshold: random.integer(3, 10),
    snapshotIntervalMs: 20,
    logTailBytes: 1024,
  })

/** Leaders are cut off while many call them: long suffixes that nobody else has, and snapshots that replace them. */
const diverge: Profile['adjust'] = (options, random) => {
  const beatMs = options.configs[0]!.heartbeatTimeoutMs
  // Many entries in one request: that so many are under way would cost too many events.
  const compacted = configured(tiny(options, random), { maxAppendEntries: 64 })
  const flapping = withIntervals(compacted, { flap: beatMs * random.between(2, 5) })
  return {
    ...flapping,
    meanTroubleMs: beatMs * random.between(1, 3),
    workload: { ...options.workload, clients: 3, meanPauseMs: beatMs / 4, bursts: 0.3, eager: 1 },
  }
}

/** Some link is slower than an election. */
const slowlink: Profile['adjust'] = (options) =>
  withIntervals(options, { 'slow link': options.configs[0]!.heartbeatTimeoutMs * 4 })

/**
 * Leaders stand still for longer than an election takes and are slow to give up, while others answer late: they learn
 * last that they lead no more.
 */
const stalls: Profile['adjust'] = (options, random) => {
  const beatMs = options.configs[0]!.heartbeatTimeoutMs
  return withIntervals(
    {
      ...configured(options, { maxLeaderStallMs: beatMs * 20, eventLoopStallMs: 50 }),
      meanTroubleMs: beatMs * random.between(1, 4),
      workload: { ...options.workload, clients: 5, meanPauseMs: 20, wrongServer: 0.3, eager: 1 },
    },
    { pause: beatMs * 3, 'slow link': beatMs * random.between(1, 4) },
  )
}

/**
 * Reads on leases that are as long as they may be, and all that ends a lease early or late: clocks that drift as far as
 * is allowed, leaders that stand still or hand over, voters that start again, partitions.
 */
const lease: Profile['adjust'] = (options, random) => {
  const beatMs = options.configs[0]!.heartbeatTimeoutMs
  const drift = random.pick([0, 0.025, 0.05])
  // A hand-over or a stall voids leases for a while: one kind of trouble leaves the others the leases that they need.
  const trouble = random.pick(['restarts', 'restarts', 'hand-overs', 'stalls'])
  const during = (kind: string, least: number, most: number): number =>
    trouble === kind ? beatMs * random.between(least, most) : Infinity
  const eager = configured(options, {
    heartbeatTimeoutMs: beatMs,
    electionTimeoutMs: beatMs,
    leaderLeaseTimeoutMs: beatMs,
    maxLeaderStallMs: beatMs * 20,
    eventLoopStallMs: random.between(10, 50),
    preVote: random.chance(0.3),
  })
  const { workload, clockRates } = eager
  return withIntervals(
    {
      ...eager,
      clockRates: clockRates.map(() => random.pick([1 - drift, 1, 1 + drift])),
      network: { ...options.network, minDelayMs: 0.2, jitterMs: 2 },
      meanTroubleMs: beatMs * random.between(1, 4),
      meanDownMs: beatMs * random.between(0.005, 0.1),
      stalls: trouble === 'stalls' ? 0.01 : 0,
      stallMs: beatMs * random.between(0.5, 3),
      workload: {
        ...workload,
        clients: 5,
        meanPauseMs: 15,
        wrongServer: 0.4,
        eager: 1,
        leaseReads: 0.7,
      },
      ending: 'heal',
    },
    {
      pause: during('stalls', 2, 6),
      flap: Infinity,
      bridge: beatMs * random.between(1.5, 4),
      transfer: during('hand-overs', 2, 6),
      'lost hand-over': during('hand-overs', 3, 8),
      crash: during('restarts', 1, 4),
      defection: during('restarts', 5, 10),
      'crash all': Infinity,
      'clock jump': Infinity,
    },
  )
}

/** In the end only a quorum is well connected. */
const core: Profile['adjust'] = (options) => ({ ...options, ending: 'core' })

/** Nothing goes wrong: a yardstick for speed. */
const calm: Profile['adjust'] = (options) => ({
  ...options,
  configs: options.configs.map(() => defaultConfig()),
  clockRates: options.clockRates.map(() => 1),
  network: { minDelayMs: 0.2, jitterMs: 0.3 },
  vault: 0,
  disks: options.disks.map(() => FINE_WEATHER),
  snapshotResets: 0,
  rotAtRead: 0,
  crashPoints: NO_CRASH_POINTS,
  intervals: Object.fromEntries(
    Object.keys(options.intervals).map((name) => [name, Infinity]),
  ) as WorldOptions['intervals'],
  stalls: 0,
  slowApply: 0,
  workload: {
    clients: 3,
    meanPauseMs: 100,
    timeoutMs: 3000,
    wrongServer: 0,
    bursts: 0,
    eager: 0,
    forwarded: 0,
    leaseReads: 0,
    boundedReads: 0,
    staleReads: 0,
    maxStalenessMs: 1000,
    readsAnywhere: 0,
  },
  durationMs: 60_000,
  ending: 'heal',
})

const NAMED: Readonly<Record<string, Profile['adjust']>> = {
  swarm: same,
  votes,
  vault,
  flap,
  tiny,
  diverge,
  slowlink,
  stalls,
  lease,
  core,
  calm,
}

/** What `default` draws from: plain swarm most of the time, and every targeted one. */
const MIX = [
  'swarm',
  'swarm',
  'swarm',
  'votes',
  'vault',
  'flap',
  'tiny',
  'diverge',
  'slowlink',
  'lease',
  'core',
]

/** Names that `profile` may have. */
export const PROFILE_NAMES: readonly string[] = ['default', ...Object.keys(NAMED)]

/** The profile of that name; throws when there is none. */
export function profileOf(name: string): Profile {
  if (name === 'default')
    return {
      name,
      adjust: (options, random) => {
        const adjusted = NAMED[random.pick(MIX)]!(options, random)
        return random.chance(0.2) ? NAMED[random.pick(MIX)]!(adjusted, random) : adjusted
      },
    }
  const adjust = NAMED[name]
  if (adjust === undefined)
    throw new RangeError(`there is no profile '${name}': choose one of ${PROFILE_NAMES.join(', ')}`)
  return { name, adjust }
}
