// Everything that a seed decides before the run begins.
import type { RaftConfig } from '@raftkit/raft-core'
import type { LinkFaults } from '@raftkit/transport-inmem'
import type { DiskWeather } from '../disk/simulated-disk.ts'

/** Crashes at moments that matter: shares of the moments of each kind, 0 to 1. */
export interface CrashPoints {
  readonly voteGranted: number
  readonly voteRequested: number
  readonly appendAcknowledged: number
  readonly writeDurable: number
  /** Anything that was read, or a write that begins: the awaits of a server, from its start on. */
  readonly storeCall: number
}

/** Nobody crashes at such a moment. */
export const NO_CRASH_POINTS: CrashPoints = {
  voteGranted: 0,
  voteRequested: 0,
  appendAcknowledged: 0,
  writeDurable: 0,
  storeCall: 0,
}

/** Mean time between two acts of a nemesis, milliseconds; Infinity when it is off. */
export type Intervals = Readonly<Record<NemesisName, number>>

/** What may be done to a cluster. */
export type NemesisName =
  | 'crash'
  | 'crash leader'
  | 'crash all'
  | 'pause'
  | 'isolate'
  | 'split'
  | 'one way'
  | 'bridge'
  | 'ring'
  | 'flap'
  | 'slow link'
  | 'narrow link'
  | 'reset'
  | 'disk hangs'
  | 'disk full'
  | 'bit rot'
  | 'wipe'
  | 'clock jump'
  | TakeoverName
  | OperationName
  | ChangeName

/** How one server takes over while another still believes that it leads. */
export type TakeoverName = 'defection' | 'lost hand-over'

/** What somebody may ask of a cluster, beside commands and reads. */
export type OperationName =
  | 'transfer'
  | 'snapshot'
  | 'barrier'
  | 'verify leader'
  | 'read index'
  | 'restart'
  | 'reload'
  | 'backup'
  | 'restore'

/** How somebody changes who belongs to a cluster. */
export type ChangeName = 'add' | 'remove' | 'demote' | 'move' | 'replace' | 'several' | 'swap'

/** How clients behave. */
export interface WorkloadWeather {
  readonly clients: number
  /** Mean time between two calls of a client, milliseconds. */
  readonly meanPauseMs: number
  readonly timeoutMs: number
  /** Share of calls to a server that is not known to lead. */
  readonly wrongServer: number
  /** Share of calls that are sent many at once. */
  readonly bursts: number
  /** Share of new leaders that get calls at once, before they have settled. */
  readonly eager: number
  /** Share of commands that a server hands to its leader instead of refusing them. */
  readonly forwarded: number
  /** Share of reads that the lease will do for, in worlds where it is safe. */
  readonly leaseReads: number
  /** Share of reads that are bounded, and of those that are stale; the others are as new as may be. */
  readonly boundedReads: number
  readonly staleReads: number
  /** What bounded reads allow, milliseconds: each up to this, of any order of magnitude. */
  readonly maxStalenessMs: number
  /** Share of reads, or of bursts of them, that go to any server whatever: one that lags, is no member, or just came. */
  readonly readsAnywhere: number
}

/** One drawn world. */
export interface WorldOptions {
  readonly seed: number
  readonly profile: string
  /** Members of the first configuration. */
  readonly servers: number
  /** Servers that belong to no cluster at first, and may be added. */
  readonly spares: number
  /** How the cluster begins: its members are bootstrapped before they start, or while they run, or one of them is. */
  readonly bootstrap: 'before' | 'running' | 'one running'
  /** Options of each server. */
  readonly configs: readonly RaftConfig[]
  /** Options of each server after an orderly restart. */
  readonly otherConfigs: readonly RaftConfig[]
  /** Seconds of each server's clock per second of the world. */
  readonly clockRates: readonly number[]
  readonly network: Partial<LinkFaults>
  readonly pipelines: 'stream' | 'datagram'
  /** Share of requests that are kept and sent again much later. */
  readonly vault: number
  readonly disks: readonly DiskWeather[]
  /** Bytes of a snapshot that are sent at once. */
  readonly snapshotChunkBytes: number
  /** Share of snapshots whose connection is reset on the way. */
  readonly snapshotResets: number
  /** Share of reads of the log, by servers that run, which find that the entry has rotted. */
  readonly rotAtRead: number
  /** Disks that may be lost: a quorum keeps what it has, or it need not. */
  readonly losable: 'minority' | 'all'
  /**
   * What happens to a server whose disk was wiped: it stays out until somebody replaces it, or it comes back empty where
   * the cluster knows its old disk by name. `come back unknown` is the mistake of an operator, and the checks must
   * catch it.
   */
  readonly wiped: 'stay out' | 'come back empty' | 'come back unknown'
  readonly crashPoints: CrashPoints
  /** Mean time that a server is down, milliseconds. */
  readonly meanDownMs: number
  readonly intervals: Intervals
  /** Mean length of a pause, a partition, a hung disk, milliseconds. */
  readonly meanTroubleMs: number
  /** Share of commands in which the server stands still for about `stallMs`. */
  readonly stalls: number
  readonly stallMs: number
  /** Share of commands that the state machine applies asynchronously. */
  readonly slowApply: number
  /** Mean time that such a command takes, milliseconds. */
  readonly slowApplyMs: number
  readonly workload: WorkloadWeather
  readonly durationMs: number
  /** How the run ends: everything heals, or only a quorum is well connected for ever. */
  readonly ending: 'heal' | 'core'
  /** After an end in which everything healed, most voters lose their disks, and the survivors are recovered by force. */
  readonly disaster: boolean
  /** Numbers of the acts that happen; undefined for all that the seed plans. */
  readonly onlyActs: readonly number[] | undefined
  /** Calls that clients make in all, at most. */
  readonly maxCalls: number
  /** Which course of events: streams of chance are other ones for each. 0 is the seed's own. */
  readonly variant: number
}
