// A disaster after the end of a run: most voters lose their disks for good, and the survivors are recovered by force.
import {
  type Configuration,
  type Index,
  messageOf,
  type SnapshotMeta,
  type StateMachine,
  type Term,
} from '@raftkit/interface'
import { getConfiguration, readConfigurationJson, type recoverCluster } from '@raftkit/raft-core'
import { CheckedMachine } from '../checks/checked-machine.ts'
import { hashOf } from '../checks/entry-tree.ts'
import { SimulatedSnapshotStore } from '../disk/simulated-snapshot-store.ts'
import { SimulatedStore } from '../disk/simulated-store.ts'
import type { Stream } from '../random/streams.ts'
import { Process } from '../server/process.ts'
import { ServerClock } from '../server/server-clock.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import { StoreWatch } from '../server/store-watch.ts'
import { drawSurvivors, isGiven, peersOf } from './survivors.ts'
import type { World } from './world.ts'

/** Share of recoveries that a crash is to cut short, when they take that long. */
const INTERRUPTED = 0.4

/**
 * The loss of a majority, and the way back. Everybody was at rest with everything before it, so nothing may be lost:
 * whatever a client was told holds afterwards, and all checks go on. A recovery from servers that lag may lose what only
 * others had, as `recoverCluster` warns; that would be no defect, and does not happen here.
 */
export class Disaster<M extends StateMachine<R>, R> {
  readonly #world: World<M, R>
  readonly #recoverCluster: typeof recoverCluster
  readonly #random: Stream
  readonly #survivors: readonly SimulatedServer<M, R>[]
  readonly #given: Configuration
  readonly #end: { readonly index: Index; readonly term: Term }
  /** State of the survivors' machines before. */
  #states: readonly string[] = []

