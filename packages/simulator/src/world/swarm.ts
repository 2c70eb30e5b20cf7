// What a world is like, drawn from its seed: every fault off or on with an intensity of its own, and the options of the
// product too, so that runs differ in kind ("Swarm Testing", Groce et al. 2012).
import { defaultConfig, type RaftConfig } from '@raftkit/raft-core'
import type { DiskWeather } from '../disk/simulated-disk.ts'
import { often } from '../random/intensity.ts'
import { Stream } from '../random/streams.ts'
import { idOf } from '../server/simulated-server.ts'
import { drawChanges, drawIntervals, drawTakeovers } from './rhythms.ts'
import { drawWorkload } from './workload-weather.ts'
import { type CrashPoints, NO_CRASH_POINTS, type WorldOptions } from './world-options.ts'

/** What a profile prefers; what it leaves out is drawn as in `default`. */
export interface Profile {
  readonly name: string
  readonly adjust: (options: WorldOptions, random: Stream) => WorldOptions
}

const BOOTSTRAPS = ['before', 'before', 'before', 'running', 'one running'] as const

const SIZES = [1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 7]

/** Draws a world. The same seed and profile always give the same. */
export function drawWorld(seed: number, profile: Profile, servers?: number): WorldOptions {
  const random = new Stream(seed, 'swarm')
  const size = random.pick(SIZES)
  const options = drawOptions(seed, profile.name, servers ?? size, random)
  const adjusted = profile.adjust(options, random)
  return adjusted.ending === 'core' ? withFairElections(adjusted) : adjusted
}

/**
 * While some links stay cut for ever, a server outside of the core that needs no pre-vote, or is less patient than the
 * others, can raise the term again and again: liveness is promised without those only.
 */
function withFairElections(options: WorldOptions): WorldOptions {
  const { heartbeatTimeoutMs, electionTimeoutMs, leaderLeaseTimeoutMs } = options.configs[0]!
  const fair = {
    heartbeatTimeoutMs,
    electionTimeoutMs,
    leaderLeaseTimeoutMs,
    preVote: true,
    leaderPriorities: {},
  }
  const fairly = (config: RaftConfig): RaftConfig => ({ ...config, ...fair })
  return {
    ...options,
    configs: options.configs.map(fairly),
    otherConfigs: options.otherConfigs.map(fairly),
  }
}

function drawOptions(seed: number, profile: string, servers: number, random: Stream): WorldOptions {
  const beatMs = Math.round(random.magnitude(200, 1500))
  const preVote = random.pick(['all', 'all', 'none', 'mixed'] as const)
  const timing = drawTiming(beatMs, random)
  const members = new Stream(seed, 'swarm members')
  const changes = members.chance(0.55)
  const spares = changes && members.chance(0.85) ? members.integer(1, 3) : 0
  // Every server draws by itself, so that one server less changes nothing for the others.
  const each = <T>(what: string, draw: (random: Stream) => T): T[] =>
    namesOf(servers, spares).map((name) => draw(new Stream(seed, `swarm ${what} of ${name}`)))
  const drift = often(random, 0.3)
  // Safety must not rest on equal timeouts: a patient leader lives on while impatient servers elect another.
  const isImpatient = random.chance(0.3)
  // A leader that removed itself, and is not told that this is committed, campaigns on: without pre-votes, an impatient
  // one would keep patient ones from winning.
  const patience = isImpatient && !(changes && preVote !== 'all') ? 4 : 1
  const priorities = drawPriorities(seed)
  const config = (own: Stream): RaftConfig => ({
    ...drawConfig(own.chance(0.5) ? patient(timing, patience) : timing, own),
    leaderPriorities: priorities(),
    preVote: preVote === 'all' || (preVote === 'mixed' && own.chance(0.5)),
    restoreCommittedLogs: new Stream(seed, 'swarm replay').chance(0.3),
  })
  return {
    seed,
    profile,
    servers,
    spares,
    bootstrap: members.pick(BOOTSTRAPS),
    configs: each('options', config),
    otherConfigs: each('other options', config),
    clockRates: each('clock', (own) => own.between(1 - drift, 1 + drift)),
    network: drawNetwork(beatMs, random),
    pipelines: random.pick(['stream', 'datagram']),
    vault: often(random, 0.03),
    disks: each('disk', (own) => drawDisk(beatMs, own)),
    snapshotChunkBytes: random.pick([16, 64, 512, 4096]),
    snapshotResets: often(random, 0.3),
    rotAtRead: often(random, 0.005),
    losable: random.chance(0.05) ? 'all' : 'minority',
    wiped: members.chance(0.6) ? 'come back empty' : 'stay out',
    crashPoints: drawCrashPoints(random),
    meanDownMs: random.magnitude(0.5, 10_000),
    intervals: {
      ...drawIntervals(beatMs, random),
      ...drawTakeovers(beatMs, new Stream(seed, 'swarm takeovers')),
      ...drawChanges(beatMs, changes, members),
    },
    meanTroubleMs: beatMs * random.magnitude(0.3, 8),
    stalls: often(random, 0.01),
    stallMs: beatMs * random.magnitude(0.1, 5),
    slowApply: often(random, 0.3),
    slowApplyMs: random.magnitude(0.3, 100),
    workload: drawWorkload(seed, beatMs, random),
    durationMs: beatMs * random.between(20, 60),
    ending: random.chance(0.25) ? 'core' : 'heal',
    disaster: new Stream(seed, 'swarm disaster').chance(1 / 8),
    onlyActs: undefined,
    maxCalls: Infinity,
    variant: 0,
  }
}

