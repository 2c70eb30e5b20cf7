// What a NetworkTransport can be told, and what holds when it is not.
import {
  RaftError,
  silentLogger,
  type Clock,
  type Logger,
  type Metrics,
  type Random,
  type StreamLayer,
} from '@raftkit/interface'
import type { WireLimits } from '@raftkit/wire'
import { systemClock, systemRandom } from './timing/system-clock.ts'

/** Bounds of what other servers can make this one hold or wait for. Times in milliseconds. */
export interface NetworkLimits {
  /**
   * Accepted connections at once. Beyond it the oldest one that never sent a request makes room, else the one
   * that has been idle longest, else the new one is refused. Default 1024.
   */
  readonly maxConnections: number
  /** Unanswered requests of one accepted connection; beyond it the connection is not read. Default 128. */
  readonly maxRequestsPerConnection: number
  /**
   * Bytes of entries and payloads in unanswered requests of one accepted connection; beyond it the connection
   * is not read. One larger request still passes alone. Default 32 MiB.
   */
  readonly maxRequestBytesPerConnection: number
  /**
   * Bytes of requests in all accepted connections, unanswered or not yet whole; beyond it the connection that
   * holds most of them is closed. Default 256 MiB.
   */
  readonly maxInboundBytes: number
  /** Time for the first byte on an accepted connection. Default 10 000. */
  readonly firstByteTimeoutMs: number
  /**
   * Time for a request to arrive whole once its first byte is there, for each `snapshotProgressBytes` of a
   * snapshot to arrive, and for the other side to take answers that fill the buffer. Default 30 000.
   */
  readonly messageTimeoutMs: number
  /**
   * Time without a request on an accepted connection. Default 0: for ever, as hashicorp/raft does, because its
   * clients keep idle connections and lose a call on each one that was closed.
   */
  readonly idleConnectionTimeoutMs: number
  /** Snapshot bytes received and not yet read by the handler; above it the connection is paused. Default 1 MiB. */
  readonly snapshotBufferBytes: number
  /** Largest piece in which a snapshot is sent; each one taken is progress. Default 256 KiB. */
  readonly snapshotChunkBytes: number
  /**
   * A snapshot has one timeout per this many bytes: the sender waits for the answer that much longer, the
   * receiver wants that much to arrive. hashicorp/raft's TimeoutScale. Default 262 144.
   */
  readonly snapshotProgressBytes: number
  /** Snapshot bytes that are read and dropped after a handler did not want them; beyond it the connection ends. Default 64 MiB. */
  readonly maxDrainBytes: number
}

/** How a NetworkTransport works. */
export interface NetworkTransportOptions {
  /** How to reach the others and be reached. The transport closes it. */
  readonly stream: StreamLayer
  /** Idle connections kept for each address; 0 keeps none. Default 3. */
  readonly maxPool?: number
  /**
   * Milliseconds for one call, dial included; for one answer of a pipeline; for one piece of a snapshot to be
   * taken. Default 10 000.
   */
  readonly timeoutMs?: number
  /** Milliseconds for a connection to be made. Default 5000. */
  readonly dialTimeoutMs?: number
  /** Milliseconds after which an idle pooled connection is closed. Default 60 000. */
  readonly idleTimeoutMs?: number
  /** Milliseconds in which an address is not dialled again after a first failure. Default 10. */
  readonly dialBackoffMinMs?: number
  /** The same after many failures; each one doubles it up to here. Default 500. */
  readonly dialBackoffMaxMs?: number
  /** Unanswered requests of one pipeline; a further one is refused with `RAFT_OVERLOADED`. Default 128. */
  readonly maxPipelineInflight?: number
  /** Unanswered forwarded requests to one server; a further one is refused with `RAFT_OVERLOADED`. Default 1024. */
  readonly maxForwardInflight?: number
  /** Connections to one address at once; a further dial is refused with `RAFT_OVERLOADED`. Default 64. */
  readonly maxConnectionsPerAddress?: number
  /** Bounds of what other servers can make this one hold or wait for. */
  readonly limits?: Partial<NetworkLimits>
  /** Bounds of the messages that are decoded. */
  readonly wireLimits?: Partial<WireLimits>
  /** Where measurements go; see @raftkit/metrics, and `withLabels` to say which server it is. Default: nothing is measured. */
  readonly metrics?: Metrics
  /** Default: silent. */
  readonly logger?: Logger
  /** Default: real time. */
  readonly clock?: Clock
  /** Default: real chance. Only for the jitter of the dial back-off. */
  readonly random?: Random
}

