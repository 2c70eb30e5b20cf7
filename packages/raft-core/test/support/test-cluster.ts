// Whole servers on an in-memory network, in-memory stores and virtual time.
import { Raft, bootstrapCluster, type RaftConfig, type RaftOptions } from '@raftkit/raft-core'
import type { Configuration, Suffrage, Transport } from '@raftkit/interface'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { InmemNetwork } from '@raftkit/transport-inmem'
import { ControlledStore } from './controlled-store.ts'
import { MemoryLogger } from './memory-logger.ts'
import { seededRandom } from './seeded-random.ts'
import { StallableClock } from './stallable-clock.ts'
import { TextMachine } from './text-machine.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Short times, so that virtual seconds hold many elections. */
const FAST: Partial<RaftConfig> = {
  heartbeatTimeoutMs: 100,
  electionTimeoutMs: 100,
  leaderLeaseTimeoutMs: 80,
  commitTimeoutMs: 5,
  storageStallMs: 400,
  maxLeaderStallMs: 100,
  // One entry less at the start; disk-identity.test.ts looks at disks.
  verifyDisks: false,
}

export interface ClusterOptions {
  readonly ids?: readonly string[]
  readonly seed?: number
  readonly config?: Partial<RaftConfig>
  readonly suffrage?: Readonly<Record<string, Suffrage>>
  /** Members that are not started. */
  readonly absent?: readonly string[]
  readonly options?: Partial<RaftOptions<string>>
  /** Wraps the transport of a server. */
  readonly transport?: (transport: Transport) => Transport
}

/** One server of the cluster; its stores outlive it. */
export interface Member {
  readonly id: string
  raft: Raft<string>
  machine: TextMachine
  clock: StallableClock
  logger: MemoryLogger
  data: InmemStore
  store: ControlledStore
  snapshots: InmemSnapshotStore
}

export class TestCluster {
  readonly clock: VirtualClock
  readonly network: InmemNetwork
  readonly members: Member[] = []
  readonly configuration: Configuration
  readonly #options: ClusterOptions
  readonly #random: ReturnType<typeof seededRandom>

  private constructor(options: ClusterOptions) {
    const { ids = ['a', 'b', 'c'], seed = 1, suffrage = {} } = options
    this.#options = options
    this.clock = new VirtualClock()
    this.#random = seededRandom(seed)
    this.network = new InmemNetwork({ clock: this.clock, random: this.#random })
    this.configuration = {
      servers: ids.map((id) => ({ suffrage: suffrage[id] ?? 'voter', id, address: id })),
    }
  }

  /** Starts a cluster of new servers. */
  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options)
    for (const { id } of cluster.configuration.servers)
      if (!options.absent?.includes(id)) await cluster.add(id)
    return cluster
  }

  /** Starts a server; with `bootstrap` false it knows of no cluster. */
  async add(id: string, bootstrap = true): Promise<Member> {
    const data = new InmemStore()
    const snapshots = new InmemSnapshotStore()
    if (bootstrap)
      await bootstrapCluster({
        logStore: data,
        stableStore: data,
        snapshotStore: snapshots,
        configuration: this.configuration,
      })
    const member = await this.#start(id, data, snapshots)
    this.members.push(member)
    return member
  }

  /** Ends a server as `kill -9` does, and starts it again from its stores. */
  async restart(member: Member, config: Partial<RaftConfig> = {}): Promise<void> {
    await this.kill(member)
    Object.assign(
      member,
      await this.#start(member.id, member.data.reopen(), member.snapshots.reopen(), config),
    )
  }

  /** Ends a server and starts it with empty stores: its disk was lost. With `bootstrap`, as if it were new. */
  async wipe(member: Member, bootstrap: boolean): Promise<void> {
    await this.kill(member)
    this.members.splice(this.members.indexOf(member), 1)
    Object.assign(member, await this.add(member.id, bootstrap))
    this.members.splice(-1, 1, member)
  }

  /** Ends a server; its stores stay. */
  async kill(member: Member): Promise<void> {
    member.clock.resume()
    await this.clock.wait(member.raft.shutdown())
  }

  member(id: string): Member {
    const found = this.members.find((member) => member.id === id)
    if (found === undefined) throw new Error(`there is no ${id}`)
    return found
  }

  /** Lets time pass until exactly one server leads the highest term and is ready; returns it. */
  leader(among: readonly Member[] = this.members): Promise<Member> {
    return this.clock.until(() => {
      const leaders = among.filter(({ raft }) => raft.state === 'leader')
      const newest = leaders.toSorted((a, b) => b.raft.currentTerm - a.raft.currentTerm)[0]
      if (newest === undefined) return undefined
      const { term, lastLogTerm, appliedIndex, lastLogIndex } = newest.raft.stats()
      return lastLogTerm === term && appliedIndex === lastLogIndex ? newest : undefined
    })
  }

  /** The servers that are not `member`. */
  others(...members: readonly Member[]): Member[] {
    return this.members.filter((other) => !members.includes(other))
  }

  /** Lets time pass until every state machine holds the same as the leader's, and it ends with `last`. */
  async converged(last: string, among: readonly Member[] = this.members): Promise<void> {
    await this.clock.until(() => among.every(({ machine }) => machine.texts.at(-1) === last))
    const [first] = among
    for (const { machine } of among)
      if (JSON.stringify(machine.texts) !== JSON.stringify(first!.machine.texts))
        throw new Error('state machines differ')
  }

  /** Ends every server. */
  async stop(): Promise<void> {
    for (const member of this.members) await this.kill(member)
  }

  async #start(
    id: string,
    data: InmemStore,
    snapshots: InmemSnapshotStore,
    config: Partial<RaftConfig> = {},
  ): Promise<Member> {
    const machine = new TextMachine()
    const store = new ControlledStore(data)
    const clock = new StallableClock(this.clock)
    const logger = new MemoryLogger()
    const transport = this.network.transport(id, { clock })
    const starting = Raft.start<string>({
      id,
      stateMachine: machine,
      logStore: store,
      stableStore: store,
      snapshotStore: snapshots,
      transport: this.#options.transport?.(transport) ?? transport,
      clock,
      random: this.#random,
      logger,
      ...this.#options.options,
      config: { ...FAST, ...this.#options.config, ...config },
    })
    // Only a replay takes turns of the event loop.
    const isReplaying = { ...this.#options.config, ...config }.restoreCommittedLogs === true
    const raft = await (isReplaying ? this.clock.wait(starting) : starting)
    return { id, raft, machine, clock, logger, data, store, snapshots }
  }
}
