// What a simulated server needs of its world.
import type { Configuration, LogEntry, ServerId, StateMachine } from '@raftkit/interface'
import type { InmemNetwork } from '@raftkit/transport-inmem'
import type { AcknowledgedCommands } from '../checks/acknowledged-commands.ts'
import type { AppliedLog } from '../checks/applied-log.ts'
import type { CommittedLog } from '../checks/committed-log.ts'
import type { Configurations } from '../checks/configurations.ts'
import type { Elections } from '../checks/elections.ts'
import type { OpenCalls } from '../checks/open-calls.ts'
import type { EntryTree } from '../checks/entry-tree.ts'
import type { RestorePoints } from '../checks/restore-points.ts'
import type { Violate } from '../checks/violation.ts'
import type { MarkCounts } from '../marks/marks.ts'
import type { Stream } from '../random/streams.ts'
import type { Trace } from '../story/trace.ts'
import type { VirtualTime } from '../time/virtual-time.ts'
import type { WorldOptions } from '../world/world-options.ts'
import type { ForwardedAnswers } from '../workload/forwarded-answers.ts'
import type { Launcher } from './layer.ts'

/** What looks at everything that happens in a world. */
export interface Checks {
  readonly trace: Trace
  readonly marks: MarkCounts
  readonly elections: Elections
  readonly committed: CommittedLog
  readonly acknowledged: AcknowledgedCommands
  readonly configurations: Configurations
  readonly applied: AppliedLog
  readonly tree: EntryTree
  readonly restores: RestorePoints
  readonly violate: Violate
}

/** A server as far as its disk may be lost. */
export interface SpoiledDisk {
  readonly id: ServerId
  readonly isLost: boolean
}

/** The world as its servers see it. */
export interface Surroundings<M extends StateMachine<R>, R> extends Checks {
  readonly options: WorldOptions
  readonly time: VirtualTime
  readonly network: InmemNetwork
  readonly openCalls: OpenCalls
  readonly forwarded: ForwardedAnswers<R>
  readonly configuration: Configuration
  readonly newMachine: () => M
  /** Starts what runs on a server; undefined: nothing but Raft. */
  readonly launcher: Launcher<M, R> | undefined
  /** An own check of the state, after each command. */
  readonly check: ((machine: M) => string | undefined) | undefined
  /** True for members of the committed configuration, or of one that may be committed yet. */
  isMember(id: ServerId): boolean
  /** True when nobody is misled by a server that comes back with an empty disk. */
  mayForget(server: SpoiledDisk): boolean
  /** True when the server may lose what its disk holds: not too many others have. */
  mayLose(server: SpoiledDisk): boolean
  /** False once the faults have ended. */
  readonly isStormy: () => boolean
  stream(name: string): Stream
  /** A server has become leader. */
  onLeader(id: ServerId): void
  /** A server has been told to take over. */
  onTimeoutNow(id: ServerId): void
  /** A command is given to the state machine of a server. */
  onCommand(id: ServerId, entry: LogEntry): void
}