  constructor(world: World<M, R>, recover: typeof recoverCluster) {
    this.#world = world
    this.#recoverCluster = recover
    this.#random = world.stream('disaster')
    const index = world.committed.lastIndex
    this.#end = { index, term: world.committed.termAt(index) ?? 0 }
    const servers = drawSurvivors(world, this.#random)
    this.#survivors = world.servers.filter(({ id }) => servers.some((one) => one.id === id))
    this.#given = this.#random.chance(0.5) ? readConfigurationJson(peersOf(servers)) : { servers }
  }

  /** Every server stops, and only the survivors keep their disks. False when they cannot be recovered without a loss. */
  async strike(): Promise<boolean> {
    const { servers, trace } = this.#world
    this.#states = await this.#statesNow()
    trace.tell('world', 'a disaster is survived by', ...this.#survivors.map(({ id }) => id))
    await Promise.all(
      servers.map(async (server) => {
        if (this.#random.chance(0.5)) await server.shutDown()
        server.crash('all servers end')
      }),
    )
    for (const server of servers) {
      if (this.#survivors.includes(server)) continue
      trace.tell(server.id, 'loses its disk for good')
      server.giveUp()
      server.disk.wipe()
    }
    const { index, term } = this.#end
    return this.#survivors.every(
      ({ disk: { image } }) => image.last.index === index && image.last.term === term,
    )
  }

  /** Forces the configuration on every survivor, and starts them. */
  async recover(): Promise<void> {
    const { members, marks } = this.#world
    for (const server of this.#survivors) {
      const cutMs = this.#random.chance(INTERRUPTED) ? this.#random.magnitude(0.2, 20) : undefined
      let meta = await this.#attempt(server, cutMs)
      if (meta === undefined) {
        marks.hit('a recovery was interrupted and run again')
        meta = await this.#attempt(server, undefined)
      }
      if (meta !== undefined) this.#checkSnapshot(server, meta)
    }
    const { index, term } = this.#end
    members.forced({ index, configuration: this.#given }, term)
    for (const server of this.#survivors) server.start()
  }

  /** The survivors have the configuration that they were given, and before anybody called again, the state of before. */
  async checkKept(): Promise<void> {
    const { violate, marks } = this.#world
    const states = await this.#statesNow()
    for (const [place, { id }] of this.#survivors.entries())
      if (states[place] !== this.#states[place])
        violate('acknowledged stays', `${id} has another state since it was recovered by force`)
    this.#checkConfigurations()
    marks.hit('a cluster was recovered by its survivors')
  }

  /** After new calls: the survivors have equal states, and the same configuration still. */
  async checkEqual(): Promise<void> {
    const [first, ...others] = await this.#statesNow()
    if (others.some((state) => state !== first))
      this.#world.violate(
        'state machine safety',
        'servers that were recovered by force differ in their states',
      )
    this.#checkConfigurations()
  }

  /** Undefined when it was cut short. */
  async #attempt(
    { id, disk }: SimulatedServer<M, R>,
    cutMs: number | undefined,
  ): Promise<SnapshotMeta | undefined> {
    const world = this.#world
    const { trace, time, violate, marks } = world
    const process = new Process()
    if (disk.open()) marks.hit('a torn last write was dropped')
    trace.tell(id, 'is recovered by force')
    const recovered = this.#run(id, disk, process).catch((error: unknown) => {
      violate('no server breaks', `${id} cannot be recovered by force: ${messageOf(error)}`)
      return undefined
    })
    let isOver = false
    if (cutMs !== undefined)
      time.after(cutMs, () => {
        if (isOver) return
        trace.tell(id, 'crashes in its recovery')
        process.die()
        disk.crash()
      })
    const meta = await Promise.race([recovered, process.died.then(() => undefined)])
    isOver = true
    if (meta !== undefined) trace.tell(id, 'was recovered up to', meta.index, 'term', meta.term)
    return meta
  }

  async #run(
    id: string,
    disk: SimulatedServer<M, R>['disk'],
    process: Process,
  ): Promise<SnapshotMeta> {
    const world = this.#world
    const { newMachine, violate, applied, check } = world
    const watch = new StoreWatch<R>(
      id,
      world,
      () => undefined,
      () => false,
    )
    const store = new SimulatedStore(disk, process, watch)
    const snapshotStore = new SimulatedSnapshotStore(
      disk,
      process,
      world.options.snapshotChunkBytes,
      (meta) => watch.onSnapshot(meta),
    )
    const machine = newMachine()
    const recovered = await this.#recoverCluster<R>({
      logStore: store,
      stableStore: store,
      snapshotStore,
      configuration: this.#given,
      // What the recovery waits for ends with its process.
      clock: new ServerClock({
        time: world.time,
        process,
        random: this.#random,
        rate: 1,
        onRun: () => {},
      }),
      stateMachine: new CheckedMachine<R>({
        id,
        machine,
        applied,
        violate,
        beforeApply: (entry) => world.onCommand(id, entry),
        check: check === undefined ? undefined : () => check(machine),
        fresh: newMachine,
      }),
    })
    const { index, configuration } = await getConfiguration({ logStore: store, snapshotStore })
    if (index !== recovered.configurationIndex || !isGiven(configuration, this.#given))
      violate(
        'no server breaks',
        `${id} holds another configuration than the given, as entry ${index}`,
      )
    return recovered
  }

  #checkSnapshot({ id }: SimulatedServer<M, R>, meta: SnapshotMeta): void {
    const { index, term } = this.#end
    const { violate } = this.#world
    if (meta.index !== index || meta.term !== term)
      violate(
        'acknowledged stays',
        `${id} was recovered up to entry ${meta.index} of term ${meta.term}; it had entry ${index} of term ${term}`,
      )
    if (meta.configurationIndex !== index || !isGiven(meta.configuration, this.#given))
      violate('no server breaks', `${id} was recovered with another configuration than the given`)
  }

  #checkConfigurations(): void {
    for (const { id, raft } of this.#survivors)
      if (raft === undefined || !isGiven(raft.configuration().configuration, this.#given))
        this.#world.violate(
          'no server breaks',
          `${id} does not have the configuration that was forced on it`,
        )
  }

  #statesNow(): Promise<readonly string[]> {
    return Promise.all(
      this.#survivors.map(async ({ run }) => (run === undefined ? 'none' : stateOf(run.machine))),
    )
  }
}

/** What a machine would put into a snapshot, in short. */
async function stateOf<R>(machine: StateMachine<R>): Promise<string> {
  const bytes: number[] = []
  const snapshot = await machine.snapshot()
  await snapshot.persist({
    write: async (chunk) => {
      for (const byte of chunk) bytes.push(byte)
    },
  })
  await snapshot.release?.()
  return `${bytes.length} bytes, ${hashOf(Uint8Array.from(bytes))}`
}
