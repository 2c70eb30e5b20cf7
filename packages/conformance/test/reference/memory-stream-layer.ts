// A stream layer as plain as can be, inside one process: what the suite holds true.

import { RaftError } from '@raftkit/interface'
import type { StreamConnection, StreamEvents, StreamLayer } from '@raftkit/interface'

/** Who listens where. */
export type Ports = Map<string, MemoryStreamLayer>

const HIGH_WATER_BYTES = 256 * 1024

export class MemoryStreamLayer implements StreamLayer {
  readonly localAddress: string
  readonly ports: Ports
  readonly connections: MemoryConnection[] = []
  onConnection: ((connection: StreamConnection) => void) | undefined
  closed = false

  constructor(ports: Ports, address: string) {
    this.ports = ports
    this.localAddress = address
  }

  async listen(onConnection: (connection: StreamConnection) => void): Promise<void> {
    if (this.closed) throw new RaftError('RAFT_TRANSPORT_CLOSED', 'closed')
    if (this.ports.has(this.localAddress))
      throw new RaftError('RAFT_LISTEN_FAILED', `${this.localAddress} is taken`)
    this.onConnection = onConnection
    this.ports.set(this.localAddress, this)
  }

  async dial(
    address: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<StreamConnection> {
    await turn()
    options.signal?.throwIfAborted()
    if (this.closed) throw new RaftError('RAFT_TRANSPORT_CLOSED', 'closed')
    const target = this.ports.get(address)
    if (!target) throw new RaftError('RAFT_DIAL_FAILED', `nobody at ${address}`)
    const [here, there] = [new MemoryConnection(), new MemoryConnection()]
    here.other = there
    there.other = here
    this.connections.push(here)
    target.connections.push(there)
    target.onConnection?.(there)
    return here
  }

  async close(): Promise<void> {
    this.closed = true
    if (this.ports.get(this.localAddress) === this) this.ports.delete(this.localAddress)
    for (const connection of this.connections) connection.destroy()
  }
}

/** One end: holds what the other end has written and this one has not delivered. */
export class MemoryConnection implements StreamConnection {
  readonly remoteAddress = 'memory'
  other: MemoryConnection | undefined
  events: StreamEvents | undefined
  inbox: Uint8Array[] = []
  paused = false
  gone = false
  waiters: (() => void)[] = []

  start(events: StreamEvents): void {
    this.events = events
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.gone || !this.other) return true
    this.other.inbox.push(...chunks.filter((chunk) => chunk.length > 0))
    void this.other.deliver()
    return this.hasRoom
  }

  async drained(): Promise<void> {
    while (!this.gone && !this.hasRoom)
      await new Promise<void>((resolve) => this.waiters.push(resolve))
  }

  get hasRoom(): boolean {
    let held = 0
    for (const chunk of this.other?.inbox ?? []) held += chunk.length
    return held < HIGH_WATER_BYTES
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    void this.deliver()
  }

  destroy(error?: Error): void {
    this.end(error)
    this.other?.end()
  }

  /** This end is gone: tells its owner, once. */
  end(error?: Error): void {
    if (this.gone) return
    this.gone = true
    this.wake()
    void turn().then(() => this.events?.onClose(error))
  }

  /** Hands over what is there, later and unless paused. */
  async deliver(): Promise<void> {
    await turn()
    while (!this.paused && !this.gone && this.inbox.length > 0) {
      this.events?.onData(this.inbox.shift()!)
      this.other?.wake()
    }
  }

  wake(): void {
    for (const resolve of this.waiters.splice(0)) resolve()
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
