// The options of a server with their defaults. config-validation.ts says which values are accepted.
import type { ServerId } from '@raftkit/interface'
import type { ConsensusTiming } from './consensus/options.ts'

/** Options of one server. Times are milliseconds, sizes bytes. {@link defaultConfig} gives every default. */
export interface RaftConfig extends ConsensusTiming {
  /**
   * Leaders note in the configuration which disk each server has, and servers that come back with another one count for
   * nothing until they are removed and added again. Off: a server that lost its disk may vote twice. Default true.
   */
  readonly verifyDisks: boolean
  /**
   * Give the state machine the newest snapshot when the server starts. False: it keeps the state that it has, on a disk of
   * its own; index, term and configuration still come from the newest snapshot, which is not opened. **Then the state
   * machine must know up to which entry it has applied (`entry.index`)**: it must have everything that the snapshot covers,
   * for that is never given to it, and must skip entries after the snapshot that it has already, for they are applied
   * anew. If either is not so, servers hold different states and nothing notices. A snapshot from outside (of a leader, of
   * `restore`, of `recoverCluster`) is given to it all the same; at the next start, when a crash came before. Default true.
   */
  readonly restoreSnapshotOnStart: boolean
  /**
   * Keep the commit index beside the entries, and apply what is known to be committed when the server starts, before a
   * leader speaks. Needs a log store with `commitIndex()`. Default false.
   */
  readonly restoreCommittedLogs: boolean
  /** Shut a leader down once its own removal is committed and it has handed over. Default true. */
  readonly shutdownOnRemove: boolean
  /**
   * Who shall lead, when it can: whole numbers by server id, 0 for servers that are not named. A leader hands over to the
   * voter of the highest priority above its own that has answered and kept up for ten election timeouts without
   * interruption. After each hand-over it waits twice as long before the next, up to 64 times; when leadership is handed
   * back three times, because the priorities of the servers disagree, it makes none any more. Give every server the
   * same. Default `{}`: nobody is preferred.
   */
  readonly leaderPriorities: Readonly<Record<ServerId, number>>
  /** How often it is checked whether a snapshot is due: uniform in [this, 2 × this). Default 120000, at least 5. */
  readonly snapshotIntervalMs: number
  /** Entries since the last snapshot that make one due. Default 8192. */
  readonly snapshotThreshold: number
  /** Without progress for this long, sending or receiving a snapshot is given up. Default 60000. */
  readonly snapshotStallMs: number
  /** Largest command with its extensions. Default 1 MiB; larger ones are refused with `RAFT_COMMAND_TOO_LARGE`. */
  readonly maxCommandBytes: number
  /** Commands admitted and not yet applied; more are refused with `RAFT_OVERLOADED`. Default 32768. */
  readonly maxPendingProposals: number
  /** Bytes of commands admitted and not yet applied. Default 64 MiB. */
  readonly maxPendingBytes: number
  /** Reads and leadership checks under way; more are refused with `RAFT_OVERLOADED`. Default 65536. */
  readonly maxPendingReads: number
  /** Requests of other servers that wait for their answer; more are refused. Default 4096. */
  readonly maxInboundRequests: number
  /** Largest payload of `forwardToLeader`; it may carry several commands. Default 4 MiB. */
  readonly maxForwardBytes: number
  /** Time the state machine gets in one turn of the event loop before others have theirs. Default 8. */
  readonly maxApplyTurnMs: number
  /** Entries handed to the state machine at once. Default 1024. */
  readonly maxApplyBatch: number
  /** A disk write that takes longer makes the server step down and not vote until it ends. Default 5000. */
  readonly storageStallMs: number
  /** A pause of the event loop above this (or above half the lease, if that is less) voids leases. Default 250. */
  readonly eventLoopStallMs: number
  /** How long an AppendEntries or a forwarded request may go unanswered. Default 10000. */
  readonly rpcTimeoutMs: number
  /** Encoded entries kept in memory for followers and the state machine. Default 32 MiB. */
  readonly logTailBytes: number
}

const MIB = 1024 * 1024

/** The default of every option: hashicorp/raft's where it has the option, except larger appends. */
export function defaultConfig(): RaftConfig {
  return {
    heartbeatTimeoutMs: 1000,
    electionTimeoutMs: 1000,
    leaderLeaseTimeoutMs: 500,
    commitTimeoutMs: 50,
    maxAppendEntries: 512,
    maxAppendBytes: MIB,
    maxInflightAppends: 4,
    maxInflightBytes: 4 * MIB,
    trailingLogs: 10_240,
    preVote: true,
    maxLeaderStallMs: 1000,
    verifyDisks: true,
    restoreSnapshotOnStart: true,
    restoreCommittedLogs: false,
    shutdownOnRemove: true,
    leaderPriorities: {},
    snapshotIntervalMs: 120_000,
    snapshotThreshold: 8192,
    snapshotStallMs: 60_000,
    maxCommandBytes: MIB,
    maxPendingProposals: 32_768,
    maxPendingBytes: 64 * MIB,
    maxPendingReads: 65_536,
    maxInboundRequests: 4096,
    maxForwardBytes: 4 * MIB,
    maxApplyTurnMs: 8,
    maxApplyBatch: 1024,
    storageStallMs: 5000,
    eventLoopStallMs: 250,
    rpcTimeoutMs: 10_000,
    logTailBytes: 32 * MIB,
  }
}
