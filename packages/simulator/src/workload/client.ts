import { RaftError, type ServerId, type StateMachine } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { Stream } from '../random/streams.ts'
import type { Process } from '../server/process.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import { isLeaseSafe } from '../world/lease-safety.ts'
import type { World } from '../world/world.ts'
import type { Ledger } from './ledger.ts'
import type { Call, Workload } from './workload.ts'

/** Calls that a client sends at once in a burst, at most. */
const MOST_AT_ONCE = 20

/** Answered calls after which somebody who insists is satisfied. */
const MOST_INSISTING = 100

/** Calls to a new leader. */
const EAGER_CALLS = 8

/** What a client reaches of a server. */
interface Reached<M, R> {
  readonly raft: Raft<R>
  readonly machine: M
  readonly process: Process
}

/** One user of the cluster: finds a leader, calls, and writes down what came of it. */
export class Client<M extends StateMachine<Output>, Input, Output> {
  readonly #name: string
  readonly #world: World<M, Output>
  readonly #workload: Workload<M, Input, Output>
  readonly #ledger: Ledger<Input, Output>
  readonly #random: Stream
  readonly #isLeaseSafe: boolean
  #server: SimulatedServer<M, Output>
  #hurries = 0

  constructor(
    name: string,
    world: World<M, Output>,
    workload: Workload<M, Input, Output>,
    ledger: Ledger<Input, Output>,
  ) {
    this.#name = name
    this.#world = world
    this.#workload = workload
    this.#ledger = ledger
    this.#random = world.stream(`client ${name}`)
    this.#isLeaseSafe = isLeaseSafe(world.options)
    this.#server = this.#random.pick(world.memberServers)
  }

  /** Calls until `isOver`. */
  async work(isOver: () => boolean): Promise<void> {
    const { options, time } = this.#world
    const { meanPauseMs, bursts } = options.workload
    while (!isOver()) {
      const count = this.#random.chance(bursts) ? this.#random.integer(2, MOST_AT_ONCE) : 1
      const calls = Array.from({ length: count }, (_, place) =>
        this.#call(count === 1 ? this.#name : `${this.#name}.${place}`),
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
      const { run } = server ?? {}
      if (server === undefined || run?.raft === undefined) continue
      const call = this.#workload.next(this.#random)
      const reached = { raft: run.raft, machine: run.machine, process: run.process }
      if (!(await this.#make(this.#name, call, server.id, reached, () => 'linearizable'))) continue
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
    for (let place = 0; place < EAGER_CALLS; place++) {
      void this.#call(`${this.#name}.${first}.${place}`, server)
      await time.sleep(this.#random.exponential(1))
    }
  }

  async #call(name: string, server: SimulatedServer<M, Output> = this.#choose()): Promise<void> {
    const { time, options } = this.#world
    if (this.#ledger.count >= options.maxCalls) return
    const run = server.run
    const raft = run?.raft
    if (run === undefined || raft === undefined) {
      await time.sleep(1)
      return
    }
    const reached = { raft, machine: run.machine, process: run.process }
    await this.#make(name, this.#workload.next(this.#random), server.id, reached, this.#consistency)
  }

  /** True when the call was answered. */
  async #make(
    name: string,
    call: Call<M, Input, Output>,
    id: ServerId,
    { raft, machine, process }: Reached<M, Output>,
    consistency: () => 'linearizable' | 'lease',
  ): Promise<boolean> {
    const { trace, marks } = this.#world
    const entry = this.#ledger.called(
      name,
      call.input,
      'command' in call ? call.command : undefined,
    )
    const answered = this.#ask(call, raft, machine, consistency).then((output) => ({ output }))
    const crashed = process.died.then(() => undefined)
    try {
      const answer = await Promise.race([answered, crashed])
      if (answer === undefined) {
        entry.unknown()
        return false
      }
      entry.returned(answer.output)
      if ('read' in call) marks.hit('a read was answered')
      trace.tell(name, 'is answered by', id)
      return true
    } catch (error) {
      this.#failed(error, call, entry)
      return false
    }
  }

  async #ask(
    call: Call<M, Input, Output>,
    raft: Raft<Output>,
    machine: M,
    consistency: () => 'linearizable' | 'lease',
  ): Promise<Output> {
    const { acknowledged, committed, marks, forwarded, options } = this.#world
    const { timeoutMs } = options.workload
    if ('read' in call) {
      const needed = acknowledged.lastIndex
      if (raft.state === 'leader' && committed.termAt(raft.commitIndex) !== raft.currentTerm)
        marks.hit('a read waited for the first entry of a term')
      return raft.read(
        () => {
          acknowledged.read(raft.id, needed, raft.appliedIndex)
          return call.read(machine)
        },
        { timeoutMs, consistency: consistency() },
      )
    }
    if (raft.state !== 'leader' && this.#random.chance(options.workload.forwarded)) {
      const bytes = await raft.forwardToLeader(call.command, { timeoutMs })
      const { id, index, term, response } = forwarded.take(bytes)
      acknowledged.acknowledged(id, index, term)
      marks.hit('a command went through another server to the leader')
      return response
    }
    const { index, term, response } = await raft.apply(call.command, { timeoutMs })
    acknowledged.acknowledged(raft.id, index, term)
    return response
  }

  readonly #consistency = (): 'linearizable' | 'lease' => {
    const { options, marks } = this.#world
    if (!this.#isLeaseSafe || !this.#random.chance(options.workload.leaseReads))
      return 'linearizable'
    marks.hit('a read was made on the lease')
    return 'lease'
  }

  #failed(
    error: unknown,
    call: Call<M, Input, Output>,
    entry: ReturnType<Ledger<Input, Output>['called']>,
  ): void {
    const { violate, marks } = this.#world
    if (RaftError.is(error)) this.#markRefusal(error, 'read' in call)
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
      if (error.outcome === undefined && !isForwarding(error))
        violate('honest outcomes', `a command failed with ${error.code} and no outcome`)
      entry.unknown()
    }
    if (RaftError.is(error, 'RAFT_OVERLOADED')) return
    this.#server = this.#world.leader() ?? this.#random.pick(this.#world.memberServers)
  }

  #markRefusal({ code }: RaftError, isRead: boolean): void {
    const { marks } = this.#world
    if (code === 'RAFT_ABORTED_BY_RESTORE') marks.hit('a command was replaced by a restore')
    if (code === 'RAFT_OVERLOADED') marks.hit('a command was refused because too many wait')
    if (code === 'RAFT_LEADERSHIP_TRANSFER_IN_PROGRESS')
      marks.hit('a command was refused during a transfer')
    if (isRead && code === 'RAFT_LEADERSHIP_LOST')
      marks.hit('a read was refused because leadership was lost')
  }

  #choose(): SimulatedServer<M, Output> {
    const { memberServers, servers, options } = this.#world
    if (this.#random.chance(options.workload.wrongServer)) return this.#random.pick(servers)
    if (this.#server.raft === undefined)
      this.#server = this.#world.leader() ?? this.#random.pick(memberServers)
    return this.#server
  }
}

/** The leader's own words, or the end of the way to it: what came of the command, nobody here knows. */
function isForwarding({ code }: RaftError): boolean {
  return (
    code === 'RAFT_REMOTE_ERROR' ||
    code === 'RAFT_RPC_TIMEOUT' ||
    code === 'RAFT_CONNECTION_LOST' ||
    code === 'RAFT_DIAL_FAILED' ||
    code === 'RAFT_TRANSPORT_CLOSED'
  )
}
