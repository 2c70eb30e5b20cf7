import type { Index } from './numbers.ts'

/** Unique name of a server for its whole life. One that lost its disk is removed before it is added again. */
export type ServerId = string

/** Where a server is reached, `host:port`. Compared as text, never normalised. */
export type ServerAddress = string

/**
 * What a server's acknowledgement counts for. `voter` counts in every quorum; `nonvoter` (a learner) receives
 * the log and counts in none; `staging` is hashicorp/raft's historic word and is treated as `nonvoter`.
 */
export type Suffrage = 'voter' | 'nonvoter' | 'staging'

/** Names a server's memory: a random safe integer above 0, made when its stable store is first used. */
export type DiskId = number

/** One member of the cluster. */
export interface Server {
  readonly suffrage: Suffrage
  readonly id: ServerId
  readonly address: ServerAddress
  /**
   * The disk that the server had when its leader first heard of it; set by leaders when all members are raftkit. A
   * server of this id with another disk has forgotten its votes and its log, and counts for nothing.
   */
  readonly diskId?: DiskId
}

/**
 * The members of the cluster (Raft §6), in the order in which they were added. Look at {@link membersOf} for all of them:
 * while several members change at once, the configuration has two halves.
 */
export interface Configuration {
  /** The members; in the joint state those before the change (C_old of §6). */
  readonly servers: readonly Server[]
  /**
   * Present only in the joint state: the members after the change (C_new of §6). Elections, commits and reads need a
   * majority of the voters of each half.
   */
  readonly next?: readonly Server[]
}

/**
 * Every member once, those of both halves of a joint configuration: with a vote when it has one in either half, and with
 * the address that it has after the change.
 */
export function membersOf({ servers, next }: Configuration): readonly Server[] {
  if (next === undefined) return servers
  const members = new Map<ServerId, Server>()
  for (const server of servers) members.set(server.id, server)
  for (const server of next) {
    const suffrage = members.get(server.id)?.suffrage === 'voter' ? 'voter' : server.suffrage
    members.set(server.id, { ...server, suffrage })
  }
  return [...members.values()]
}

/** A configuration and the index of the log entry that holds it; index 0 is "no configuration yet". */
export interface IndexedConfiguration {
  readonly configuration: Configuration
  readonly index: Index
}
