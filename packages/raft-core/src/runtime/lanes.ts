// The lanes of one server, and how they are connected.
import type {
  Clock,
  DiskId,
  Index,
  Logger,
  Random,
  RaftError,
  RpcHeader,
  ServerId,
  SnapshotMeta,
  Transport,
} from '@raftkit/interface'
import { defaultConfig, type RaftConfig } from '../config.ts'
import { MAX_APPEND_ENTRIES } from '../config-validation.ts'
import type { ConsensusEvent } from '../consensus/events.ts'
import type { Meter } from '../metrics/meter.ts'
import type { RaftEvents } from '../raft-events.ts'
import { Bootstraps } from './calls/bootstraps.ts'
import { Applier, type AppliedStart } from './state-machine/applier.ts'
import type { EventEmitter } from './observation/event-emitter.ts'
import { Forwarding, type ForwardHandler, type ForwardingParts } from './network/forwarding.ts'
import { LogWriter, type LogWriterEvents } from './log/log-writer.ts'
import { MembershipChanges } from './calls/membership-changes.ts'
import { Outbox } from './network/outbox.ts'
import { Peers } from './network/peers.ts'
import { Proposals } from './calls/proposals.ts'
import { ReadForwarding } from './network/read-forwarding.ts'
import { Reads } from './calls/reads.ts'
import { headerOf } from './network/rpc-messages.ts'
import { Restores } from './snapshots/restores.ts'
import { RpcServer, type VoteRequest } from './network/rpc-server.ts'
import { ServerLog } from './log/server-log.ts'
import { SnapshotReceiver } from './snapshots/snapshot-receiver.ts'
import { SnapshotSender } from './snapshots/snapshot-sender.ts'
import { Snapshotter } from './snapshots/snapshotter.ts'
import type { Standing } from './observation/standing.ts'
import type { Loaded } from './start/start-up.ts'
import type { Storage } from '../storage.ts'
import { Transfers } from './calls/transfers.ts'

/** What all lanes share. */
export interface LaneContext<R> {
  readonly id: ServerId
  readonly diskId: DiskId | undefined
  readonly config: RaftConfig
  readonly storage: Storage<R>
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly events: EventEmitter<RaftEvents>
  readonly standing: Standing
  readonly onForward: ForwardHandler | undefined
  /** Undefined: nothing is measured. */
  readonly meter: Meter | undefined
  /** Something was learned. */
  readonly submit: (event: ConsensusEvent) => void
  /** The state machine has applied everything up to here. */
  readonly onApplied: (index: Index) => void
  /** The turn must end with a look at consensus. */
  readonly ask: () => void
  /** The server cannot go on. */
  readonly fail: (error: RaftError) => void
}

/** The lanes. */
export interface Lanes<R> {
  readonly log: ServerLog
  readonly outbox: Outbox
  readonly applier: Applier<R>
  readonly proposals: Proposals<R>
  readonly reads: Reads
  readonly transfers: Transfers
  readonly membershipChanges: MembershipChanges
  readonly bootstraps: Bootstraps
  readonly peers: Peers
  readonly rpcServer: RpcServer
  readonly forwarding: Forwarding
  readonly readForwarding: ReadForwarding
  readonly snapshotter: Snapshotter<R>
  readonly snapshotSender: SnapshotSender
  readonly snapshotReceiver: SnapshotReceiver<R>
  readonly restores: Restores<R>
}

/** Makes the lanes of a server from what it remembers. */
export function createLanes<R>(context: LaneContext<R>, loaded: Loaded): Lanes<R> {
  const { clock, config, transport, logger, standing, submit, ask, fail } = context
  const { snapshotStore, stateMachine } = context.storage
  const header = headerOf(context.id, transport.localAddress, context.diskId)
  const { log, outbox } = createLog(context, loaded, () => proposals.admission.recheck())
  const backlog = (): number => log.writer.queuedBytes
  const proposals: Proposals<R> = new Proposals<R>(clock, config, backlog, ask)
  const reads = new Reads(clock, config.maxPendingReads, ask)
  const applied = (index: Index): void => {
    reads.applied(index)
    standing.applied(index)
    context.onApplied(index)
  }
  const applier = new Applier<R>(clock, config, log, stateMachine, loaded.applied, {
    onApplied: (batch, from, to, responses) => {
      proposals.applied(batch, from, to, responses)
      applied(to)
      submit({ type: 'applied', index: to })
    },
    onFailed: fail,
  })
  const snapshotter = createSnapshotter(context, applier, log, loaded.consensus.snapshot.index)
  const installed = ({ index, term }: AppliedStart): void => {
    proposals.skipped(index)
    applied(index)
    snapshotter.superseded(index)
    context.events.emit('snapshot-installed', { index, term })
  }
  const aborted = (): void => {
    proposals.aborted(applier.commitIndex)
    reads.aborted()
  }
  const forwarding = createForwarding(context, header, (payload, signal) =>
    readForwarding.answer(payload, signal),
  )
  const readForwarding = new ReadForwarding({
    forwarding,
    reads,
    readableIndex: () => applier.readableIndex,
  })
  const store = snapshotStore
  const shared = { transport, clock, header, logger, submit, stallMs: config.snapshotStallMs }
  const keepsState = !config.restoreSnapshotOnStart
  const receiving = {
    stateMachine,
    applier,
    log,
    keepsState,
    onInstalled: installed,
    onFailed: fail,
  }
  return {
    log,
    outbox,
    applier,
    proposals,
    reads,
    transfers: new Transfers(clock, ask),
    membershipChanges: new MembershipChanges(clock, ask, submit),
    bootstraps: new Bootstraps(clock, submit),
    peers: new Peers({ ...shared, config, log, onDamaged: fail }),
    rpcServer: createRpcServer(context, header, forwarding),
    forwarding,
    readForwarding,
    snapshotter,
    snapshotSender: new SnapshotSender({ ...shared, store }),
    snapshotReceiver: new SnapshotReceiver<R>({ ...shared, ...receiving, store }),
    restores: new Restores<R>({ ...shared, ...receiving, store, onBegin: aborted }),
  }
}