/** What the streams of servers are called: a spare one draws the same whoever else there is. */
function namesOf(servers: number, spares: number): readonly string[] {
  return [
    ...Array.from({ length: servers }, (_, place) => String(place)),
    ...Array.from({ length: spares }, (_, place) => `spare ${place}`),
  ]
}

type Timing = Pick<
  RaftConfig,
  | 'heartbeatTimeoutMs'
  | 'electionTimeoutMs'
  | 'leaderLeaseTimeoutMs'
  | 'commitTimeoutMs'
  | 'maxLeaderStallMs'
  | 'storageStallMs'
  | 'eventLoopStallMs'
  | 'rpcTimeoutMs'
  | 'snapshotStallMs'
>

function drawTiming(beatMs: number, random: Stream): Timing {
  return {
    heartbeatTimeoutMs: beatMs,
    electionTimeoutMs: Math.round(beatMs * random.pick([1, 1, 1.5, 2])),
    leaderLeaseTimeoutMs: Math.round(beatMs * random.pick([0.5, 0.8, 1])),
    commitTimeoutMs: random.between(2, 50),
    maxLeaderStallMs: beatMs * random.pick([0.5, 1, 3]),
    storageStallMs: beatMs * random.between(1, 5),
    eventLoopStallMs: random.pick([50, 250, 250]),
    rpcTimeoutMs: beatMs * random.between(2, 10),
    snapshotStallMs: beatMs * random.between(3, 10),
  }
}

function patient(timing: Timing, factor: number): Timing {
  return {
    ...timing,
    heartbeatTimeoutMs: timing.heartbeatTimeoutMs * factor,
    electionTimeoutMs: timing.electionTimeoutMs * factor,
    leaderLeaseTimeoutMs: timing.leaderLeaseTimeoutMs * factor,
  }
}

function drawConfig(timing: Timing, random: Stream): RaftConfig {
  return {
    ...defaultConfig(),
    ...timing,
    maxAppendEntries: random.pick([1, 2, 3, 16, 64, 512]),
    maxAppendBytes: random.pick([1024, 65_536, 1_048_576]),
    maxInflightAppends: random.pick([1, 2, 4, 256]),
    maxInflightBytes: random.pick([1024, 65_536, 4_194_304]),
    trailingLogs: random.pick([0, 1, 3, 10, 100, 10_240]),
    snapshotIntervalMs: random.magnitude(20, 5000),
    snapshotThreshold: random.pick([3, 10, 50, 1_000_000]),
    maxApplyBatch: random.pick([1, 3, 1024]),
    logTailBytes: random.pick([1024, 4096, 33_554_432]),
    maxPendingProposals: random.pick([8, 32_768, 32_768]),
  }
}

function drawNetwork(beatMs: number, random: Stream): WorldOptions['network'] {
  return {
    minDelayMs: random.magnitude(0.05, beatMs / 20),
    jitterMs: random.magnitude(0.05, beatMs / 10),
    loss: often(random, 0.15),
    duplication: often(random, 0.15),
    reordering: often(random, 0.3),
    reorderDelayMs: random.magnitude(1, beatMs),
  }
}

function drawDisk(beatMs: number, random: Stream): DiskWeather {
  return {
    meanReadMs: random.magnitude(0.02, 1),
    meanWriteMs: random.magnitude(0.05, beatMs / 20),
    slow: often(random, 0.02),
    slowMs: random.magnitude(1, 3 * beatMs),
    failing: often(random, 0.003),
    kept: random.next(),
    torn: often(random, 0.5),
  }
}

function drawCrashPoints(random: Stream): CrashPoints {
  if (random.chance(0.6)) return NO_CRASH_POINTS
  return {
    voteGranted: often(random, 0.2),
    voteRequested: often(random, 0.05),
    appendAcknowledged: often(random, 0.01),
    writeDurable: often(random, 0.02),
    storeCall: often(random, 0.02),
  }
}

/** Who shall lead: nobody in particular, the same for all servers, or every one has its own opinion. */
function drawPriorities(seed: number): () => RaftConfig['leaderPriorities'] {
  const random = new Stream(seed, 'swarm priorities')
  const kind = random.pick(['none', 'none', 'none', 'agreed', 'contested'] as const)
  const draw = (): RaftConfig['leaderPriorities'] =>
    Object.fromEntries([0, 1, 2, 3].map((place) => [idOf(place), random.integer(0, 3)]))
  const agreed = kind === 'none' ? {} : draw()
  return () => (kind === 'contested' ? draw() : agreed)
}
