import type { RpcRequest, ServerId } from '@raftkit/interface'
import type { InmemNetwork, InmemTransport } from '@raftkit/transport-inmem'
import type { Stream } from '../random/streams.ts'
import type { VirtualTime } from '../time/virtual-time.ts'

/** The address from which old requests come. */
export const VAULT_ADDRESS = 'vault'

/** Mean time that a request is kept, milliseconds. */
const KEPT_MS = 3000

/**
 * Keeps some requests and sends them again much later, when nobody expects them. They come from an address of the vault
 * itself; who sent them first stands in their header. Their answers go nowhere.
 */
export class Vault {
  readonly #network: InmemNetwork
  readonly #time: VirtualTime
  readonly #random: Stream
  readonly #share: number
  readonly #onReplay: () => void
  #transport: InmemTransport | undefined

  /** `share` of all requests are kept. */
  constructor(
    network: InmemNetwork,
    time: VirtualTime,
    random: Stream,
    share: number,
    onReplay: () => void,
  ) {
    this.#onReplay = onReplay
    this.#network = network
    this.#time = time
    this.#random = random
    this.#share = share
  }

  /** A request left its sender. Snapshots cannot be sent again: their bytes are gone. */
  offer(to: ServerId, request: RpcRequest): void {
    if (!this.#random.chance(this.#share)) return
    if (request.type === 'install-snapshot' || request.type === 'timeout-now') return
    if (request.type === 'forward') return
    const peer = { id: to, address: to }
    const kept = request
    const times = this.#random.integer(1, 3)
    for (let time = 0; time < times; time++)
      this.#time.after(this.#random.exponential(KEPT_MS), () => {
        this.#onReplay()
        this.#transport ??= this.#network.transport(VAULT_ADDRESS, { timeoutMs: 1 })
        this.#transport.call(peer, kept).catch(() => {})
      })
  }
}
