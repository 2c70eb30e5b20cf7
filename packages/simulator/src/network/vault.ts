import type { RpcRequest, ServerId } from '@raftkit/interface'
import type { InmemNetwork, InmemTransport } from '@raftkit/transport-inmem'
import type { Stream } from '../random/streams.ts'
import type { VirtualTime } from '../time/virtual-time.ts'

/** The address from which old requests come. */
export const VAULT_ADDRESS = 'vault'

/** Mean time that a request is kept, milliseconds. */
const KEPT_MS = 3000

/** What a {@link Vault} works with. */
export interface VaultParts {
  readonly network: InmemNetwork
  readonly time: VirtualTime
  readonly random: Stream
  /** Share of requests that are kept. */
  readonly share: number
  /** What is forwarded may be kept too: servers know a repeated one. */
  readonly mayRepeatForwards: boolean
  readonly onReplay: () => void
}

/**
 * Keeps some requests and sends them again much later, when nobody expects them. They come from an address of the vault
 * itself; who sent them first stands in their header. Their answers go nowhere.
 */
export class Vault {
  readonly #parts: VaultParts
  #transport: InmemTransport | undefined

  constructor(parts: VaultParts) {
    this.#parts = parts
  }

  /** A request left its sender. Snapshots cannot be sent again: their bytes are gone. */
  offer(to: ServerId, request: RpcRequest): void {
    const { network, time, random, share, mayRepeatForwards, onReplay } = this.#parts
    if (!random.chance(share)) return
    if (request.type === 'install-snapshot' || request.type === 'timeout-now') return
    if (request.type === 'forward' && !mayRepeatForwards) return
    const peer = { id: to, address: to }
    const kept = request
    const times = random.integer(1, 3)
    for (let turn = 0; turn < times; turn++)
      time.after(random.exponential(KEPT_MS), () => {
        onReplay()
        this.#transport ??= network.transport(VAULT_ADDRESS, { timeoutMs: 1 })
        this.#transport.call(peer, kept).catch(() => {})
      })
  }
}
