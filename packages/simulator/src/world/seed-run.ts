import { messageOf, type StateMachine } from '@raftkit/interface'
import { recoverCluster } from '@raftkit/raft-core'
import { checkSteadiness } from '../checks/steadiness.ts'
import { scheduleNemeses } from '../nemesis/schedule.ts'
import { Client } from '../workload/client.ts'
import { Ledger } from '../workload/ledger.ts'
import type { Services } from '../workload/services.ts'
import type { Workload } from '../workload/workload.ts'
import { describeServers, leftovers, openEnds } from './at-rest.ts'
import { boundMs, calmDown, RecoveryWatch } from './ending.ts'
import { Disaster } from './recovery.ts'
import { mayStrike } from './survivors.ts'
import type { RunParts } from './seed-result.ts'
import type { World } from './world.ts'

/** More than any seed needs by far: the largest take some hundred thousand. */
const DEFAULT_MAX_EVENTS = 5_000_000

/** How long servers are given to come to rest, in multiples of the longest timeout of a call. */
const REST = 3

/** One world from beginning to end. */
export class SeedRun<M extends StateMachine<Output>, Input, Output> {
  readonly ledger: Ledger<Input, Output>
  historyUndecided = false
  readonly #world: World<M, Output>
  readonly #workload: Workload<M, Input, Output>
  readonly #maxEvents: number
  readonly #recoverCluster: typeof recoverCluster
  readonly #services: Services<M, Input, Output> | undefined
  #haveClientsStopped = false

  constructor(
    world: World<M, Output>,
    { workload, maxEvents = DEFAULT_MAX_EVENTS, ...parts }: RunParts<M, Input, Output>,
    services: Services<M, Input, Output> | undefined,
  ) {
    this.#world = world
    this.#workload = workload
    this.#maxEvents = maxEvents
    this.#recoverCluster = parts.recoverCluster ?? recoverCluster
    this.#services = services
    this.ledger = new Ledger(
      world.violate,
      () => world.time.now(),
      () => world.marks.hit('a command of unknown outcome took effect'),
    )
    world.onCommand = (id, entry) => this.ledger.applied(id, entry)
    const { restored } = workload
    // What a snapshot holds around the state of the machine only the service knows.
    if (restored !== undefined && services === undefined)
      world.onRestore = (machine) => this.ledger.restoring(restored(machine))
  }