/** The options with every default filled in. */
export type ResolvedOptions = Omit<Required<NetworkTransportOptions>, 'limits' | 'metrics'> & {
  readonly limits: NetworkLimits
}

/** The limits that hold when none are given. */
export const DEFAULT_NETWORK_LIMITS: NetworkLimits = {
  maxConnections: 1024,
  maxRequestsPerConnection: 128,
  maxRequestBytesPerConnection: 32 * 1024 * 1024,
  maxInboundBytes: 256 * 1024 * 1024,
  firstByteTimeoutMs: 10_000,
  messageTimeoutMs: 30_000,
  idleConnectionTimeoutMs: 0,
  snapshotBufferBytes: 1024 * 1024,
  snapshotChunkBytes: 256 * 1024,
  snapshotProgressBytes: 262_144,
  maxDrainBytes: 64 * 1024 * 1024,
}

const MAY_BE_ZERO = new Set(['maxPool', 'idleConnectionTimeoutMs', 'maxDrainBytes'])

/** Longest delay that a timer of the platform can be set to. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Fills in the defaults. Throws one `RAFT_INVALID_CONFIG` that names everything wrong. */
export function resolveOptions(options: NetworkTransportOptions): ResolvedOptions {
  const resolved: ResolvedOptions = {
    stream: options.stream,
    maxPool: options.maxPool ?? 3,
    timeoutMs: options.timeoutMs ?? 10_000,
    dialTimeoutMs: options.dialTimeoutMs ?? 5_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    dialBackoffMinMs: options.dialBackoffMinMs ?? 10,
    dialBackoffMaxMs: options.dialBackoffMaxMs ?? 500,
    maxPipelineInflight: options.maxPipelineInflight ?? 128,
    maxForwardInflight: options.maxForwardInflight ?? 1024,
    maxConnectionsPerAddress: options.maxConnectionsPerAddress ?? 64,
    limits: { ...DEFAULT_NETWORK_LIMITS, ...options.limits },
    wireLimits: options.wireLimits ?? {},
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  }
  const problems = [...numberProblems(resolved), ...numberProblems(resolved.limits)]
  if (resolved.dialBackoffMaxMs < resolved.dialBackoffMinMs)
    problems.push('dialBackoffMaxMs must not be below dialBackoffMinMs')
  if (problems.length > 0)
    throw new RaftError('RAFT_INVALID_CONFIG', `correct these options: ${problems.join('; ')}`, {
      details: { problems },
    })
  return resolved
}

function numberProblems(options: ResolvedOptions | NetworkLimits): string[] {
  const problems: string[] = []
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'object' && value !== null) continue
    const least = MAY_BE_ZERO.has(name) ? 0 : 1
    const most = name.endsWith('Ms') ? MAX_TIMER_MS : Number.MAX_SAFE_INTEGER
    if (!Number.isInteger(value) || Number(value) < least || Number(value) > most)
      problems.push(`${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
  }
  return problems
}

/** The time limit of one call; one beyond what timers can do is as long as they can. Throws `RAFT_INVALID_ARGUMENT`. */
export function checkTimeout(timeoutMs: number): number {
  if (timeoutMs > 0) return Math.min(timeoutMs, MAX_TIMER_MS)
  throw new RaftError(
    'RAFT_INVALID_ARGUMENT',
    `timeoutMs must be a number of milliseconds above 0, not ${timeoutMs}`,
    { outcome: 'not-committed' },
  )
}
