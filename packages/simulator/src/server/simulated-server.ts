import {
  messageOf,
  RaftError,
  type RaftErrorCode,
  type RpcRequest,
  type ServerId,
  type StateMachine,
} from '@raftkit/interface'
import type { Raft, RaftConfig } from '@raftkit/raft-core'
import { checkTimers } from '../checks/shutdown.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import type { Mark } from '../marks/marks.ts'
import type { Stream } from '../random/streams.ts'
import { type RunChances, ServerRun } from './server-run.ts'
import type { Surroundings } from './surroundings.ts'

/** What a server says that finds its disk damaged. */
const DAMAGE_CODES: readonly RaftErrorCode[] = [
  'RAFT_STORE_CORRUPT',
  'RAFT_SNAPSHOT_CORRUPT',
  'RAFT_STORE_LOST_DATA',
  'RAFT_LOG_GAP',
]

/** A server that crashes and comes back: its disk stays, everything else is lost with each crash. */
export class SimulatedServer<M extends StateMachine<R>, R> {
  readonly id: ServerId
  readonly disk: SimulatedDisk
  readonly #place: number
  readonly #world: Surroundings<M, R>
  /** Decides which moments a crash follows, and when the server comes back. */
  readonly #chance: Stream
  readonly #runChances: RunChances
  readonly #onSent: (to: ServerId, request: RpcRequest) => void
  #run: ServerRun<M, R> | undefined
  #isDiskSick = false
  #isLost = false
  #config: RaftConfig
  #restart: { run: (() => void) | undefined } | undefined

