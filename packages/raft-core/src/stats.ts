import {
  type Configuration,
  type Index,
  type IndexedConfiguration,
  PROTOCOL_VERSION,
  type Term,
} from '@raftkit/interface'
import type { PeerStatus } from './consensus/options.ts'
import type { RaftState } from './raft-events.ts'
import type { Server } from './runtime/server.ts'

/** A look at a server: hashicorp/raft's keys in camelCase, then what waits and the limits it is bounded by. */
export interface RaftStats {
  readonly state: RaftState
  readonly term: Term
  readonly lastLogIndex: Index
  readonly lastLogTerm: Term
  readonly commitIndex: Index
  readonly appliedIndex: Index
  /** Committed entries that the state machine has not applied yet. */
  readonly fsmPending: number
  readonly lastSnapshotIndex: Index
  readonly lastSnapshotTerm: Term
  readonly protocolVersion: number
  readonly protocolVersionMin: number
  readonly protocolVersionMax: number
  readonly snapshotVersionMin: number
  readonly snapshotVersionMax: number
  readonly latestConfigurationIndex: Index
  readonly latestConfiguration: Configuration
  /** Other voters; 0 when this server is not a voter. */
  readonly numPeers: number
  /** Milliseconds since the last contact with a leader; 0 on the leader, undefined when there never was any. */
  readonly lastContact: number | undefined
  /** The log is durable on this server up to here. */
  readonly durableIndex: Index
  readonly logTailBytes: number
  readonly pendingProposals: number
  readonly pendingProposalBytes: number
  readonly pendingReads: number
  readonly pendingWrites: number
  readonly pendingRequests: number
  readonly heldMessages: number
  readonly activeSnapshotSends: number
  readonly isSnapshotting: boolean
  readonly maxPendingProposals: number
  readonly maxPendingBytes: number
  readonly maxPendingReads: number
  readonly maxInboundRequests: number
  readonly maxLogTailBytes: number
  /** The leader's view of the other servers; empty on others. */
  readonly peers: readonly PeerStatus[]
}

/** Milliseconds since the last contact with a leader. */
export function lastContactOf<R>({
  standing,
  status,
  clock,
}: ContactSource<R>): number | undefined {
  if (standing.state === 'leader') return 0
  const { lastContact } = status
  return lastContact === undefined ? undefined : Math.max(0, clock.now() - lastContact)
}

interface ContactSource<R> extends Pick<Server<R>, 'standing' | 'clock'> {
  readonly status: { readonly lastContact: number | undefined }
}

/** The configuration in force, and up to where configurations are committed. */
export interface RaftConfiguration extends IndexedConfiguration {
  /** Index of the committed configuration; smaller than `index` while a change is under way. */
  readonly committedIndex: Index
}

/** The configurations of a server. */
export function configurationOf<R>(server: Pick<Server<R>, 'status'>): RaftConfiguration {
  const { latest, committed } = server.status()
  return { ...latest, committedIndex: committed.index }
}

/** The present statistics of a server. */
export function statsOf<R>(id: string, server: Server<R>): RaftStats {
  const { lanes, config, standing, clock } = server
  const status = server.status()
  const { servers } = status.latest.configuration
  const voters = servers.filter(({ suffrage }) => suffrage === 'voter')
  const isVoter = voters.some((voter) => voter.id === id)
  return {
    state: standing.state,
    term: standing.term,
    lastLogIndex: status.lastIndex,
    lastLogTerm: status.lastTerm,
    commitIndex: lanes.applier.commitIndex,
    appliedIndex: lanes.applier.appliedIndex,
    fsmPending: lanes.applier.commitIndex - lanes.applier.appliedIndex,
    lastSnapshotIndex: status.snapshot.index,
    lastSnapshotTerm: status.snapshot.term,
    protocolVersion: PROTOCOL_VERSION,
    protocolVersionMin: 0,
    protocolVersionMax: PROTOCOL_VERSION,
    snapshotVersionMin: 1,
    snapshotVersionMax: 1,
    latestConfigurationIndex: status.latest.index,
    latestConfiguration: status.latest.configuration,
    numPeers: isVoter ? voters.length - 1 : 0,
    lastContact: lastContactOf({ standing, status, clock }),
    durableIndex: lanes.log.writer.durableIndex,
    logTailBytes: lanes.log.tailBytes,
    pendingProposals: lanes.proposals.admission.count,
    pendingProposalBytes: lanes.proposals.admission.bytes,
    pendingReads: lanes.reads.pending,
    pendingWrites: lanes.log.writer.queued,
    pendingRequests: lanes.rpcServer.pending,
    heldMessages: lanes.outbox.length,
    activeSnapshotSends: lanes.snapshotSender.active,
    isSnapshotting: lanes.snapshotter.isBuilding,
    maxPendingProposals: config.maxPendingProposals,
    maxPendingBytes: config.maxPendingBytes,
    maxPendingReads: config.maxPendingReads,
    maxInboundRequests: config.maxInboundRequests,
    maxLogTailBytes: config.logTailBytes,
    peers: status.peers,
  }
}
