import {
  type RpcRequest,
  type ServerAddress,
  type ServerId,
  type StateMachine,
  RaftError,
} from '@raftkit/interface'
import { bootstrapCluster, hasExistingState, Raft, type RaftConfig } from '@raftkit/raft-core'
import type { InmemTransport } from '@raftkit/transport-inmem'
import { CheckedMachine } from '../checks/checked-machine.ts'
import { checkStart } from '../checks/damage.ts'
import { Progress } from '../checks/progress.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { SimulatedSnapshotStore } from '../disk/simulated-snapshot-store.ts'
import { SimulatedStore } from '../disk/simulated-store.ts'
import { GatedTransport } from '../network/gated-transport.ts'
import { Process } from './process.ts'
import { ServerClock } from './server-clock.ts'
import { StoreWatch } from './store-watch.ts'
import { bootstrapRunning } from './live-bootstrap.ts'
import { watchRaft } from './raft-watch.ts'
import type { RunChances, RunEvents, RunIdentity } from './run-parts.ts'
import type { Surroundings } from './surroundings.ts'
import { TrafficWatch } from './traffic-watch.ts'

/** One run of a server: a process with a Raft in it, from its start to its crash. */
export class ServerRun<M extends StateMachine<R>, R> {
  readonly process: Process = new Process()
  readonly clock: ServerClock
  readonly machine: M
  readonly checked: CheckedMachine<R>
  /** Undefined while it starts. */
  raft: Raft<R> | undefined
  readonly #identity: RunIdentity
  readonly #id: ServerId
  readonly #world: Surroundings<M, R>
  readonly #config: RaftConfig
  readonly #disk: SimulatedDisk
  readonly #events: RunEvents
  readonly #chances: RunChances
  /** Somebody has asked it to shut down. */
  isShutDown = false
  #progress: Progress | undefined
  /** World time until which the event loop stands still. */
  #stillUntil = 0
  #transport: GatedTransport | undefined

  constructor(
    identity: RunIdentity,
    config: RaftConfig,
    world: Surroundings<M, R>,
    disk: SimulatedDisk,
    events: RunEvents,
    chances: RunChances,
  ) {
    const { id, place } = identity
    this.#identity = identity
    this.#id = id
    this.#config = config
    this.#world = world
    this.#disk = disk
    this.#events = events
    this.#chances = chances
    const { time, options } = world
    this.clock = new ServerClock({
      time,
      process: this.process,
      random: chances.turns,
      rate: options.clockRates[place]!,
      onRun: () => this.#progress?.look(),
    })
    this.machine = world.newMachine()
    this.checked = new CheckedMachine<R>({
      id,
      machine: this.machine,
      applied: world.applied,
      violate: world.violate,
      beforeApply: ({ data }) => this.#beforeApply(data),
      check: world.check === undefined ? undefined : () => world.check?.(this.machine),
      fresh: world.newMachine,
    })
  }