function createSnapshotter<R>(
  context: LaneContext<R>,
  applier: Applier<R>,
  log: ServerLog,
  lastIndex: Index,
): Snapshotter<R> {
  const { clock, random, config, logger, storage } = context
  return new Snapshotter<R>(
    {
      clock,
      random,
      config,
      applier,
      store: storage.snapshotStore,
      logger,
      whenDurable: (index) => log.writer.whenDurable(index),
      onSaved: (meta, tookMs) => {
        context.meter?.snapshotSaved(tookMs)
        saved(context, meta)
      },
    },
    lastIndex,
  )
}

function createForwarding<R>(
  context: LaneContext<R>,
  header: RpcHeader,
  onReadIndex: ForwardingParts['onReadIndex'],
): Forwarding {
  const { id, transport, clock, standing, config, onForward } = context
  const self = { id, address: transport.localAddress }
  return new Forwarding({
    self,
    header,
    transport,
    clock,
    standing,
    config,
    onForward,
    onReadIndex,
  })
}

function createLog<R>(
  context: LaneContext<R>,
  loaded: Loaded,
  onProgress: () => void,
): { readonly log: ServerLog; readonly outbox: Outbox } {
  const { clock, config, storage, logger, submit, fail } = context
  const events: LogWriterEvents = {
    onEntriesDurable: (index, term) => {
      outbox.durable()
      log.evict()
      submit({ type: 'entries-durable', index, term })
      onProgress()
    },
    onHardStateDurable: (sequence) => {
      outbox.durable()
      submit({ type: 'hard-state-durable', sequence })
    },
    onReset: () => outbox.truncated(0),
    onStalled: (forMs) => {
      logger.error(
        { forMs: Math.round(forMs) },
        'a write to the store hangs: not leading, not voting',
      )
      submit({ type: 'storage-stalled' })
    },
    onRecovered: () => {
      logger.warn({}, 'the write that hung has ended')
      submit({ type: 'storage-recovered' })
    },
    onFailed: fail,
  }
  const { storageStallMs, restoreCommittedLogs: isKept } = config
  const writer = new LogWriter(clock, storageStallMs, storage, loaded.bounds, events, isKept)
  const log = new ServerLog(storage.logStore, loaded.tail, writer)
  const outbox = new Outbox(writer)
  return { log, outbox }
}

function createRpcServer<R>(
  { config, submit, events }: LaneContext<R>,
  header: RpcHeader,
  forwarding: Forwarding,
): RpcServer {
  return new RpcServer({
    header,
    maxInbound: config.maxInboundRequests,
    entryLimits: {
      maxEntries: Math.max(config.maxPendingProposals, MAX_APPEND_ENTRIES),
      maxBytes: Math.max(config.maxPendingBytes, defaultConfig().maxPendingBytes),
    },
    submit,
    onForward: (request, context) => forwarding.serve(request, context),
    onVoteRequested: (request) => tellVoteRequest(events, request),
    onLeader: (from) => forwarding.heardLeader(from),
  })
}

function saved<R>({ events, submit }: LaneContext<R>, meta: SnapshotMeta): void {
  const { index, term, configuration, configurationIndex } = meta
  submit({
    type: 'snapshot-saved',
    snapshot: { index, term, configuration: { configuration, index: configurationIndex } },
  })
  events.emit('snapshot-saved', { meta })
}

function tellVoteRequest(events: EventEmitter<RaftEvents>, request: VoteRequest): void {
  const { header, term, lastLogIndex, lastLogTerm } = request
  const { id: candidate, address } = header
  const asked = { candidate, address, term, lastLogIndex, lastLogTerm }
  if (request.type === 'request-pre-vote') events.emit('pre-vote-requested', asked)
  else {
    const { leadershipTransfer } = request
    events.emit('vote-requested', { ...asked, leadershipTransfer })
  }
}
