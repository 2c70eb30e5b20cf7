import type { RpcRequest, ServerAddress, StateMachine } from '@raftkit/interface'
import type { Raft, RaftConfig, RaftOptions } from '@raftkit/raft-core'
import type { InmemTransport } from '@raftkit/transport-inmem'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { SimulatedSnapshotStore } from '../disk/simulated-snapshot-store.ts'
import { SimulatedStore } from '../disk/simulated-store.ts'
import { GatedTransport, type TransportObserver } from '../network/gated-transport.ts'
import type { Process } from './process.ts'
import type { RunChances, RunEvents, RunIdentity } from './run-parts.ts'
import type { ServerClock } from './server-clock.ts'
import { StoreWatch } from './store-watch.ts'
import type { Surroundings } from './surroundings.ts'

/** What one life of a server stands on. */
export interface GroundParts<M extends StateMachine<R>, R> {
  readonly identity: RunIdentity
  readonly config: RaftConfig
  readonly world: Surroundings<M, R>
  readonly disk: SimulatedDisk
  readonly process: Process
  readonly clock: ServerClock
  readonly events: RunEvents
  readonly chances: RunChances
}

/** The stores and the transport of one life of a server. */
export class Ground<M extends StateMachine<R>, R> {
  readonly #parts: GroundParts<M, R>
  #transport: GatedTransport | undefined

  constructor(parts: GroundParts<M, R>) {
    this.#parts = parts
  }

  /** `raft` gives the server once it runs. */
  openStores(
    raft: () => Raft<R> | undefined,
  ): Pick<RaftOptions<R>, 'logStore' | 'stableStore' | 'snapshotStore'> {
    const { identity, world, disk, process, events, chances } = this.#parts
    const { options, isStormy } = world
    const rotsNow = (): boolean =>
      isStormy() && chances.reads.chance(options.rotAtRead) && events.mayLoseDisk()
    const watch = new StoreWatch<R>(identity.id, world, raft, rotsNow)
    const store = new SimulatedStore(disk, process, watch)
    const snapshotStore = new SimulatedSnapshotStore(
      disk,
      process,
      options.snapshotChunkBytes,
      (meta) => watch.onSnapshot(meta),
    )
    return { logStore: store, stableStore: store, snapshotStore }
  }

  /** Listens at every address that leads to the server. */
  openTransport(observer: TransportObserver): GatedTransport {
    const { identity, process } = this.#parts
    const [own = identity.id, ...others] = identity.addresses
    this.#transport = new GatedTransport(this.#open(own), process, observer)
    for (const address of others) this.listenAt(address)
    return this.#transport
  }

  /** That address leads to this server too. */
  listenAt(address: ServerAddress): void {
    if (!this.#parts.process.isDead) this.#transport?.listenAt(this.#open(address))
  }

  /** The addresses are free again. */
  close(): void {
    void this.#transport?.close()
  }

  /** A request left: a snapshot may find its connection reset on the way. */
  sent(to: string, request: RpcRequest): void {
    const { identity, world, events, chances } = this.#parts
    events.onSent(to, request)
    const { options, network, time, isStormy, trace } = world
    if (request.type !== 'install-snapshot' || !isStormy()) return
    if (!chances.network.chance(options.snapshotResets)) return
    const { minDelayMs = 0, jitterMs = 0 } = options.network
    const chunks = 1 + request.size / options.snapshotChunkBytes
    time.after(minDelayMs + jitterMs + chances.network.between(0, chunks), () => {
      trace.tell('network', 'resets connections of', identity.id, 'and', to)
      network.reset(identity.addresses[0], to)
    })
  }

  #open(address: ServerAddress): InmemTransport {
    const { config, world, clock } = this.#parts
    const { rpcTimeoutMs, snapshotStallMs } = config
    return world.network.transport(address, {
      clock,
      timeoutMs: rpcTimeoutMs,
      snapshotTimeoutMs: snapshotStallMs * 3,
      pipelines: world.options.pipelines,
    })
  }
}
