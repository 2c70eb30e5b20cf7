import type { Clock, Logger, Random } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { ForwardLimits } from './forwarding/forward-lane.ts'
import type { LeaderService } from './forwarding/leader-service.ts'
import type { SessionLimits } from './sessions/session-limits.ts'
import type { NodeStateMachine } from './state-machine/state-machine.ts'

/** What a node is made of. */
export interface NodeAssembly<Command, Response, Query, Answer> {
  readonly raft: Raft<Uint8Array>
  readonly service: LeaderService
  readonly stateMachine: NodeStateMachine<Command, Response, Query, Answer>
  readonly forward: ForwardLimits
  /** Undefined: commands are sent without a session. */
  readonly sessions: SessionLimits | undefined
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** Closes what stands below the server, in order. */
  readonly closeParts: () => Promise<void>
}
