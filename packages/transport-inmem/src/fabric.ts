import { RaftError } from '@raftkit/interface'
import type { Random, RpcRequest, RpcResponse, ServerAddress } from '@raftkit/interface'
import type { DeliveryQueue } from './delivery-queue.ts'
import { NO_FAULTS } from './faults.ts'
import type { LinkFaults } from './faults.ts'
import { Link } from './link.ts'
import { connectionLost, dialFailed } from './pending.ts'
import type { Answer, ServedContext } from './serving.ts'
import { Stream } from './stream.ts'
import type { ClientEnd, ServerEnd } from './stream.ts'

/** What a dial and its answer count as, bytes. */
const HANDSHAKE_BYTES = 64

/** A message about to go out, as a {@link MessageFilter} sees it. */
export interface NetworkMessage {
  readonly from: ServerAddress
  readonly to: ServerAddress
  readonly kind: 'request' | 'response'
  /** Must not be changed. */
  readonly message: RpcRequest | RpcResponse
}

/** Looks at every message when it is sent; `'drop'` loses it. In a stream, that wedges the stream. Must not throw. */
export type MessageFilter = (message: NetworkMessage) => 'drop' | void

/** What the network needs of the transport at an address. */
export interface Listener {
  /** Takes a call; `reply` is called at most once, `'lost'` when the transport was closed meanwhile. */
  serve(
    request: RpcRequest,
    from: ServerAddress,
    reply: (answer: Answer | 'lost') => void,
  ): ServedContext
  /** Takes one end of a new stream. */
  accept(end: ServerEnd, from: ServerAddress): void
}

/** Who waits for a stream to open. */
export interface Dialling {
  readonly settled: boolean
  fail(error: Error): void
}

/** How a {@link Fabric} behaves. */
export interface FabricOptions {
  readonly queue: DeliveryQueue
  readonly randomOf: (from: ServerAddress, to: ServerAddress) => Random
  readonly halfOpenMs: number
}

/** The insides of a network: the links, who listens where, the streams that are open. */
export class Fabric {
  readonly queue: DeliveryQueue
  readonly halfOpenMs: number
  readonly filters: Set<MessageFilter> = new Set()
  readonly streams: Set<Stream> = new Set()
  readonly listeners: Map<ServerAddress, Listener> = new Map()
  readonly #randomOf: FabricOptions['randomOf']
  readonly #links = new Map<ServerAddress, Map<ServerAddress, Link>>()
  #defaults: LinkFaults = NO_FAULTS

  constructor(options: FabricOptions) {
    this.queue = options.queue
    this.halfOpenMs = options.halfOpenMs
    this.#randomOf = options.randomOf
  }

  /** Faults of links that have none of their own. */
  get defaults(): LinkFaults {
    return this.#defaults
  }

  set defaults(faults: LinkFaults) {
    for (const link of this.links()) if (link.faults === this.#defaults) link.faults = faults
    this.#defaults = faults
  }

  /** The link, made when it is first asked for. */
  link(from: ServerAddress, to: ServerAddress): Link {
    let row = this.#links.get(from)
    if (!row) this.#links.set(from, (row = new Map<ServerAddress, Link>()))
    let link = row.get(to)
    if (!link) {
      link = new Link(from, to, this.queue, this.#randomOf(from, to), this.#defaults)
      row.set(to, link)
    }
    return link
  }

  /** Every link that was ever used or changed. */
  *links(): Generator<Link, void, undefined> {
    for (const row of this.#links.values()) yield* row.values()
  }

  /** False when a filter drops the message. */
  passes(message: NetworkMessage): boolean {
    let passes = true
    for (const filter of this.filters) if (filter(message) === 'drop') passes = false
    return passes
  }

  listen(address: ServerAddress, listener: Listener): void {
    if (this.listeners.has(address))
      throw new RaftError(
        'RAFT_LISTEN_FAILED',
        `the address ${address} is taken; close the transport that has it first`,
        { details: { address } },
      )
    this.listeners.set(address, listener)
  }

  /** Opens a stream: one message there, one back. `opened` runs at the caller's side, unless it no longer waits. */
  dial(
    from: ServerAddress,
    to: ServerAddress,
    pending: Dialling,
    opened: (end: ClientEnd) => void,
  ): void {
    this.link(from, to).datagram(HANDSHAKE_BYTES, () => () => {
      const back = this.link(to, from)
      const listener = this.listeners.get(to)
      if (!listener) {
        back.datagram(HANDSHAKE_BYTES, () => () => pending.fail(dialFailed(to)))
        return
      }
      const stream = new Stream(this, from, to)
      listener.accept(stream.server, from)
      let taken = false
      const hand = (): void => {
        if (taken) return
        taken = true
        if (pending.settled) stream.client.close()
        else if (stream.client.closed) pending.fail(connectionLost(to))
        else opened(stream.client)
      }
      // Nobody else would ever end a stream whose caller did not hear of it.
      const forget = (): void =>
        this.queue.schedule(this.queue.now() + this.halfOpenMs, () => {
          if (!taken) stream.client.close()
        })
      back.datagram(HANDSHAKE_BYTES, () => hand, forget)
    })
  }
}
