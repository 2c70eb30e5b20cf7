import { RaftError } from '@raftkit/interface'
import type { Clock, Random, ServerAddress } from '@raftkit/interface'
import { DeliveryQueue } from './delivery-queue.ts'
import { Fabric } from './fabric.ts'
import type { MessageFilter } from './fabric.ts'
import { mergeFaults, NO_FAULTS } from './faults.ts'
import type { LinkFaults } from './faults.ts'
import { realClock, realRandom } from './real-clock.ts'
import { InmemTransport } from './transport.ts'
import type { InmemTransportOptions } from './transport.ts'

/** Options of {@link InmemNetwork}. */
export interface InmemNetworkOptions {
  /** Measures all delays. Default: real time. */
  readonly clock?: Clock
  /** Decides all chances. Default: the platform's randomness. */
  readonly random?: Random
  /** A source of its own for each directed link, so that traffic on one does not shift the others. */
  readonly randomOf?: (from: ServerAddress, to: ServerAddress) => Random
  /** Faults of every link to begin with. Default {@link NO_FAULTS}. */
  readonly faults?: Partial<LinkFaults>
  /** How long one end of a stream takes to notice that the other went away over a cut link, milliseconds. Default 5000. */
  readonly halfOpenMs?: number
  /** Options of every transport. */
  readonly defaults?: Omit<InmemTransportOptions, 'clock'>
}

/** One server or several. */
type Servers = ServerAddress | readonly ServerAddress[]

/**
 * A network inside one process, with faults to inject. Messages are copied, never shared, and delivered at the end
 * of a turn or later, never inside the sender's call. With a given clock and random source it is deterministic.
 */
export class InmemNetwork {
  readonly #fabric: Fabric
  readonly #clock: Clock
  readonly #defaults: Omit<InmemTransportOptions, 'clock'>

  constructor(options: InmemNetworkOptions = {}) {
    const random = options.random ?? realRandom
    this.#clock = options.clock ?? realClock
    this.#defaults = options.defaults ?? {}
    const halfOpenMs = options.halfOpenMs ?? 5000
    if (!(halfOpenMs >= 0))
      throw new RaftError('RAFT_INVALID_CONFIG', `halfOpenMs is ${halfOpenMs}; it must be >= 0`)
    this.#fabric = new Fabric({
      queue: new DeliveryQueue(this.#clock),
      randomOf: options.randomOf ?? (() => random),
      halfOpenMs,
    })
    if (options.faults) this.setFaults(options.faults)
  }

  /** Addresses of the transports that are open, in the order in which they were opened. */
  get addresses(): readonly ServerAddress[] {
    return [...this.#fabric.listeners.keys()]
  }

  /** Streams (pipelines and snapshots) of which one end is open at least. */
  get openStreams(): number {
    return this.#fabric.streams.size
  }

  /** Opens a transport. Throws `RAFT_LISTEN_FAILED` while another one has the address. */
  transport(address: ServerAddress, options: InmemTransportOptions = {}): InmemTransport {
    return new InmemTransport(this.#fabric, address, {
      clock: this.#clock,
      ...this.#defaults,
      ...options,
    })
  }

  /** Changes the faults of every link that has none of its own; what is left out goes back to none. */
  setFaults(faults: Partial<LinkFaults>): void {
    this.#fabric.defaults = mergeFaults(NO_FAULTS, faults)
  }

  /** Gives the link `from` → `to` faults of its own, on top of the general ones of now; `undefined` takes them away. */
  setLinkFaults(
    from: ServerAddress,
    to: ServerAddress,
    faults: Partial<LinkFaults> | undefined,
  ): void {
    const { defaults } = this.#fabric
    this.#fabric.link(from, to).faults = faults ? mergeFaults(defaults, faults) : defaults
  }

  /** Cuts both ways between each of `a` and each of `b`. What is under way is lost; streams stay half-open. */
  cut(a: Servers, b: Servers): void {
    this.#setCut(a, b, true)
    this.#setCut(b, a, true)
  }

  /** Cuts the way from each of `from` to each of `to`; the way back stays open. */
  cutOneWay(from: Servers, to: Servers): void {
    this.#setCut(from, to, true)
  }

  /** Splits the network: cuts between every two groups. Servers in no group keep reaching everyone. */
  partition(...groups: readonly (readonly ServerAddress[])[]): void {
    for (const [i, group] of groups.entries())
      for (const other of groups.slice(i + 1)) this.cut(group, other)
  }

  /** Cuts the server off from every other one that is open now or was ever reached. */
  isolate(address: ServerAddress): void {
    this.cut(address, this.#others(address))
  }

  /** Opens both ways between each of `a` and each of `b`; without `b` between `a` and everyone; or everything. */
  heal(a?: Servers, b?: Servers): void {
    if (a === undefined) {
      for (const link of this.#fabric.links()) link.cut = false
      return
    }
    const others = b ?? listOf(a).flatMap((address) => this.#others(address))
    this.#setCut(a, others, false)
    this.#setCut(others, a, false)
  }

  /** Opens the way from each of `from` to each of `to`. */
  healOneWay(from: Servers, to: Servers): void {
    this.#setCut(from, to, false)
  }

  /**
   * Breaks the streams (pipelines and snapshots) between `a` and `b`; all of `a` without `b`, all of the network
   * without both. Both ends learn of it at the end of this turn.
   */
  reset(a?: ServerAddress, b?: ServerAddress): void {
    for (const stream of this.#fabric.streams) {
      const ends = [stream.from, stream.to]
      if ((a === undefined || ends.includes(a)) && (b === undefined || ends.includes(b)))
        stream.reset()
    }
  }

  /** Shows every message to `filter` before it goes out, which may drop it. Returns what takes the filter away. */
  intercept(filter: MessageFilter): () => void {
    this.#fabric.filters.add(filter)
    return () => void this.#fabric.filters.delete(filter)
  }

  #setCut(from: Servers, to: Servers, cut: boolean): void {
    for (const a of listOf(from))
      for (const b of listOf(to)) if (a !== b) this.#fabric.link(a, b).cut = cut
  }

  #others(address: ServerAddress): ServerAddress[] {
    const known = new Set(this.#fabric.listeners.keys())
    for (const link of this.#fabric.links()) {
      known.add(link.from)
      known.add(link.to)
    }
    known.delete(address)
    return [...known]
  }
}

function listOf(servers: Servers): readonly ServerAddress[] {
  return typeof servers === 'string' ? [servers] : servers
}
