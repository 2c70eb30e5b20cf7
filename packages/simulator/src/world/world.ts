import {
  type Configuration,
  type Index,
  type LogEntry,
  membersOf,
  type RpcRequest,
  type ServerAddress,
  type ServerId,
  type StateMachine,
  type Term,
} from '@raftkit/interface'
import { InmemNetwork } from '@raftkit/transport-inmem'
import { AcknowledgedCommands } from '../checks/acknowledged-commands.ts'
import { AppliedLog } from '../checks/applied-log.ts'
import { CommittedConfigurations } from '../checks/committed-configurations.ts'
import { CommittedLog } from '../checks/committed-log.ts'
import { Configurations } from '../checks/configurations.ts'
import { Elections } from '../checks/elections.ts'
import { EntryTree } from '../checks/entry-tree.ts'
import { OpenCalls } from '../checks/open-calls.ts'
import { votersOf } from '../checks/quorums.ts'
import { RestorePoints } from '../checks/restore-points.ts'
import type { Reign } from '../checks/steadiness.ts'
import type { CheckName, Violation } from '../checks/violation.ts'
import { FINE_WEATHER } from '../disk/simulated-disk.ts'
import { MarkCounts } from '../marks/marks.ts'
import { Vault } from '../network/vault.ts'
import { Stream } from '../random/streams.ts'
import type { Launcher } from '../server/layer.ts'
import { idOf, SimulatedServer } from '../server/simulated-server.ts'
import type { SpoiledDisk, Surroundings } from '../server/surroundings.ts'
import { Trace } from '../story/trace.ts'
import { VirtualTime } from '../time/virtual-time.ts'
import { ForwardedAnswers } from '../workload/forwarded-answers.ts'
import { configurationsInPlay, isWhole, mayForget } from './in-play.ts'
import type { WorldOptions } from './world-options.ts'
import type { Backup, RestoreCall, WorldParts } from './world-parts.ts'

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
  readonly members: CommittedConfigurations
  readonly openCalls: OpenCalls = new OpenCalls()
  readonly forwarded: ForwardedAnswers<R> = new ForwardedAnswers<R>()
  readonly applied: AppliedLog
  readonly tree: EntryTree
  readonly servers: readonly SimulatedServer<M, R>[]
  readonly newMachine: () => M
  readonly launcher: Launcher<M, R> | undefined
  readonly check: ((machine: M) => string | undefined) | undefined
  /** The first thing found wrong. */
  violation: Violation | undefined
  onLeader: (id: ServerId) => void = () => {}
  /** A server has been told to take over. */
  onTimeoutNow: (id: ServerId) => void = () => {}
  /** Until then clients only read, except at a new leader. */
  writesFrom = 0
  /** Somebody has asked for a restore of this state; gives what is to be told of its end. Undefined: nobody may. */
  onRestore: ((machine: M) => RestoreCall) | undefined
  onCommand: (id: ServerId, entry: LogEntry) => void = () => {}
  readonly restores: RestorePoints = new RestorePoints()
  /** Snapshots that somebody copied: what a restore may be of. */
  readonly backups: Backup[] = []
  /** Every server that belonged to the cluster at some time. */
  readonly wereMembers: Set<ServerId> = new Set()
  /** Ends what somebody waits for who gives up when the faults end. */
  readonly stormEnd: AbortController = new AbortController()
  #isStormy = true

  /** `launcher` starts what runs on a server; without one that is nothing but Raft. */
  constructor(options: WorldOptions, parts: WorldParts<M>, launcher?: Launcher<M, R>) {
    this.options = options
    this.newMachine = parts.newMachine
    this.launcher = launcher
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
    const holds = (id: ServerId, index: Index, term: Term): boolean =>
      this.serverOf(id)?.disk.held(index, term) === true
    this.committed = new CommittedLog({
      violate,
      restores: this.restores,
      tree: () => this.tree,
      holds,
      onEarlierTerms: () =>
        this.marks.hit('entries of earlier terms were committed with one of a new term'),
      onCommitted: (index) => this.members.advance(index, (at) => this.committed.termAt(at)),
    })
    this.acknowledged = new AcknowledgedCommands(violate, this.committed, holds, () => time.now())
    this.configuration = {
      servers: Array.from({ length: options.servers }, (_, place) => ({
        suffrage: 'voter',
        id: idOf(place),
        address: idOf(place),
      })),
    }
    this.members = new CommittedConfigurations(
      this.configuration,
      (configuration) => this.#configurationCommitted(configuration),
      (byAnother) => {
        this.marks.hit('a joint state came to its end')
        if (byAnother) this.marks.hit('another leader ended a joint state')
      },
    )
    for (const { id } of this.configuration.servers) this.wereMembers.add(id)
    this.configurations = new Configurations(violate, this.committed, (...appended) =>
      this.members.appended(...appended),
    )
    this.tree = new EntryTree(violate, (index, term, previousTerm) =>
      this.committed.firstOfTerm(index, term, previousTerm),
    )
    this.applied = new AppliedLog(violate)
    const vault = new Vault({
      network: this.network,
      time,
      random: this.stream('vault'),
      share: options.vault,
      mayRepeatForwards: launcher?.mayRepeatForwards === true,
      onReplay: () => this.marks.hit('a request came again much later'),
    })
    const onSent = (to: ServerId, request: RpcRequest): void => {
      if (this.#isStormy) vault.offer(to, request)
    }
    this.servers = Array.from(
      { length: options.servers + options.spares },
      (_, place) => new SimulatedServer<M, R>(place, this, onSent),
    )
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

  serverOf(id: ServerId): SimulatedServer<M, R> | undefined {
    return this.servers.find((server) => server.id === id)
  }

  /** Where a server is reached. */
  addressesOf(id: ServerId): readonly ServerAddress[] {
    return this.serverOf(id)?.addresses ?? [id]
  }

  /** Members of the committed configuration: whom most of what happens should befall. */
  get memberServers(): readonly SimulatedServer<M, R>[] {
    const members = membersOf(this.members.latest.configuration)
    return this.servers.filter(({ id }) => members.some((member) => member.id === id))
  }

  /** True for members of the committed configuration, or of one that may be committed yet. */
  isMember(id: ServerId): boolean {
    return configurationsInPlay(this).some((configuration) =>
      membersOf(configuration).some((server) => server.id === id),
    )
  }

  /** True when nobody is misled by a server that comes back with an empty disk. */
  mayForget(server: SpoiledDisk): boolean {
    return mayForget(this, server)
  }

  /** True when the server may lose what its disk holds: a quorum keeps what it has. */
  mayLose({ id, isLost }: SpoiledDisk): boolean {
    // Nobody but the first server may know the cluster yet.
    if (isLost || (this.committed.lastIndex === 0 && this.options.bootstrap !== 'before'))
      return false
    return this.options.losable === 'all' || isWhole(this, id)
  }

  #configurationCommitted(configuration: Configuration): void {
    for (const { id } of membersOf(configuration)) this.wereMembers.add(id)
    for (const server of this.servers) server.configurationCommitted(configuration)
    const voters = votersOf(configuration).length
    const { servers: atFirst } = this.options
    if (voters >= 5 && atFirst < voters) this.marks.hit('a cluster grew to 5 voters or more')
    if (voters === 1 && atFirst > 1) this.marks.hit('a cluster shrank to 1 voter')
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
    this.stormEnd.abort()
    this.trace.tell('world', 'faults end')
    this.network.setFaults({ minDelayMs: 0.2, jitterMs: 0.5 })
    const addresses = this.servers.flatMap((server) => server.addresses)
    for (const from of addresses)
      for (const to of addresses) if (from !== to) this.network.setLinkFaults(from, to, undefined)
    for (const { disk } of this.servers) {
      disk.weather = FINE_WEATHER
      disk.isFull = false
      disk.release()
    }
  }
}
