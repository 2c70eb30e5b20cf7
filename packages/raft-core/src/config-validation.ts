import { RaftError } from '@raftkit/interface'
import type { RaftConfig } from './config.ts'

/** The options that are true or false. */
const SWITCHES = [
  'preVote',
  'shutdownOnRemove',
  'verifyDisks',
  'restoreSnapshotOnStart',
  'restoreCommittedLogs',
] as const

/** Smallest value of each whole-number option. The first rows are hashicorp/raft's. */
const MINIMA: Readonly<
  Record<Exclude<keyof RaftConfig, (typeof SWITCHES)[number] | 'leaderPriorities'>, number>
> = {
  heartbeatTimeoutMs: 5,
  electionTimeoutMs: 5,
  leaderLeaseTimeoutMs: 5,
  commitTimeoutMs: 1,
  maxAppendEntries: 1,
  snapshotIntervalMs: 5,
  snapshotThreshold: 1,
  trailingLogs: 0,
  maxAppendBytes: 1024,
  maxInflightAppends: 1,
  maxInflightBytes: 1024,
  maxLeaderStallMs: 1,
  snapshotStallMs: 1,
  maxCommandBytes: 1,
  maxPendingProposals: 1,
  maxPendingBytes: 1024,
  maxPendingReads: 1,
  maxInboundRequests: 1,
  maxForwardBytes: 1,
  maxApplyTurnMs: 1,
  maxApplyBatch: 1,
  storageStallMs: 5,
  eventLoopStallMs: 1,
  rpcTimeoutMs: 5,
  logTailBytes: 1024,
}

/** hashicorp/raft's bound on entries per AppendEntries. */
export const MAX_APPEND_ENTRIES = 1024

/** Part of the heartbeat timeout that a lease must last: one interval between heartbeats, and their way. */
const LEAST_LEASE = 0.3

/**
 * Checks every option and throws one `RAFT_INVALID_CONFIG` that names all problems (`details.problems`).
 * The rules are hashicorp/raft's, and further ones for the options that it does not have.
 */
export function validateConfig(config: RaftConfig): void {
  const problems = [...rangeProblems(config), ...relationProblems(config)]
  if (problems.length === 0) return
  throw new RaftError(
    'RAFT_INVALID_CONFIG',
    `the configuration is not usable: ${problems.join('; ')}`,
    {
      details: { problems },
    },
  )
}

function rangeProblems(config: RaftConfig): string[] {
  const problems: string[] = []
  for (const [name, minimum] of Object.entries(MINIMA)) {
    const value: unknown = config[name as keyof typeof MINIMA]
    const whole = Number.isSafeInteger(value)
    if (!whole && !(name.endsWith('Ms') && Number.isFinite(value)))
      problems.push(
        `${name} is ${String(value)}, it must be a ${name.endsWith('Ms') ? 'finite' : 'whole'} number`,
      )
    else if ((value as number) < minimum)
      problems.push(`${name} is ${String(value)}, it must be at least ${minimum}`)
  }
  for (const name of SWITCHES)
    if (typeof config[name] !== 'boolean')
      problems.push(`${name} is ${String(config[name])}, it must be true or false`)
  problems.push(...priorityProblems(config.leaderPriorities))
  return problems
}

function priorityProblems(priorities: unknown): string[] {
  if (typeof priorities !== 'object' || priorities === null || Array.isArray(priorities))
    return [
      `leaderPriorities is ${String(priorities)}, it must be an object of numbers by server id`,
    ]
  return Object.entries(priorities)
    .filter(([, priority]) => !Number.isSafeInteger(priority))
    .map(
      ([id, priority]) =>
        `leaderPriorities of ${id} is ${String(priority)}, it must be a whole number`,
    )
}

function relationProblems(config: RaftConfig): string[] {
  const problems: string[] = []
  if (config.maxAppendEntries > MAX_APPEND_ENTRIES)
    problems.push(
      `maxAppendEntries is ${config.maxAppendEntries}, it must be at most ${MAX_APPEND_ENTRIES}`,
    )
  if (config.leaderLeaseTimeoutMs > config.heartbeatTimeoutMs)
    problems.push(
      `leaderLeaseTimeoutMs (${config.leaderLeaseTimeoutMs}) is larger than heartbeatTimeoutMs ` +
        `(${config.heartbeatTimeoutMs}): a cut-off leader would still lead while others elect a new one`,
    )
  if (config.leaderLeaseTimeoutMs < config.heartbeatTimeoutMs * LEAST_LEASE)
    problems.push(
      `leaderLeaseTimeoutMs (${config.leaderLeaseTimeoutMs}) is below ${LEAST_LEASE} × heartbeatTimeoutMs ` +
        `(${config.heartbeatTimeoutMs}): heartbeats go out every tenth to fifth part of it, so a healthy leader would ` +
        'lose its lease between two of them',
    )
  if (config.electionTimeoutMs < config.heartbeatTimeoutMs)
    problems.push(
      `electionTimeoutMs (${config.electionTimeoutMs}) is smaller than heartbeatTimeoutMs ` +
        `(${config.heartbeatTimeoutMs}): candidates would give up before others notice the silence`,
    )
  if (config.maxCommandBytes > config.maxPendingBytes)
    problems.push(
      `maxCommandBytes (${config.maxCommandBytes}) is larger than maxPendingBytes ` +
        `(${config.maxPendingBytes}): the largest command could never be admitted`,
    )
  return problems
}
