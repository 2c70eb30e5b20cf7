import type {
  Clock,
  Logger,
  LogStore,
  Metrics,
  Random,
  SnapshotStore,
  StableStore,
  StateMachine,
  Transport,
} from '@raftkit/interface'
import type { CheckedOptions } from './check-options.ts'

/** What a server stands on. */
export interface NodeParts {
  readonly logStore: LogStore
  readonly stableStore: StableStore
  readonly snapshotStore: SnapshotStore
  readonly transport: Transport
  /** Takes the place of the node's own: guarded already. */
  readonly metrics?: Metrics
  /** Time for the server and everything of the node above it. Default: the platform's. */
  readonly clock?: Clock
  /** Chance for both. Default: the platform's. */
  readonly random?: Random
  /** Stands between the server and all that the node makes of its state machine, sessions too: for those who watch it. */
  readonly aroundMachine?: (machine: StateMachine<Uint8Array>) => StateMachine<Uint8Array>
}

/** Notes something that must be closed when a later step fails, and when the node stops. */
export type KeepOpen = (part: { close(): Promise<void> }) => void

/** Opens the parts of a node; whatever it has opened it gives to `keep` at once. */
export type OpenParts = (
  options: CheckedOptions,
  keep: KeepOpen,
  logger: Logger,
) => Promise<NodeParts>
