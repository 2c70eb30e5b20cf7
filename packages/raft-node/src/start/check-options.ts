import { stat } from 'node:fs/promises'
import { messageOf, RaftError, type Configuration, type ServerId } from '@raftkit/interface'
import { defaultConfig, validateConfig, type RaftConfig } from '@raftkit/raft-core'
import { addressProblem, parseHostPort } from './address.ts'
import {
  DEFAULT_FORWARD_LIMITS,
  FORWARD_OVERHEAD_BYTES,
  type ForwardLimits,
} from '../forwarding/forward-lane.ts'
import {
  DEFAULT_MAX_POOL,
  DEFAULT_SNAPSHOT_INTERVAL_MS,
  DEFAULT_SNAPSHOT_RETAIN,
  DEFAULT_TRANSPORT_TIMEOUT_MS,
  type PeerOption,
  type RaftNodeOptions,
} from '../node-options.ts'
import {
  DEFAULT_SESSION_LIMITS,
  sessionLimitProblems,
  type SessionLimits,
} from '../sessions/session-limits.ts'

/** The options with every default filled in. */
export interface CheckedOptions {
  readonly id: ServerId
  readonly address: string
  readonly bind: string
  readonly dataDir: string
  /** The members of a new cluster, in the same order on every node. */
  readonly members: Configuration
  readonly config: RaftConfig
  readonly bootstrap: boolean
  readonly snapshotRetain: number
  readonly maxPool: number
  readonly transportTimeoutMs: number
  readonly forward: ForwardLimits
  /** Undefined: commands are sent without a session. */
  readonly sessions: SessionLimits | undefined
}

/** What is checked: everything but the types that the compiler follows. */
export type UncheckedOptions = Omit<RaftNodeOptions<never, unknown, never, unknown>, 'stateMachine'>

/** Says what is wrong with a data directory, before anything is created. */
export type FindProblems = (dataDir: string) => Promise<readonly string[]>

/** Finds every problem before anything is created. Rejects with one `RAFT_INVALID_ARGUMENT` that names them all. */
export async function checkOptions(
  options: UncheckedOptions,
  findProblems: FindProblems = async () => [],
): Promise<CheckedOptions> {
  const forward = { ...DEFAULT_FORWARD_LIMITS, ...options.forward }
  const config = configOf(options, forward)
  const id = options.id ?? options.address
  const checked: CheckedOptions = {
    id,
    address: options.address,
    bind: options.bind ?? options.address,
    dataDir: options.dataDir,
    members: membersOf(options.peers),
    config,
    bootstrap: options.bootstrap ?? true,
    snapshotRetain: options.snapshotRetain ?? DEFAULT_SNAPSHOT_RETAIN,
    maxPool: options.maxPool ?? DEFAULT_MAX_POOL,
    transportTimeoutMs: options.transportTimeoutMs ?? DEFAULT_TRANSPORT_TIMEOUT_MS,
    forward,
    sessions: sessionsOf(options.sessions ?? true),
  }
  const problems = [
    ...addressProblems(checked),
    ...memberProblems(checked),
    ...limitProblems(checked),
    ...(checked.sessions === undefined
      ? []
      : Array.from(sessionLimitProblems(checked.sessions), (problem) => `sessions: ${problem}`)),
    ...configProblems(config),
    ...snapshotProblems(config),
    ...(await findProblems(options.dataDir)),
  ]
  if (problems.length === 0) return checked
  throw new RaftError(
    'RAFT_INVALID_ARGUMENT',
    `The node was not started, nothing was created. Correct this first:\n- ${problems.join('\n- ')}`,
    { details: { problems } },
  )
}

function sessionsOf(option: boolean | Partial<SessionLimits>): SessionLimits | undefined {
  if (option === false) return undefined
  return option === true ? DEFAULT_SESSION_LIMITS : { ...DEFAULT_SESSION_LIMITS, ...option }
}

