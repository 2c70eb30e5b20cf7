import {
  type Clock,
  type DiskId,
  type Index,
  type Logger,
  type LogType,
  RaftError,
  type Random,
  type RpcContext,
  type RpcRequest,
  type ServerId,
  type Transport,
} from '@raftkit/interface'
import type { RaftConfig } from '../config.ts'
import { Consensus } from '../consensus/consensus.ts'
import type { ConsensusStatus } from '../consensus/options.ts'
import type { MeasuredTurn, Meter } from '../metrics/meter.ts'
import type { RaftEvents } from '../raft-events.ts'
import { reloadableOf, type ReloadableConfig, reloaded } from '../reloadable-config.ts'
import type { WaitOptions } from './calls/caller.ts'
import { EffectExecution } from './effect-execution.ts'
import { EventEmitter } from './observation/event-emitter.ts'
import { FollowedPeers } from './observation/followed-peers.ts'
import type { ForwardHandler } from './network/forwarding.ts'
import { closeLanes, isEndedWithin, whenLanesEnded } from './lane-closing.ts'
import { createLanes, type Lanes } from './lanes.ts'
import { namedLogger } from '../named-logger.ts'
import type { ApplyResult } from './calls/proposals.ts'
import type { ReadKind, ReadQuestion } from './calls/reads.ts'
import { shutDown, withOutcome } from './calls/refusals.ts'
import { StallWatch, stallThresholdOf } from './stall-watch.ts'
import { Standing } from './observation/standing.ts'
import type { Loaded } from './start/start-up.ts'
import type { Storage } from '../storage.ts'
import { Turn } from './turn.ts'
import { WakeTimer } from './wake-timer.ts'

/** What a server is made of. */
export interface ServerParts<R> {
  readonly id: ServerId
  /** Undefined when disks are not looked at. */
  readonly diskId: DiskId | undefined
  readonly config: RaftConfig
  readonly storage: Storage<R>
  readonly transport: Transport
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly onForward: ForwardHandler | undefined
  /** Undefined: nothing is measured. */
  readonly meter: Meter | undefined
}

/** How long {@link Server.shutdown} waits for what is under way, unless it is told otherwise. */
const SHUTDOWN_TIMEOUT_MS = 5000

/** One running server: consensus, the turn that steps it, and the lanes that do what it wants. */
export class Server<R> {
  /** What holds at present. Everything that reads an option when it needs it sees {@link reload}. */
  readonly config: RaftConfig
  readonly clock: Clock
  readonly events: EventEmitter<RaftEvents>
  readonly standing: Standing
  readonly lanes: Lanes<R>
  readonly #parts: ServerParts<R>
  readonly #logger: Logger
  readonly #consensus: Consensus
  readonly #turn: Turn
  readonly #stallWatch: StallWatch
  readonly #wakeTimer: WakeTimer
  readonly #followed: FollowedPeers
  #shutdown: Promise<void> | undefined
  /** The server ends when its state machine has applied this. */
  #leaveAt: Index = Infinity

  constructor(parts: ServerParts<R>, loaded: Loaded) {
    const { id, diskId, storage, transport, clock, random, onForward, meter } = parts
    const config = { ...parts.config }
    this.#parts = parts
    this.config = config
    this.clock = clock
    this.#logger = namedLogger(parts.logger, () => ({ id, term: this.standing.term }))
    this.events = new EventEmitter(this.#logger)
    this.standing = new Standing(this.events, loaded.consensus.hardState.term)
    this.#followed = new FollowedPeers(this.events)
    this.#consensus = new Consensus(
      {
        ...loaded.consensus,
        self: { id, address: transport.localAddress, diskId },
        now: clock.now(),
        random: random.next(),
      },
      parts.config,
    )
    this.#wakeTimer = new WakeTimer(clock, () => this.#turn.ask())
    this.#stallWatch = this.#createStallWatch()
    const { events, standing } = this
    const logger = this.#logger
    const fail = (error: RaftError): void => this.#stop(error, error)
    this.lanes = createLanes(
      {
        id,
        diskId,
        config,
        storage,
        transport,
        clock,
        random,
        logger,
        events,
        standing,
        onForward,
        meter,
        submit: (event) => this.#turn.add(event),
        onApplied: (index) => this.#applied(index),
        ask: () => this.#turn.ask(),
        fail,
      },
      loaded,
    )
    const { lanes } = this
    const wakeTimer = this.#wakeTimer
    const execution = new EffectExecution<R>({
      id,
      lanes,
      standing,
      events,
      followed: this.#followed,
      wakeTimer,
      clock,
      logger,
      fail,
      leave: () => this.#leave(),
    })
    this.#turn = this.#createTurn(execution, fail)
  }

  /** Takes part from now on. */
  start(): void {
    this.#parts.transport.setHandler((request, context) => this.#handle(request, context))
    this.#stallWatch.start()
    this.lanes.snapshotter.start()
    this.#turn.ask()
  }

  /** A read-only look at consensus. */
  status(): ConsensusStatus {
    return this.#consensus.status()
  }

  /** Other values for options that may change while the server runs. Throws when they cannot be used together. */
  reload(changes: Partial<ReloadableConfig>): void {
    const config = reloaded(this.config, changes)
    const isIntervalChanged = config.snapshotIntervalMs !== this.config.snapshotIntervalMs
    Object.assign(this.config, config)
    this.#stallWatch.thresholdMs = stallThresholdOf(config)
    this.#turn.add({ type: 'timing-changed', timing: config })
    if (isIntervalChanged) this.lanes.snapshotter.restart()
    this.#logger.info({ ...reloadableOf(config) }, 'the configuration was reloaded')
  }

