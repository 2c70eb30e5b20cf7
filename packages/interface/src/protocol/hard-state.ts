import type { ServerAddress, ServerId } from './configuration.ts'
import type { Term } from './numbers.ts'

/** For whom a server voted. The address is kept because hashicorp/raft identifies candidates by it. */
export interface Vote {
  readonly id: ServerId
  readonly address: ServerAddress
}

/**
 * What a server must remember across a crash besides its log (Raft Figure 2, "persistent state").
 * Term and vote change together, in one atomic, durable write.
 */
export interface HardState {
  readonly term: Term
  /** The vote given in `term`; absent when none was. */
  readonly votedFor?: Vote
}
