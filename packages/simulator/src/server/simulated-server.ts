import {
  type Configuration,
  membersOf,
  messageOf,
  type RpcRequest,
  type ServerAddress,
  type ServerId,
  type StateMachine,
} from '@raftkit/interface'
import type { Raft, RaftConfig } from '@raftkit/raft-core'
import { checkTimers } from '../checks/shutdown.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import type { Stream } from '../random/streams.ts'
import { Addresses } from './addresses.ts'
import { diskEvents } from './disk-events.ts'
import { judgeStop } from './stop-verdict.ts'
import { reloadEither } from './reload.ts'
import { chancesOf, type RunChances } from './run-parts.ts'
import { ServerRun } from './server-run.ts'
import type { Surroundings } from './surroundings.ts'

/** The name of the server at a place. */
export function idOf(place: number): ServerId {
  return `n${place + 1}`
}

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
  #isOut = false
  #hasForgotten = false
  readonly #places: Addresses
  #config: RaftConfig
  #restart: { run: (() => void) | undefined } | undefined

  constructor(
    place: number,
    world: Surroundings<M, R>,
    onSent: (to: ServerId, request: RpcRequest) => void,
  ) {
    this.id = idOf(place)
    this.#places = new Addresses(this.id)
    this.#place = place
    this.#world = world
    this.#onSent = onSent
    this.#chance = world.stream(`crashes of ${this.id}`)
    this.#runChances = chancesOf(this.id, (name) => world.stream(name))
    const { options } = world
    this.#config = options.configs[place]!
    this.disk = new SimulatedDisk(
      world.time,
      world.stream(`disk ${this.id}`),
      diskEvents(this.id, world, {
        onCrashPoint: (share, what) => this.#crashPoint(share, what),
        onFailure: () => {
          this.#isDiskSick = true
          if (this.disk.isFull) world.marks.hit('a disk was full')
        },
      }),
    )
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

  /** True for a member of the first configuration. */
  get isFirst(): boolean {
    return this.#place < this.#world.options.servers
  }

  /** Where others reach it: its own address, and those that lead to it still. */
  get addresses(): readonly ServerAddress[] {
    return this.#places.all
  }

  /** Its disk lost what it must not forget: under this id it counts for nothing until it was removed. */
  get isLost(): boolean {
    return this.#isOut || this.#hasForgotten
  }

  /** It has the disk that others count on. */
  get isHealthy(): boolean {
    const { image } = this.disk
    return !this.isLost && !image.isDamaged && !this.#world.restores.isStranded(image)
  }

  /** A configuration is committed: whoever is not in it owes nothing any more. */
  configurationCommitted(configuration: Configuration): void {
    if (!membersOf(configuration).some(({ id }) => id === this.id)) this.#hasForgotten = false
  }

  start(): void {
    if (this.#run !== undefined) return
    if (this.#isOut) {
      this.#world.marks.hit('a server that lost its disk stayed out')
      return
    }
    if (this.#restart !== undefined) this.#restart.run = undefined
    this.#restart = undefined
    this.#isDiskSick = false
    this.#world.trace.tell(this.id, 'starts')
    const run = new ServerRun<M, R>(
      { place: this.#place, id: this.id, isFirst: this.isFirst, addresses: this.addresses },
      this.#config,
      this.#world,
      this.disk,
      {
        onCrashPoint: (share, what) => this.#crashPoint(share, what),
        onSent: (to, request) => this.#onSent(to, request),
        mayLoseDisk: () => this.#world.mayLose(this),
        onStopped: (error) => this.#stopped(error),
        onLeft: () => this.#left(run),
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
    if (restartAfterMs !== undefined) this.#restartAfter(restartAfterMs)
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
    const { options, marks } = this.#world
    const mayReturn = options.wiped === 'come back empty' && this.#world.mayForget(this)
    this.#isOut = options.wiped !== 'come back unknown' && !mayReturn
    this.#empty('loses its disk')
    if (mayReturn) marks.hit('a server came back with an empty disk')
    this.#restartAfter(restartAfterMs)
  }

  /** Somebody puts an empty disk into the machine. Nobody must be misled by that. */
  renew(): void {
    this.#isOut = false
    this.#empty('gets an empty disk')
  }

  /** The disk is damaged: the server ends, and under this id it takes no part any more. */
  giveUp(): void {
    this.#isOut = true
    this.crash('its disk is damaged')
  }

  /** The server goes to another address. When `isReachable`, the former ones lead to it still. */
  move(isReachable: boolean, afterMs: number): ServerAddress {
    const address = this.#places.move(isReachable)
    this.#world.trace.tell(this.id, 'moves to', address)
    this.crash('moves')
    this.#restartAfter(afterMs)
    return address
  }

  /** Every address that it ever had leads to it. */
  listenEverywhere(): void {
    for (const address of this.#places.reopen()) this.#run?.listenAt(address)
  }

  /** Gives the running server the options of its other configuration that may change, or those that it had before. */
  reload(): void {
    const raft = this.raft
    if (raft === undefined || raft.state === 'stopped' || this.#run?.process.isPaused === true)
      return
    const { options, marks, trace } = this.#world
    const [one, other] = [options.configs[this.#place]!, options.otherConfigs[this.#place]!]
    trace.tell(this.id, 'gets other options')
    reloadEither(raft, one, other)
    marks.hit('a running server got other options')
  }

  /** Shuts the server down in an orderly way, and starts it later with its other options. */
  restart(afterMs: number): void {
    const run = this.#run
    const raft = run?.raft
    if (run === undefined || raft === undefined || raft.state === 'stopped') return
    // Nobody can be asked while nothing of it runs.
    if (run.process.isPaused) return
    const { options, marks, trace } = this.#world
    trace.tell(this.id, 'is shut down')
    this.#end(run, () => {
      const [one, other] = [options.configs[this.#place]!, options.otherConfigs[this.#place]!]
      this.#config = this.#config === one ? other : one
      marks.hit('a server was shut down and started with other options')
      this.crash('was shut down', afterMs)
    })
  }

  /** Shuts the server down for good. */
  async shutDown(): Promise<void> {
    const run = this.#run
    if (run?.raft === undefined) return this.crash('ends while it starts')
    await run.stop()
    checkTimers(this.#world.violate, this.id, run.clock)
  }

  #restartAfter(ms: number): void {
    if (this.#restart !== undefined) this.#restart.run = undefined
    this.#restart = this.#world.time.after(Math.max(0.5, ms), () => this.start())
  }

  #empty(why: string): void {
    this.#world.trace.tell(this.id, why)
    this.#hasForgotten ||= this.#world.isMember(this.id)
    this.crash('killed, and its disk is wiped')
    this.disk.wipe()
  }

  /** It was removed from the cluster and has shut down by itself. */
  #left(run: ServerRun<M, R>): void {
    const { options, marks } = this.#world
    marks.hit('a leader that removed itself shut down')
    this.#end(run, () => this.crash('has left', this.#chance.exponential(options.meanDownMs)))
  }

  /** Shuts a run down in an orderly way; then nothing of it may wait for a time. */
  #end(run: ServerRun<M, R>, then: () => void): void {
    const { openCalls, violate } = this.#world
    const stopped = run.stop().then(() => {
      if (this.#run !== run) return
      if (!run.process.isPaused) checkTimers(violate, this.id, run.clock)
      then()
    })
    openCalls.watch(`shutdown of ${this.id}`, stopped, run.process.died)
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
    const { trace, options } = this.#world
    trace.tell(this.id, 'stopped:', messageOf(error))
    const isFit = judgeStop(this.#world, this, error, this.#isDiskSick)
    if (isFit) this.crash('its Raft has stopped', 1 + this.#chance.exponential(options.meanDownMs))
    else this.giveUp()
  }
}
