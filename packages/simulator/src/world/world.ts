import type {
  Configuration,
  Index,
  RpcRequest,
  ServerId,
  StateMachine,
  Term,
} from '@raftkit/interface'
import { InmemNetwork } from '@raftkit/transport-inmem'
import { AcknowledgedCommands, type Holders } from '../checks/acknowledged-commands.ts'
import { AppliedLog } from '../checks/applied-log.ts'
import { CommittedLog } from '../checks/committed-log.ts'
import { Configurations } from '../checks/configurations.ts'
import { Elections } from '../checks/elections.ts'
import { EntryTree } from '../checks/entry-tree.ts'
import { OpenCalls } from '../checks/open-calls.ts'
import type { Reign } from '../checks/steadiness.ts'
import type { CheckName, Violation } from '../checks/violation.ts'
import { FINE_WEATHER } from '../disk/simulated-disk.ts'
import { MarkCounts } from '../marks/marks.ts'
import { Vault } from '../network/vault.ts'
import { Stream } from '../random/streams.ts'
import { SimulatedServer } from '../server/simulated-server.ts'
import type { SpoiledDisk, Surroundings } from '../server/surroundings.ts'
import { type StoryLine, Trace } from '../story/trace.ts'
import { VirtualTime } from '../time/virtual-time.ts'
import { ForwardedAnswers } from '../workload/forwarded-answers.ts'
import type { WorldOptions } from './world-options.ts'

/** What a world is given beside its options. */
export interface WorldParts<M> {
  readonly newMachine: () => M
  readonly check?: ((machine: M) => string | undefined) | undefined
  readonly onLine?: ((line: StoryLine) => void) | undefined
}

/** A cluster of whole servers in a world of its own: time, network, disks, chance, and the checks of all of them. */
export class World<M extends StateMachine<R>, R> implements Surroundings<M, R> {
  readonly options: WorldOptions
  readonly time: VirtualTime = new VirtualTime()
  readonly trace: Trace
  readonly marks: MarkCounts = new MarkCounts()
  readonly network: InmemNetwork
  readonly configuration: Configuration
  readonly elections: Elections
  readonly committed: CommittedLog
  readonly acknowledged: AcknowledgedCommands
  readonly configurations: Configurations
  readonly openCalls: OpenCalls = new OpenCalls()
  readonly forwarded: ForwardedAnswers<R> = new ForwardedAnswers<R>()
  readonly applied: AppliedLog
  readonly tree: EntryTree
  readonly servers: readonly SimulatedServer<M, R>[]
  readonly newMachine: () => M
  readonly check: ((machine: M) => string | undefined) | undefined
  /** The first thing found wrong. */
  violation: Violation | undefined
  onLeader: (id: ServerId) => void = () => {}
  onCommand: (id: ServerId, data: Uint8Array) => void = () => {}
  #isStormy = true

  constructor(options: WorldOptions, parts: WorldParts<M>) {
    this.options = options
    this.newMachine = parts.newMachine
    this.check = parts.check
    const { time, violate } = this
    this.trace = new Trace(() => time.now(), parts.onLine)
    this.network = new InmemNetwork({
      clock: time,
      randomOf: (from, to) => this.stream(`link ${from}>${to}`),
      faults: options.network,
      halfOpenMs: 2000,
    })
    this.elections = new Elections(violate, () =>
      this.marks.hit('two servers asked for votes in one term'),
    )
    this.committed = new CommittedLog(
      violate,
      () => this.tree,
      (id, index, term) =>
        this.servers.find((server) => server.id === id)?.disk.held(index, term) === true,
      () => this.marks.hit('entries of earlier terms were committed with one of a new term'),
    )
    this.acknowledged = new AcknowledgedCommands(violate, this.committed, (index, term) =>
      this.#holdersOf(index, term),
    )
    this.configurations = new Configurations(violate, this.committed)
    this.tree = new EntryTree(violate, (index, term, previousTerm) =>
      this.committed.firstOfTerm(index, term, previousTerm),
    )
    this.applied = new AppliedLog(violate)
    const vault = new Vault(this.network, time, this.stream('vault'), options.vault, () =>
      this.marks.hit('a request came again much later'),
    )
    const onSent = (to: ServerId, request: RpcRequest): void => {
      if (this.#isStormy) vault.offer(to, request)
    }
    this.servers = Array.from(
      { length: options.servers },
      (_, place) => new SimulatedServer<M, R>(place, this, onSent),
    )
    this.configuration = {
      servers: this.servers.map(({ id }) => ({ suffrage: 'voter', id, address: id })),
    }
  }

  readonly violate = (check: CheckName, message: string): void => {
    this.trace.tell('checks', check, message)
    this.violation ??= { check, message }
  }

  /** Something asked the platform for what only the seed may decide. */
  readonly strayed = (what: string, callers: readonly string[]): void =>
    this.violate('nothing but the seed', [`something called ${what}`, ...callers].join('\n'))

  readonly isStormy = (): boolean => this.#isStormy

  stream(name: string): Stream {
    const { seed, variant } = this.options
    return new Stream(seed, variant === 0 ? name : `${name}, variant ${variant}`)
  }

  /** The server that leads the highest term. */
  leader(): SimulatedServer<M, R> | undefined {
    let found: SimulatedServer<M, R> | undefined
    for (const server of this.servers)
      if (
        server.raft?.state === 'leader' &&
        server.raft.currentTerm > (found?.raft?.currentTerm ?? 0)
      )
        found = server
    return found
  }

  /** True when the server may lose what its disk holds: not too many others have. */
  mayLose(server: SpoiledDisk): boolean {
    if (server.isLost) return false
    const others = this.servers.filter(({ id }) => id !== server.id)
    const spoiled = others.filter(
      ({ isLost, disk }) => isLost || disk.wasWiped || disk.image.isDamaged,
    )
    return spoiled.length < this.options.losable
  }

  #holdersOf(index: Index, term: Term): Holders {
    const holders = this.servers.filter(({ disk }) => disk.held(index, term))
    return { count: holders.length, voters: this.servers.length }
  }

  /** Who leads the highest term, and which that is. */
  get reign(): Reign | undefined {
    const leader = this.leader()
    const term = leader?.raft?.currentTerm
    return leader === undefined || term === undefined ? undefined : { id: leader.id, term }
  }

  /** The faults end: every disk works, and the network carries everything except over the links that are cut. */
  endFaults(): void {
    this.#isStormy = false
    this.trace.tell('world', 'faults end')
    this.network.setFaults({ minDelayMs: 0.2, jitterMs: 0.5 })
    for (const from of this.servers)
      for (const to of this.servers)
        if (from !== to) this.network.setLinkFaults(from.id, to.id, undefined)
    for (const { disk } of this.servers) {
      disk.weather = FINE_WEATHER
      disk.isFull = false
      disk.release()
    }
  }
}