  async run(): Promise<void> {
    const { time, options, servers } = this.#world
    for (const server of servers)
      if (server.isFirst || this.#world.stream(`spare ${server.id}`).chance(0.5))
        time.after(this.#world.stream(`start of ${server.id}`).exponential(5), () => server.start())
    scheduleNemeses(this.#world)
    this.#startClients()
    await this.#until(() => time.now() >= options.durationMs)
    if (this.#world.violation !== undefined) return
    const watch = new RecoveryWatch(
      this.#world,
      calmDown(this.#world),
      () => this.#services?.haveRecovered ?? true,
    )
    await this.#recover(watch, options.durationMs)
    if (this.#world.violation !== undefined) return
    await this.#rest(watch)
    if (this.#world.violation !== undefined) return
    const mayBeStruck = watch.core === undefined && !watch.isHopeless
    if (mayBeStruck && this.#services === undefined && mayStrike(this.#world))
      await this.#surviveDisaster()
    await this.#shutDown()
    this.#judge()
  }

  #startClients(): void {
    const { clients } = this.#world.options.workload
    const eager = this.#client('e')
    this.#world.onLeader = (id) => {
      const server = this.#world.servers.find((other) => other.id === id)
      if (server !== undefined && !this.#isWorkOver()) void eager.hurry(server)
    }
    for (let place = 1; place <= clients; place++) {
      this.#client(`c${place}`)
        .work(this.#isWorkOver)
        .catch((error: unknown) =>
          this.#world.violate('no server breaks', `client c${place} failed: ${String(error)}`),
        )
    }
  }

  #client(name: string): Client<M, Input, Output> {
    return new Client(name, this.#world, this.#workload, this.ledger, this.#services)
  }

  readonly #isWorkOver = (): boolean =>
    this.#haveClientsStopped || this.ledger.count >= this.#world.options.maxCalls

  async #until(isOver: () => boolean): Promise<void> {
    const world = this.#world
    if (world.violation !== undefined) return
    await world.time.run(() => world.violation !== undefined || isOver() || this.#isEndless())
  }

  #isEndless(): boolean {
    const { time, violate } = this.#world
    if (time.events < this.#maxEvents) return false
    violate('every run ends', `the run has not ended after ${time.events} events`)
    return true
  }

  /** Liveness: a leader, and everything committed is everywhere, within a bounded time. */
  async #recover(watch: RecoveryWatch<M, Output>, sinceMs: number): Promise<void> {
    let isRecovered = false
    await this.#until(() => {
      isRecovered = watch.look()
      return isRecovered || watch.isOver
    })
    if (!isRecovered && this.#world.violation === undefined)
      this.#world.violate(
        'liveness',
        `the cluster did not recover after the faults ended (it had ${Math.round(watch.untilMs - sinceMs)} ms):\n${describeServers(this.#world)}`,
      )
  }

  /** Most disks are lost, and those who are left must go on by themselves from where everybody was. */
  async #surviveDisaster(): Promise<void> {
    const { time } = this.#world
    const disaster = new Disaster(this.#world, this.#recoverCluster)
    if ((await this.#ended('the end of all servers', disaster.strike())) !== true) return
    await this.#ended('a recovery by force', disaster.recover())
    if (this.#world.violation !== undefined) return
    const now = time.now()
    const watch = new RecoveryWatch(this.#world, {
      core: undefined,
      untilMs: now + boundMs(this.#world),
    })
    await this.#recover(watch, now)
    await this.#ended('a look at what was recovered', disaster.checkKept())
    if (this.#world.violation !== undefined) return
    const client = this.#client('survivor')
    const end = time.now() + boundMs(this.#world)
    const served = client.insist(() => time.now() > end)
    if ((await this.#ended('calls after a recovery by force', served)) === false)
      this.#world.violate('liveness', 'a cluster that was recovered by force answers nobody')
    await this.#rest(watch)
    await this.#ended('a look at what was recovered', disaster.checkEqual())
  }

  /** What comes of it; undefined after a violation. */
  async #ended<T>(what: string, act: Promise<T>): Promise<T | undefined> {
    const { time, violate } = this.#world
    let end: { readonly value: T } | undefined
    act.then(
      (value) => {
        end = { value }
      },
      (error: unknown) => violate('no server breaks', `${what}: ${messageOf(error)}`),
    )
    const limit = time.now() + 2 * boundMs(this.#world)
    await this.#until(() => end !== undefined || time.now() > limit)
    if (end === undefined && this.#world.violation === undefined)
      violate('every promise settles', `${what} never came`)
    return end?.value
  }

  /** Clients stop, and everything that waits ends. */
  async #rest(watch: RecoveryWatch<M, Output>): Promise<void> {
    const { time, options, trace } = this.#world
    this.#haveClientsStopped = true
    trace.tell('world', 'clients stop')
    const rpcTimeoutMs = Math.max(...options.configs.map((config) => config.rpcTimeoutMs))
    const slowestClock = Math.min(...options.clockRates)
    const restMs = (REST * Math.max(options.workload.timeoutMs, rpcTimeoutMs)) / slowestClock
    const end = time.now() + restMs + 5 * options.workload.meanPauseMs
    // A transfer that was asked for in the storm may come to its end yet.
    const settled = time.now() + restMs / REST
    await this.#until(() => time.now() >= settled)
    const { reign } = this.#world
    await this.#until(() => time.now() >= end)
    if (this.#world.violation !== undefined) return
    const { core, isHopeless, members } = watch
    if (core !== undefined && !isHopeless)
      checkSteadiness(this.#world.violate, reign, this.#world.reign)
    if (this.ledger.open > 0)
      this.#world.violate(
        'every promise settles',
        `${this.ledger.open} calls of clients never ended`,
      )
    this.#world.openCalls.check(this.#world.violate)
    if (core !== undefined || isHopeless) return
    // A leader may just hand over to a preferred one, and what is around Raft may ask it for something; not without end.
    await this.#until(() => leftovers(members).length === 0 || time.now() >= end + restMs)
    const found = leftovers(members)
    if (found.length > 0) this.#world.violate('nothing left over', found.join('\n'))
    for (const { id, disk } of members) this.#world.committed.checkDisk(id, disk.image)
  }

  async #shutDown(): Promise<void> {
    const { servers, time, network } = this.#world
    let left = servers.length
    for (const server of servers) void server.shutDown().then(() => left--)
    const end = time.now() + 10_000
    await this.#until(() => (left === 0 && openEnds(network).length === 0) || time.now() > end)
    if (this.#world.violation !== undefined) return
    if (left > 0) this.#world.violate('every promise settles', `${left} servers did not shut down`)
    const found = openEnds(network)
    if (found.length > 0) this.#world.violate('nothing left over', found.join('\n'))
  }

  #judge(): void {
    const world = this.#world
    if (world.violation !== undefined) return
    const verdict = this.#workload.judge?.(this.ledger.history)
    this.historyUndecided = verdict?.result === 'unknown'
    if (verdict?.result === 'not linearizable')
      world.violate('linearizability', `${verdict.part}:\n${verdict.transcript}`)
  }
}
