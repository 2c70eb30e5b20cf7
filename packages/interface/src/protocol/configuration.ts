import type { Index } from './numbers.ts'

/** Unique name of a server for its whole life. A server that lost its disk needs a new one. */
export type ServerId = string

/** Where a server is reached, `host:port`. Compared as text, never normalised. */
export type ServerAddress = string

/**
 * What a server's acknowledgement counts for. `voter` counts in every quorum; `nonvoter` (a learner) receives
 * the log and counts in none; `staging` is hashicorp/raft's historic word and is treated as `nonvoter`.
 */
export type Suffrage = 'voter' | 'nonvoter' | 'staging'

/** One member of the cluster. */
export interface Server {
  readonly suffrage: Suffrage
  readonly id: ServerId
  readonly address: ServerAddress
}

/** The members of the cluster (Raft §6), in the order in which they were added. */
export interface Configuration {
  readonly servers: readonly Server[]
}

/** A configuration and the index of the log entry that holds it; index 0 is "no configuration yet". */
export interface IndexedConfiguration {
  readonly configuration: Configuration
  readonly index: Index
}
