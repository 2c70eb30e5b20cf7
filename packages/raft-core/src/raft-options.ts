// What a server is started with.
import {
  type Clock,
  type Logger,
  type LogStore,
  type Metrics,
  RaftError,
  type Random,
  type ServerId,
  type SnapshotStore,
  type StableStore,
  type StateMachine,
  type Transport,
} from '@raftkit/interface'
import type { RaftConfig } from './config.ts'
import type { ForwardHandler } from './runtime/network/forwarding.ts'

/** What a server is started with. */
export interface RaftOptions<R> {
  /** The name of this server for its whole life, as in the cluster's configuration. */
  readonly id: ServerId
  /** Options that differ from {@link defaultConfig}. */
  readonly config?: Partial<RaftConfig>
  readonly stateMachine: StateMachine<R>
  readonly logStore: LogStore
  readonly stableStore: StableStore
  readonly snapshotStore: SnapshotStore
  readonly transport: Transport
  /** Default: nothing is logged. */
  readonly logger?: Logger
  /** Where measurements go; see @raftkit/metrics. Default: nothing is measured. */
  readonly metrics?: Metrics
  /** Default: the platform's. */
  readonly clock?: Clock
  /** Default: the platform's. */
  readonly random?: Random
  /**
   * Gives the start up: `Raft.start` rejects with `RAFT_ABORTED`, between two pieces of what is read and applied. Means
   * nothing once the server has started.
   */
  readonly signal?: AbortSignal
  /** Serves, on the leader, what other servers send with {@link Raft.forwardToLeader}. */
  readonly onForward?: ForwardHandler
}

/** Throws `RAFT_INVALID_CONFIG` that names everything that is missing. */
export function checkOptions<R>(options: RaftOptions<R>): void {
  const problems: string[] = []
  if (typeof options.id !== 'string' || options.id === '') problems.push('id must not be empty')
  for (const name of [
    'stateMachine',
    'logStore',
    'stableStore',
    'snapshotStore',
    'transport',
  ] as const)
    if (typeof options[name] !== 'object' || options[name] === null)
      problems.push(`${name} is missing`)
  if (problems.length === 0) return
  throw new RaftError('RAFT_INVALID_CONFIG', `the options are not usable: ${problems.join('; ')}`, {
    details: { problems },
  })
}
