// Options that may change while the server runs.
import { RaftError } from '@raftkit/interface'
import type { RaftConfig } from './config.ts'
import { validateConfig } from './config-validation.ts'

/**
 * Those of hashicorp/raft, and three more: without the lease a heartbeat timeout could hardly be changed, for they are
 * bound to each other.
 */
const RELOADABLE = [
  'heartbeatTimeoutMs',
  'electionTimeoutMs',
  'leaderLeaseTimeoutMs',
  'commitTimeoutMs',
  'snapshotIntervalMs',
  'snapshotThreshold',
  'trailingLogs',
  'leaderPriorities',
] as const

/** The options that `raft.reloadConfig` takes. */
export type ReloadableConfig = Pick<RaftConfig, (typeof RELOADABLE)[number]>

/** The present values of the options that may change. */
export function reloadableOf(config: RaftConfig): ReloadableConfig {
  const { heartbeatTimeoutMs, electionTimeoutMs, leaderLeaseTimeoutMs, commitTimeoutMs } = config
  const { snapshotIntervalMs, snapshotThreshold, trailingLogs, leaderPriorities } = config
  return {
    heartbeatTimeoutMs,
    electionTimeoutMs,
    leaderLeaseTimeoutMs,
    commitTimeoutMs,
    snapshotIntervalMs,
    snapshotThreshold,
    trailingLogs,
    leaderPriorities,
  }
}

/** `config` with the changes. Throws `RAFT_INVALID_CONFIG` when that cannot be used, or when other options are named. */
export function reloaded(config: RaftConfig, changes: Partial<ReloadableConfig>): RaftConfig {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  const problems = given
    .filter(([name]) => !RELOADABLE.some((known) => known === name))
    .map(([name]) => `${name} cannot change while the server runs`)
  if (problems.length > 0)
    throw new RaftError(
      'RAFT_INVALID_CONFIG',
      `the configuration cannot be reloaded: ${problems.join('; ')}. Start the server anew for that`,
      { details: { problems } },
    )
  const next: RaftConfig = { ...config, ...Object.fromEntries(given) }
  validateConfig(next)
  if (changes.leaderPriorities === undefined) return next
  return { ...next, leaderPriorities: { ...next.leaderPriorities } }
}
