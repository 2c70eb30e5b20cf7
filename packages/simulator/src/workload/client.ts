import { RaftError, type StateMachine } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from '../world/world.ts'
import { sendCommand } from './commands.ts'
import { proveLeadership } from './leadership-proof.ts'
import type { Ledger } from './ledger.ts'
import { reach, type Reached } from './reached.ts'
import { type ReadDemand, Reads, type StrongConsistency } from './reads.ts'
import { isForwarding, markRefusal } from './refusals.ts'
import type { Services } from './services.ts'
import type { Call, Workload } from './workload.ts'

/** Calls that a client sends at once in a burst, at most. */
const MOST_AT_ONCE = 20

/** Answered calls after which somebody who insists is satisfied. */
const MOST_INSISTING = 100

/** Calls to a new leader. */
const EAGER_CALLS = 8

/** Reads of a leader that has been replaced, at most, and the mean time between two of them. */
const MOST_DOUBTS = 100
const DOUBT_MS = 5

/** Calls that a workload is asked for until one is of the wanted kind. */
const MOST_DRAWS = 10

/** Where a call goes. */
interface Destination<M extends StateMachine<R>, R> {
  readonly server?: SimulatedServer<M, R>
  /** Where it goes when it is a read. */
  readonly readsAt?: SimulatedServer<M, R> | undefined
  /** What kind of call it is to be. */
  readonly only?: 'read'
}

/** One user of the cluster: finds a leader, calls, and writes down what came of it. */
export class Client<M extends StateMachine<Output>, Input, Output> {
  readonly #name: string
  readonly #world: World<M, Output>
  readonly #workload: Workload<M, Input, Output>
  readonly #ledger: Ledger<Input, Output>
  readonly #random: Stream
  readonly #reads: Reads<M, Output>
  readonly #services: Services<M, Input, Output> | undefined
  #server: SimulatedServer<M, Output>
  #hurries = 0

  /** `services` when there is something between clients and Raft. */
  constructor(
    name: string,
    world: World<M, Output>,
    workload: Workload<M, Input, Output>,
    ledger: Ledger<Input, Output>,
    services?: Services<M, Input, Output>,
  ) {
    this.#name = name
    this.#world = world
    this.#workload = workload
    this.#ledger = ledger
    this.#services = services
    this.#random = world.stream(`client ${name}`)
    this.#reads = new Reads(world, this.#random)
    this.#server = this.#random.pick(world.memberServers)
  }

