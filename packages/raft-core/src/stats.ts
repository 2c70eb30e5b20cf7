// The look at a running server that `stats()` and `configuration()` give.
import {
  type Index,
  type IndexedConfiguration,
  membersOf,
  PROTOCOL_VERSION,
} from '@raftkit/interface'
import type { RaftStats } from './raft-stats.ts'
import type { Server } from './runtime/server.ts'

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
  /** True while it has two halves, and a quorum is a majority of each (§6). */
  readonly isJoint: boolean
}

/** The configurations of a server. */
export function configurationOf<R>(server: Pick<Server<R>, 'status'>): RaftConfiguration {
  const { latest, committed } = server.status()
  const isJoint = latest.configuration.next !== undefined
  return { ...latest, committedIndex: committed.index, isJoint }
}

/** The present statistics of a server. */
export function statsOf<R>(id: string, server: Server<R>): RaftStats {
  const { lanes, config, standing, clock } = server
  const status = server.status()
  const { configuration } = status.latest
  const voters = membersOf(configuration).filter(({ suffrage }) => suffrage === 'voter')
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
    latestConfiguration: configuration,
    isJoint: configuration.next !== undefined,
    numPeers: isVoter ? voters.length - 1 : 0,
    lastContact: lastContactOf({ standing, status, clock }),
    durableIndex: lanes.log.writer.durableIndex,
    logTailBytes: lanes.log.tailBytes,
    pendingProposals: lanes.proposals.admission.count,
    pendingProposalBytes: lanes.proposals.admission.bytes,
    pendingAdmissions: lanes.proposals.admission.waiting,
    pendingReads: lanes.reads.pending,
    pendingWrites: lanes.log.writer.queued,
    pendingWriteBytes: lanes.log.writer.queuedBytes,
    pendingRequests: lanes.rpcServer.pending,
    pendingForwards: lanes.forwarding.serving,
    heldMessages: lanes.outbox.length,
    activeSnapshotSends: lanes.snapshotSender.active,
    isSnapshotting: lanes.snapshotter.isBuilding,
    maxPendingProposals: config.maxPendingProposals,
    maxPendingBytes: config.maxPendingBytes,
    maxPendingReads: config.maxPendingReads,
    maxInboundRequests: config.maxInboundRequests,
    maxLogTailBytes: config.logTailBytes,
    maxInflightAppends: config.maxInflightAppends,
    maxInflightBytes: config.maxInflightBytes,
    peers: status.peers,
  }
}
