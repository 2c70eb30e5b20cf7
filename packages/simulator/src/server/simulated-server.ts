import { messageOf, type RpcRequest, type ServerId, type StateMachine } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import type { Stream } from '../random/streams.ts'
import { type RunChances, ServerRun } from './server-run.ts'
import type { Surroundings } from './surroundings.ts'

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
    }
    const { time, trace, violate, options } = world
    this.disk = new SimulatedDisk(time, world.stream(`disk ${this.id}`), {
      onDurable: (what) => {
        trace.tell(this.id, 'has on disk:', what)
        this.#crashPoint(options.crashPoints.writeDurable, 'a write')
      },
      onFailure: (what) => {
        this.#isDiskSick = true
        trace.tell(this.id, 'fails to write:', what)
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

  start(): void {
    if (this.#run !== undefined) return
    if (this.#restart !== undefined) this.#restart.run = undefined
    this.#restart = undefined
    this.#isDiskSick = false
    this.#world.trace.tell(this.id, 'starts')
    const run = new ServerRun<M, R>(
      this.#place,
      this.id,
      this.#world,
      this.disk,
      {
        onCrashPoint: (share, what) => this.#crashPoint(share, what),
        onSent: (to, request) => this.#onSent(to, request),
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
    this.#run = undefined
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
    this.#world.time.after(forMs, () => run.process.resume())
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
    const { violate, trace, options } = this.#world
    trace.tell(this.id, 'stopped:', messageOf(error))
    if (this.#isDiskSick) this.#world.marks.hit('a write failed and the server stopped')
    else violate('no server breaks', `${this.id} stopped: ${messageOf(error)}`)
    this.crash('its Raft has stopped', 1 + this.#chance.exponential(options.meanDownMs))
  }
}