  /** Calls until `isOver`. */
  async work(isOver: () => boolean): Promise<void> {
    const { options, time } = this.#world
    const { meanPauseMs, bursts } = options.workload
    while (!isOver()) {
      const count = this.#random.chance(bursts) ? this.#random.integer(2, MOST_AT_ONCE) : 1
      const readsAt = this.#reads.place()
      const calls = Array.from({ length: count }, (_, place) =>
        this.#call(count === 1 ? this.#name : `${this.#name}.${place}`, { readsAt }),
      )
      await Promise.all(calls)
      await time.sleep(this.#random.exponential(meanPauseMs))
    }
  }

  /** Calls the leader until a command and a linearizable read were answered; false when they were not before `isOver`. */
  async insist(isOver: () => boolean): Promise<boolean> {
    const { time } = this.#world
    const missing = new Set(['command', 'read'])
    // A workload may have calls of one kind only.
    let calls = MOST_INSISTING
    while (missing.size > 0 && calls > 0) {
      if (isOver()) return false
      await time.sleep(1)
      const server = this.#world.leader()
      const reached = server === undefined ? undefined : reach(server)
      if (reached === undefined) continue
      const call = this.#workload.next(this.#random)
      if (!(await this.#make(this.#name, call, reached, 'linearizable'))) continue
      missing.delete('read' in call ? 'read' : 'command')
      calls--
    }
    return true
  }

  /** Calls this server a few times at once: it has just become leader. */
  async hurry(server: SimulatedServer<M, Output>): Promise<void> {
    const { time, options } = this.#world
    if (!this.#random.chance(options.workload.eager)) return
    const first = ++this.#hurries
    const reached = reach(server)
    if (reached !== undefined && this.#random.chance(0.5)) this.#askForProof(reached)
    for (let place = 0; place < EAGER_CALLS; place++) {
      void this.#call(`${this.#name}.${first}.${place}`, { server })
      await time.sleep(this.#random.exponential(1))
    }
    await this.#doubt(`${this.#name}.${first}`, server)
  }

  #askForProof({ id, raft, process }: Reached<M, Output>): void {
    const { openCalls, options } = this.#world
    const asked = proveLeadership(this.#world, raft, options.workload.timeoutMs)
    openCalls.watch(`verify leader of ${id}`, asked, process.died)
    asked.catch(() => {})
  }

  /** Goes on asking who believes to lead beside this server. */
  async #doubt(name: string, server: SimulatedServer<M, Output>): Promise<void> {
    const { time, servers, isStormy } = this.#world
    for (let place = EAGER_CALLS; place < EAGER_CALLS + MOST_DOUBTS && isStormy(); place++) {
      const others = servers.filter((other) => other !== server && other.raft?.state === 'leader')
      if (others.length === 0 || server.raft?.state !== 'leader') return
      void this.#call(`${name}.${place}`, { server: this.#random.pick(others), only: 'read' })
      await time.sleep(this.#random.exponential(DOUBT_MS))
    }
  }

  async #call(name: string, { server, readsAt, only }: Destination<M, Output>): Promise<void> {
    const { time, options } = this.#world
    if (this.#ledger.count >= options.maxCalls) return
    const isQuiet = server === undefined && time.now() < this.#world.writesFrom
    const call = this.#next(only ?? (isQuiet ? 'read' : undefined))
    if (call === undefined) return time.sleep(1)
    const place = 'read' in call ? (server ?? readsAt) : server
    const reached = reach(place ?? this.#choose())
    if (reached === undefined) return time.sleep(1)
    const demand: ReadDemand = 'read' in call ? this.#reads.draw() : { consistency: 'linearizable' }
    if (demand.consistency === 'linearizable' || demand.consistency === 'lease')
      await this.#make(name, call, reached, demand.consistency)
    else if ('read' in call && !(await this.#reads.weak(name, reached, call.read, demand)))
      this.#lookForLeader()
  }

  /** The next call, of this kind; undefined when the workload seems to have none. */
  #next(kind: 'read' | undefined): Call<M, Input, Output> | undefined {
    for (let draws = 0; draws < MOST_DRAWS; draws++) {
      const call = this.#workload.next(this.#random)
      if (kind === undefined || kind in call) return call
    }
    return undefined
  }

  /** True when the call was answered. */
  async #make(
    name: string,
    call: Call<M, Input, Output>,
    reached: Reached<M, Output>,
    consistency: StrongConsistency,
  ): Promise<boolean> {
    const { trace, marks } = this.#world
    const entry = this.#ledger.called(
      name,
      call.input,
      'command' in call ? call.command : undefined,
    )
    const answered = this.#send(call, reached, consistency).then((output) => ({ output }))
    const crashed = reached.process.died.then(() => undefined)
    try {
      const answer = await Promise.race([answered, crashed])
      if (answer === undefined) {
        entry.unknown()
        return false
      }
      entry.returned(answer.output)
      if ('read' in call) marks.hit('a read was answered')
      trace.tell(name, 'is answered by', reached.id)
      return true
    } catch (error) {
      this.#failed(error, call, entry)
      return false
    }
  }

  #send(
    call: Call<M, Input, Output>,
    reached: Reached<M, Output>,
    consistency: StrongConsistency,
  ): Promise<Output> {
    if (this.#services !== undefined)
      return this.#services.call(this.#world, this.#ledger, reached, call)
    return 'read' in call
      ? this.#reads.strong(reached, call.read, consistency)
      : sendCommand(this.#world, this.#random, reached, call.command)
  }

  #failed(
    error: unknown,
    call: Call<M, Input, Output>,
    entry: ReturnType<Ledger<Input, Output>['called']>,
  ): void {
    const { violate, marks } = this.#world
    if (RaftError.is(error)) markRefusal(marks, error, 'read' in call)
    if (!RaftError.is(error))
      violate(
        'honest outcomes',
        `${this.#name} got an error that is no RaftError: ${String(error)}`,
      )
    else if ('read' in call || error.outcome === 'not-committed') {
      entry.failed()
      if (!('read' in call)) marks.hit('a command that was said not to be committed')
    } else {
      marks.hit('a command of unknown outcome')
      if (error.outcome === undefined && (this.#services !== undefined || !isForwarding(error)))
        violate('honest outcomes', `a command failed with ${error.code} and no outcome`)
      entry.unknown()
    }
    if (RaftError.is(error, 'RAFT_OVERLOADED')) return
    this.#lookForLeader()
  }

  #lookForLeader(): void {
    this.#server = this.#world.leader() ?? this.#random.pick(this.#world.memberServers)
  }

  #choose(): SimulatedServer<M, Output> {
    const { servers, options } = this.#world
    if (this.#random.chance(options.workload.wrongServer)) return this.#random.pick(servers)
    if (this.#server.raft === undefined) this.#lookForLeader()
    return this.#server
  }
}