/** What is not given is raft-core's default, except where a node knows better. */
function configOf(options: UncheckedOptions, forward: ForwardLimits): RaftConfig {
  const defaults = defaultConfig()
  const maxCommandBytes = options.config?.maxCommandBytes ?? defaults.maxCommandBytes
  const largestMessage = Math.max(maxCommandBytes, forward.maxForwardBytes) + FORWARD_OVERHEAD_BYTES
  return {
    ...defaults,
    snapshotIntervalMs: DEFAULT_SNAPSHOT_INTERVAL_MS,
    // LevelStore keeps the commit index at a cost within the noise (`pnpm bench:stores`).
    restoreCommittedLogs: true,
    maxForwardBytes: Math.max(defaults.maxForwardBytes, largestMessage),
    ...options.config,
  }
}

/** Sorted, because the members become the first log entry, which must be the same on every node. */
function membersOf(peers: readonly PeerOption[]): Configuration {
  const members = (Array.isArray(peers) ? peers : []).map((peer: PeerOption) =>
    typeof peer === 'string' ? { id: peer, address: peer } : peer,
  )
  const sorted = members.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return { servers: sorted.map(({ id, address }) => ({ suffrage: 'voter', id, address })) }
}

function* addressProblems({ id, address, bind }: CheckedOptions): Generator<string> {
  const problem = addressProblem(address)
  if (problem !== undefined) yield `address ${show(address)} ${problem}`
  if (bind !== address && (typeof bind !== 'string' || parseHostPort(bind) === undefined))
    yield `bind ${show(bind)} is not host:port, for example "0.0.0.0:7000"`
  if (typeof id !== 'string' || id === '') yield `id ${show(id)} is not a name`
}

function* memberProblems({ id, address, members }: CheckedOptions): Generator<string> {
  const { servers } = members
  for (const server of servers) {
    const problem = addressProblem(server.address)
    if (problem !== undefined) yield `peer ${show(server.address)} ${problem}`
    if (typeof server.id !== 'string' || server.id === '')
      yield `peer ${show(server.address)} has no id`
  }
  for (const twice of duplicates(servers.map((server) => server.address)))
    yield `peers name the address ${show(twice)} twice`
  for (const twice of duplicates(servers.map((server) => server.id)))
    if (!servers.some((server) => server.address === twice))
      yield `peers name the id ${show(twice)} twice`
  const self = servers.find((server) => server.address === address)
  if (self === undefined)
    yield `peers do not include this node's own address ${show(address)}; give the addresses of all nodes`
  else if (self.id !== id)
    yield `peers give this node the id ${show(self.id)}, but its id is ${show(id)}; name it in peers as { id, address } on every node`
}

function* limitProblems(checked: CheckedOptions): Generator<string> {
  const { snapshotRetain, maxPool, transportTimeoutMs, forward } = checked
  const counts = { snapshotRetain, maxPool, ...forward }
  for (const [name, value] of Object.entries(counts))
    if (!Number.isSafeInteger(value) || value < 1)
      yield `${name} must be a whole number of at least 1, not ${show(value)}`
  if (!Number.isFinite(transportTimeoutMs) || transportTimeoutMs <= 0)
    yield `transportTimeoutMs must be a positive number, not ${show(transportTimeoutMs)}`
}

function configProblems(config: RaftConfig): readonly string[] {
  try {
    validateConfig(config)
    return []
  } catch (error) {
    const problems = RaftError.is(error) ? error.details['problems'] : undefined
    return Array.isArray(problems)
      ? problems.map((problem) => `config: ${String(problem)}`)
      : [`config: ${messageOf(error)}`]
  }
}

function* snapshotProblems({ restoreSnapshotOnStart }: RaftConfig): Generator<string> {
  if (!restoreSnapshotOnStart)
    yield 'config: restoreSnapshotOnStart must stay true: the client sessions of a node are in its snapshots, and without them commands would be applied twice'
}

/** What is there is a directory, or nothing yet. */
export async function directoryProblems(dataDir: string): Promise<readonly string[]> {
  if (typeof dataDir !== 'string' || dataDir === '')
    return [`dataDir ${show(dataDir)} is not the path of a directory`]
  try {
    const found = await stat(dataDir)
    return found.isDirectory() ? [] : [`dataDir ${show(dataDir)} is a file, not a directory`]
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return missing ? [] : [`dataDir ${show(dataDir)} cannot be used: ${messageOf(error)}`]
  }
}

function duplicates(values: readonly string[]): Set<string> {
  return new Set(values.filter((value, i) => values.indexOf(value) !== i))
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