  /** Starts the server, the cluster too when it is new. */
  start(): void {
    this.#start().catch((error: unknown) => {
      if (!this.process.isDead) this.#events.onStopped(error)
    })
  }

  /** Everything that was due during a pause or stall of that length runs. */
  wake(forMs: number): void {
    const { marks, elections } = this.#world
    const { raft, process } = this
    if (raft !== undefined && process.isPaused) {
      const isLate = forMs >= 2 * this.#config.heartbeatTimeoutMs
      if (isLate && raft.state === 'follower' && process.heartbeatsWaiting > 0)
        marks.hit('an election deadline passed in a stall while heartbeats waited')
      if (raft.state === 'leader' && elections.highestLed > raft.currentTerm)
        marks.hit('a leader that slept woke up after another was elected')
    }
    process.resume()
  }

  /** Looks at what the server did in a turn that a crash ends. */
  look(): void {
    this.#progress?.look()
  }

  /** That address leads to this server too. */
  listenAt(address: ServerAddress): void {
    if (!this.process.isDead) this.#transport?.listenAt(this.#open(address))
  }

  /** The addresses are free again. */
  close(): void {
    void this.#transport?.close()
  }

  async #start(): Promise<void> {
    const world = this.#world
    const id = this.#id
    const config = this.#config
    if (this.#disk.open()) world.marks.hit('a torn last write was dropped')
    const { hardState } = this.#disk.image
    const stores = this.#openStores()
    const isKnown = await hasExistingState(stores)
    if (isKnown) world.marks.hit('a server restarted with what it had')
    else if (this.#isNew && world.options.bootstrap === 'before')
      await bootstrapCluster({ ...stores, configuration: world.configuration })
    const watch = new TrafficWatch<R>(
      {
        id,
        image: () => this.#disk.image,
        raft: () => this.raft,
        startedWith: hardState,
        crashPoints: world.options.crashPoints,
        onCrashPoint: (share, what) => this.#events.onCrashPoint(share, what),
        onSent: (to, request) => this.#sent(to, request),
        isAwaited: (request) =>
          request.type !== 'forward' || world.forwarded.begin(request.payload),
      },
      world,
    )
    const [own = id, ...others] = this.#identity.addresses
    const transport = new GatedTransport(this.#open(own), this.process, watch)
    this.#transport = transport
    for (const address of others) this.listenAt(address)
    const raft = await Raft.start<R>({
      id,
      config,
      stateMachine: this.checked,
      ...stores,
      transport,
      clock: this.clock,
      random: this.#chances.raft,
      onForward: (payload) => this.#serve(payload),
    })
    this.#started(raft)
  }

  #open(address: ServerAddress): InmemTransport {
    const { network, options } = this.#world
    const { rpcTimeoutMs, snapshotStallMs } = this.#config
    return network.transport(address, {
      clock: this.clock,
      timeoutMs: rpcTimeoutMs,
      snapshotTimeoutMs: snapshotStallMs * 3,
      pipelines: options.pipelines,
    })
  }

  #openStores(): Pick<
    Parameters<typeof bootstrapCluster>[0],
    'logStore' | 'stableStore' | 'snapshotStore'
  > {
    const { options, isStormy } = this.#world
    const watch = new StoreWatch<R>(
      this.#id,
      this.#world,
      () => this.raft,
      () =>
        isStormy() && this.#chances.reads.chance(options.rotAtRead) && this.#events.mayLoseDisk(),
    )
    const store = new SimulatedStore(this.#disk, this.process, watch)
    const snapshotStore = new SimulatedSnapshotStore(
      this.#disk,
      this.process,
      options.snapshotChunkBytes,
      (meta) => watch.onSnapshot(meta),
    )
    return { logStore: store, stableStore: store, snapshotStore }
  }

  #started(raft: Raft<R>): void {
    const { image } = this.#disk
    const world = this.#world
    const { marks, trace, elections, committed, violate } = world
    const id = this.#id
    checkStart(violate, id, image)
    if (image.snapshots[0]?.isDamaged === true)
      marks.hit('an older snapshot stood in for a damaged one')
    const { lastSnapshotIndex } = raft.stats()
    if (lastSnapshotIndex > 0) marks.hit('a server started from a snapshot')
    if (raft.appliedIndex > lastSnapshotIndex)
      marks.hit('a server applied what it knew to be committed before it took part')
    elections.starts(id, image, raft.currentTerm)
    this.raft = raft
    this.#progress = new Progress(id, raft, committed, violate)
    watchRaft(raft, this.#world, {
      isDead: () => this.process.isDead,
      isShutDown: () => this.isShutDown,
      onConfiguration: (configuration) => this.#progress?.configured(configuration),
      onStopped: (error) => this.#events.onStopped(error),
      onLeft: () => this.#events.onLeft(),
    })
    trace.tell(id, 'runs in term', raft.currentTerm)
    const isAsked = world.options.bootstrap === 'running' || this.#identity.place === 0
    if (raft.configuration().index > 0 || !this.#isNew || !isAsked) return
    const someMs = this.#chances.turns.exponential(world.options.configs[0]!.heartbeatTimeoutMs)
    const ask = (): void => bootstrapRunning(raft, world, this.process)
    world.time.after(someMs, () => this.process.run('input', ask))
  }

  /** True for a member of the first configuration that has not lost anything. */
  get #isNew(): boolean {
    return this.#identity.isFirst && !this.#disk.wasWiped
  }

  #sent(to: string, request: RpcRequest): void {
    this.#events.onSent(to, request)
    const { options, network, time, isStormy, trace } = this.#world
    if (request.type !== 'install-snapshot' || !isStormy()) return
    if (!this.#chances.network.chance(options.snapshotResets)) return
    const { minDelayMs = 0, jitterMs = 0 } = options.network
    const chunks = 1 + request.size / options.snapshotChunkBytes
    time.after(minDelayMs + jitterMs + this.#chances.network.between(0, chunks), () => {
      trace.tell('network', 'resets connections of', this.#id, 'and', to)
      network.reset(this.#identity.addresses[0], to)
    })
  }

  /** A command that another server handed on. The response comes back as the index of the command. */
  async #serve(payload: Uint8Array): Promise<Uint8Array> {
    if (this.raft === undefined) throw new RaftError('RAFT_ABORTED', 'this server only starts')
    const { index, term, response } = await this.raft.apply(payload)
    return this.#world.forwarded.answer(this.#id, index, term, response)
  }

  #beforeApply(data: Uint8Array): void | Promise<void> {
    const { options, time, isStormy } = this.#world
    this.#world.onCommand(this.#id, data)
    if (!isStormy()) return
    const { apply } = this.#chances
    if (apply.chance(options.stalls)) this.#standStill(apply.exponential(options.stallMs))
    if (apply.chance(options.slowApply))
      return this.process.pass(
        time.sleep(this.process.aheadMs + apply.exponential(options.slowApplyMs)),
      )
  }

  /** The event loop stands still in the middle of a turn. */
  #standStill(forMs: number): void {
    const { trace, time } = this.#world
    trace.tell(this.#id, 'stands still for', forMs)
    const until = time.now() + forMs
    // Within a longer stall of the same turn.
    if (until <= this.#stillUntil) return
    this.#stillUntil = until
    this.process.pause(forMs)
    time.after(forMs, () => {
      if (this.#stillUntil === until) this.wake(forMs)
    })
  }
}
