import {
  type LogEntry,
  membersOf,
  RaftError,
  type ServerAddress,
  type ServerId,
  type StateMachine,
} from '@raftkit/interface'
import { bootstrapCluster, hasExistingState, Raft, type RaftConfig } from '@raftkit/raft-core'
import { CheckedMachine } from '../checks/checked-machine.ts'
import { checkStart } from '../checks/damage.ts'
import { Progress } from '../checks/progress.ts'
import { SeenStates } from '../checks/seen-states.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { Ground } from './ground.ts'
import type { Launched, Site } from './layer.ts'
import { wakeMark } from '../marks/server-marks.ts'
import { bootstrapRunning } from './live-bootstrap.ts'
import { Process } from './process.ts'
import { watchRaft } from './raft-watch.ts'
import type { RunChances, RunEvents, RunIdentity } from './run-parts.ts'
import { ReadSide } from './read-side.ts'
import { ServerClock } from './server-clock.ts'
import { Stalls } from './stalls.ts'
import { isAwaited, siteOf } from './site.ts'
import type { Surroundings } from './surroundings.ts'
import { TrafficWatch } from './traffic-watch.ts'

/** One run of a server: a process with a Raft in it, from its start to its crash. */
export class ServerRun<M extends StateMachine<R>, R> {
  readonly process: Process = new Process()
  readonly clock: ServerClock
  readonly machine: M
  readonly checked: CheckedMachine<R>
  readonly readers: ReadSide
  /** Undefined while it starts. */
  raft: Raft<R> | undefined
  readonly #identity: RunIdentity
  readonly #id: ServerId
  readonly #world: Surroundings<M, R>
  readonly #config: RaftConfig
  readonly #disk: SimulatedDisk
  readonly #events: RunEvents
  readonly #chances: RunChances
  readonly #ground: Ground<M, R>
  readonly #stalls: Stalls<M, R>
  /** Somebody has asked it to shut down. */
  isShutDown = false
  #launched: Launched<R> | undefined
  #progress: Progress | undefined

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
    const { process } = this
    this.clock = new ServerClock({
      time,
      process,
      random: chances.turns,
      rate: options.clockRates[place]!,
      onRun: () => this.#progress?.look(),
    })
    const { clock } = this
    this.#ground = new Ground({ identity, config, world, disk, process, clock, events, chances })
    this.#stalls = new Stalls(id, world, process, chances.apply, (forMs) => this.wake(forMs))
    this.machine = world.newMachine()
    this.checked = new CheckedMachine<R>({
      id,
      machine: this.machine,
      applied: world.applied,
      violate: world.violate,
      beforeApply: (entry) => this.#beforeApply(entry),
      beforeRestore: () => this.#stalls.beforeRestore(),
      check: world.check === undefined ? undefined : () => world.check?.(this.machine),
      fresh: world.newMachine,
    })
    const { committed, applied, violate } = world
    this.readers = new ReadSide(
      new SeenStates({ id, machine: this.checked, committed, applied, violate }),
    )
  }

  /** Starts the server, the cluster too when it is new. */
  start(): void {
    this.#start().catch((error: unknown) => {
      if (!this.process.isDead) this.#events.onStopped(error)
    })
  }

  /** Ends Raft, and what is around it, in an orderly way. */
  async stop(): Promise<void> {
    this.isShutDown = true
    if (this.#launched?.stop === undefined) return this.raft?.shutdown()
    await this.#launched.stop()
    // Whoever waited learns of the end in this turn, and then waits no more.
    await this.#world.time.sleep(0)
  }

  /** Everything that was due during a pause or stall of that length runs. */
  wake(forMs: number): void {
    const { marks, elections } = this.#world
    const { raft, process } = this
    if (raft !== undefined && process.isPaused) {
      const isLate = forMs >= 2 * this.#config.heartbeatTimeoutMs && process.heartbeatsWaiting > 0
      const mark = wakeMark(raft, isLate, elections.highestLed)
      if (mark !== undefined) marks.hit(mark)
    }
    this.readers.wokeAt = this.#world.time.now()
    process.resume()
  }

  /** Looks at what the server did in a turn that a crash ends. */
  look(): void {
    this.#progress?.look()
  }

  /** That address leads to this server too. */
  listenAt(address: ServerAddress): void {
    this.#ground.listenAt(address)
  }

  /** The addresses are free again. */
  close(): void {
    this.#ground.close()
  }

  async #start(): Promise<void> {
    const world = this.#world
    const id = this.#id
    if (this.#disk.open()) world.marks.hit('a torn last write was dropped')
    const { hardState } = this.#disk.image
    const stores = this.#ground.openStores(() => this.raft)
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
        now: () => world.time.now(),
        onArrived: ({ type }) => {
          if (type === 'timeout-now') world.onTimeoutNow(id)
        },
        onAnswered: () => void this.readers.answers++,
        onSent: (to, request) => this.#ground.sent(to, request),
        isAwaited: (request) =>
          request.type !== 'forward' ||
          request.kind !== undefined ||
          isAwaited(world, request.payload),
      },
      world,
    )
    const options: Site<M, R>['raftOptions'] = {
      id,
      config: this.#config,
      stateMachine: this.checked,
      ...stores,
      transport: this.#ground.openTransport(watch),
      clock: this.clock,
      random: this.#chances.raft,
    }
    if (world.launcher === undefined)
      this.#started(
        await Raft.start<R>({ ...options, onForward: (payload) => this.#serve(payload) }),
      )
    else {
      this.#launched = await world.launcher.start(
        siteOf(world, options, {
          machine: this.machine,
          random: this.#chances.service,
          standStill: (forMs) => this.#stalls.standStill(forMs),
        }),
      )
      this.#started(this.#launched.raft)
    }
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
      onConfiguration: (configuration) => {
        this.#progress?.configured(configuration)
        if (membersOf(configuration).some((member) => member.id === id))
          this.readers.isRemoved = false
      },
      onRemoved: () => {
        this.readers.isRemoved = true
      },
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

  /** A command that another server handed on. The response comes back as the index of the command. */
  async #serve(payload: Uint8Array): Promise<Uint8Array> {
    if (this.raft === undefined) throw new RaftError('RAFT_ABORTED', 'this server only starts')
    const { index, term, response } = await this.raft.apply(payload)
    return this.#world.forwarded.answer(this.#id, index, term, response)
  }

  #beforeApply(entry: LogEntry): void | Promise<void> {
    this.#world.onCommand(this.#id, entry)
    return this.#stalls.beforeApply()
  }
}