  /** Takes an entry to be replicated. Rejects at once when this server does not lead. */
  propose(
    type: LogType,
    data: Uint8Array,
    extensions?: Uint8Array,
    options?: WaitOptions,
  ): Promise<ApplyResult<R>> {
    this.#parts.meter?.proposed(type)
    const refusal = this.standing.refusal()
    if (refusal !== undefined) return Promise.reject(withOutcome(refusal, 'not-committed'))
    try {
      return this.lanes.proposals.submit(type, data, extensions, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Waits for proof that this server leads or that its state machine has what the leader has, as `kind` says. */
  read(kind: ReadKind, options?: WaitOptions): Promise<number> {
    const { standing } = this
    if (kind === 'leadership') this.#parts.meter?.leadershipChecked()
    // Any server can wait for its state machine; proof of the own leadership is for the leader.
    const refusal = kind.startsWith('applied') ? standing.exclusion() : standing.refusal()
    return refusal === undefined ? this.lanes.reads.request(kind, options) : Promise.reject(refusal)
  }

  /** Milliseconds of which the state machine is known to be no older. */
  staleness(): number {
    return this.lanes.reads.staleness(this.clock.now())
  }

  /** Ends the server. Everyone who waits is told at once; what is being written is waited for. Idempotent. */
  shutdown(timeoutMs: number = SHUTDOWN_TIMEOUT_MS): Promise<void> {
    this.#shutdown ??= this.#shutDown(timeoutMs)
    return this.#shutdown
  }

  #createTurn(execution: EffectExecution<R>, onBroken: (error: RaftError) => void): Turn {
    const { clock, events, lanes } = this
    const { meter, random } = this.#parts
    const turn: MeasuredTurn = {
      clock,
      step: (event, moment) => this.#consensus.step(event, moment),
      carryOut: (effect) => execution.carryOut(effect),
    }
    return new Turn({
      ...(meter?.turn(turn, this.status().commitIndex) ?? turn),
      random,
      stallWatch: this.#stallWatch,
      onStart: () => this.#collect(),
      onRound: () => lanes.applier.run(),
      onEnd: () => {
        this.#followed.turnEnded(() => this.status().peers)
        events.flush()
      },
      onBroken,
    })
  }

  #createStallWatch(): StallWatch {
    return new StallWatch(this.clock, stallThresholdOf(this.config), (forMs) => {
      this.#logger.warn({ forMs: Math.round(forMs) }, 'the event loop stood still')
      this.#turn.ask()
    })
  }

  #handle(request: RpcRequest, context: RpcContext): ReturnType<Lanes<R>['rpcServer']['handle']> {
    return this.lanes.rpcServer.handle(request, context)
  }

  /** What callers asked for during the turn becomes events. */
  #collect(): void {
    const { proposals, reads, transfers, membershipChanges } = this.lanes
    const count = proposals.offer()
    if (count > 0) this.#turn.add({ type: 'proposed', count })
    for (const question of reads.ask()) this.#askForProof(question)
    for (const event of membershipChanges.events()) this.#turn.add(event)
    for (const event of transfers.events()) this.#turn.add(event)
  }

  /** Removed from the cluster while leading: callers of what was committed are answered first. */
  #leave(): void {
    if (!this.config.shutdownOnRemove) return
    const { applier } = this.lanes
    this.#leaveAt = applier.commitIndex
    this.#applied(applier.appliedIndex)
  }

  #applied(index: Index): void {
    if (index >= this.#leaveAt) void this.shutdown()
  }

  #askForProof(question: ReadQuestion): void {
    const isOwn = this.standing.state === 'leader' || !question.needsIndex
    if (isOwn) this.#turn.add({ type: 'read-requested', ...question })
    else this.lanes.readForwarding.ask(question)
  }

  /** Takes no further part. `reason` is what everyone who waits gets; `error` what made it necessary. */
  #stop(reason: RaftError, error: RaftError | undefined): void {
    if (this.standing.stoppedBy !== undefined) return
    if (error === undefined) this.#logger.info({}, 'the server is shut down')
    else this.#logger.error({ code: error.code, error: error.message }, 'the server stops')
    this.#turn.close()
    this.#tellConsensus(reason)
    const refusal =
      error === undefined
        ? reason
        : new RaftError('RAFT_STOPPED', `this server has stopped: ${error.message}`, {
            cause: error,
          })
    this.#followed.update([])
    this.standing.stopped(refusal, error)
    this.#closeLanes(reason)
    this.#parts.clock.afterInput(() => this.events.flush())
  }

  #tellConsensus(reason: RaftError): void {
    const now = this.clock.now()
    this.#consensus.step({ type: 'storage-failed', message: reason.message }, { now, random: 0 })
  }

  #closeLanes(reason: RaftError): void {
    this.#wakeTimer.close()
    this.#stallWatch.close()
    closeLanes(this.lanes, reason)
  }

  async #shutDown(timeoutMs: number): Promise<void> {
    this.#stop(shutDown(), undefined)
    const ended = Promise.allSettled([this.#parts.transport.close(), whenLanesEnded(this.lanes)])
    if (!(await isEndedWithin(this.clock, timeoutMs, ended)))
      this.#logger.warn({ timeoutMs }, 'shut down without waiting for what is under way')
    this.events.flush()
  }
}