  constructor(
    place: number,
    world: Surroundings<M, R>,
    onSent: (to: ServerId, request: RpcRequest) => void,
  ) {
    this.id = `n${place + 1}`
    this.#place = place
    this.#world = world
    this.#onSent = onSent
    this.#chance = world.stream(`crashes of ${this.id}`)
    this.#runChances = {
      turns: world.stream(`turns of ${this.id}`),
      raft: world.stream(`raft of ${this.id}`),
      apply: world.stream(`applying on ${this.id}`),
      network: world.stream(`connections of ${this.id}`),
      reads: world.stream(`reads of ${this.id}`),
    }
    const { time, trace, violate, options, marks } = world
    this.#config = options.configs[place]!
    this.disk = new SimulatedDisk(time, world.stream(`disk ${this.id}`), {
      onCall: () => this.#crashPoint(options.crashPoints.storeCall, 'a call of a store'),
      onDurable: (what) => {
        trace.tell(this.id, 'has on disk:', what)
        this.#crashPoint(options.crashPoints.writeDurable, 'a write')
      },
      onFailure: (what) => {
        this.#isDiskSick = true
        if (this.disk.isFull) marks.hit('a disk was full')
        trace.tell(this.id, 'fails to write:', what)
      },
      onCut: (fate) => {
        trace.tell(this.id, 'has on disk a write under way:', fate)
        if (fate === 'kept') marks.hit('a crash left a write whole')
        if (fate === 'lost') marks.hit('a crash took a write away')
      },
      onMisuse: (message) => violate('store contract', `${this.id}: ${message}`),
    })
    this.disk.weather = options.disks[place]!
  }

  /** The present run; undefined while the server is down. */
  get run(): ServerRun<M, R> | undefined {
    return this.#run
  }

  /** The Raft of the present run; undefined while the server is down or starting. */
  get raft(): Raft<R> | undefined {
    return this.#run?.raft
  }

  get isUp(): boolean {
    return this.#run !== undefined
  }

  /** Its disk lost what it must not forget: under this id it takes no part any more. */
  get isLost(): boolean {
    return this.#isLost
  }

  start(): void {
    if (this.#run !== undefined) return
    if (this.#isLost) {
      this.#world.marks.hit('a server that lost its disk stayed out')
      return
    }
    if (this.#restart !== undefined) this.#restart.run = undefined
    this.#restart = undefined
    this.#isDiskSick = false
    this.#world.trace.tell(this.id, 'starts')
    const run = new ServerRun<M, R>(
      this.#place,
      this.id,
      this.#config,
      this.#world,
      this.disk,
      {
        onCrashPoint: (share, what) => this.#crashPoint(share, what),
        onSent: (to, request) => this.#onSent(to, request),
        mayLoseDisk: () => this.#world.mayLose(this),
        onStopped: (error) => this.#stopped(error),
      },
      this.#runChances,
    )
    this.#run = run
    run.start()
  }

  /** Ends the run at once, as `kill -9` does, and starts the next one later; never when there is no delay. */
  crash(why: string, restartAfterMs?: number): void {
    const { trace, time } = this.#world
    const run = this.#run
    if (run === undefined) return
    trace.tell(this.id, 'crashes:', why)
    if (run.raft === undefined) this.#world.marks.hit('a server crashed while it started')
    this.#run = undefined
    // What it committed in the turn that ends here may be what its next write rests on.
    run.look()
    run.process.die()
    this.disk.crash()
    // What the process has sent until now is on its way; the network notices the end after that.
    time.after(0, () => run.close())
    if (restartAfterMs !== undefined)
      this.#restart = time.after(Math.max(0.5, restartAfterMs), () => this.start())
  }

  /** Nothing of the server runs for that time. */
  pause(forMs: number): void {
    const run = this.#run
    if (run === undefined || run.process.isPaused) return
    this.#world.trace.tell(this.id, 'is paused for', forMs)
    run.process.pause()
    this.#world.time.after(forMs, () => run.wake(forMs))
  }

  /** The server crashes, and nothing on its disk is left. */
  wipe(restartAfterMs: number): void {
    const { trace, options } = this.#world
    trace.tell(this.id, 'loses its disk')
    this.#isLost = options.wiped === 'stay out'
    this.crash('killed, and its disk is wiped', restartAfterMs)
    this.disk.wipe()
  }

  /** The disk is damaged: the server ends, and under this id it takes no part any more. */
  giveUp(): void {
    this.#isLost = true
    this.crash('its disk is damaged')
  }

  /** Shuts the server down in an orderly way, and starts it later with its other options. */
  restart(afterMs: number): void {
    const run = this.#run
    const raft = run?.raft
    if (run === undefined || raft === undefined || raft.state === 'stopped') return
    // Nobody can be asked while nothing of it runs.
    if (run.process.isPaused) return
    const { options, marks, openCalls, trace } = this.#world
    trace.tell(this.id, 'is shut down')
    const shutdown = raft.shutdown().then(() => {
      if (this.#run !== run) return
      if (!run.process.isPaused) checkTimers(this.#world.violate, this.id, run.clock)
      const [one, other] = [options.configs[this.#place]!, options.otherConfigs[this.#place]!]
      this.#config = this.#config === one ? other : one
      marks.hit('a server was shut down and started with other options')
      this.crash('was shut down', afterMs)
    })
    openCalls.watch(`shutdown of ${this.id}`, shutdown, run.process.died)
  }

  /** Shuts the server down for good. */
  async shutDown(): Promise<void> {
    const run = this.#run
    if (run?.raft === undefined) return this.crash('ends while it starts')
    await run.raft.shutdown()
    checkTimers(this.#world.violate, this.id, run.clock)
  }

  #crashPoint(share: number, what: string): void {
    const { isStormy, options } = this.#world
    if (!isStormy() || !this.#chance.chance(share)) return
    const { marks } = this.#world
    if (what === 'giving a vote') marks.hit('a server crashed just after giving a vote')
    if (what === 'a write') marks.hit('a server crashed just after a durable write')
    this.crash(`just after ${what}`, this.#chance.exponential(options.meanDownMs))
  }

  #stopped(error: unknown): void {
    const { violate, trace, options, marks } = this.#world
    trace.tell(this.id, 'stopped:', messageOf(error))
    const mark = this.#damageMark(error)
    if (mark !== undefined) {
      marks.hit(mark)
      return this.giveUp()
    }
    if (this.#isDiskSick) marks.hit('a write failed and the server stopped')
    else violate('no server breaks', `${this.id} stopped: ${messageOf(error)}`)
    this.crash('its Raft has stopped', 1 + this.#chance.exponential(options.meanDownMs))
  }

  /** What kind of damage the error tells of; undefined when it tells of none, or there is none. */
  #damageMark(error: unknown): Mark | undefined {
    const { image } = this.disk
    if (!image.isDamaged || !RaftError.is(error) || !DAMAGE_CODES.includes(error.code))
      return undefined
    if (this.raft !== undefined) return 'damage was found by a running server'
    if (!image.isUnreadable) return 'damage of a snapshot was found at the start'
    return image.isStableDamaged
      ? 'damage of term and vote was found at the start'
      : 'damage in the log was found at the start'
  }
}
