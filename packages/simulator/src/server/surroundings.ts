// What a simulated server needs of its world.
import type { Configuration, ServerId, StateMachine } from '@raftkit/interface'
import type { InmemNetwork } from '@raftkit/transport-inmem'
import type { AppliedLog } from '../checks/applied-log.ts'
import type { CommittedLog } from '../checks/committed-log.ts'
import type { Elections } from '../checks/elections.ts'
import type { EntryTree } from '../checks/entry-tree.ts'
import type { Violate } from '../checks/violation.ts'
import type { MarkCounts } from '../marks/marks.ts'
import type { Stream } from '../random/streams.ts'
import type { Trace } from '../story/trace.ts'
import type { VirtualTime } from '../time/virtual-time.ts'
import type { WorldOptions } from '../world/world-options.ts'

/** The world as its servers see it. */
export interface Surroundings<M extends StateMachine<R>, R> {
  readonly options: WorldOptions
  readonly time: VirtualTime
  readonly trace: Trace
  readonly marks: MarkCounts
  readonly network: InmemNetwork
  readonly configuration: Configuration
  readonly elections: Elections
  readonly committed: CommittedLog
  readonly applied: AppliedLog
  readonly tree: EntryTree
  readonly violate: Violate
  readonly newMachine: () => M
  /** An own check of the state, after each command. */
  readonly check: ((machine: M) => string | undefined) | undefined
  /** False once the faults have ended. */
  readonly isStormy: () => boolean
  stream(name: string): Stream
  /** A server has become leader. */
  onLeader(id: ServerId): void
  /** A command is given to the state machine of a server. */
  onCommand(id: ServerId, data: Uint8Array): void
}
