// A stream layer inside one process whose bytes, writes and faults a test can see and steer.
import {
  RaftError,
  type ServerAddress,
  type StreamConnection,
  type StreamEvents,
  type StreamLayer,
} from '@raftkit/interface'

/** One end of a connection. */
export class MemoryConnection implements StreamConnection {
  /** Every write, as its chunks. */
  readonly writes: Uint8Array[][] = []
  /** Bytes above which the other end is not writable. */
  bufferBytes = 64 * 1024
  /** While true nothing is delivered to this end, as if the network stood still. */
  held = false
  /** Times that it was paused. */
  pauses = 0
  paused = false
  destroyed = false
  readonly remoteAddress: string
  #other!: MemoryConnection
  #events: StreamEvents | undefined
  #inbox: Uint8Array[] = []
  #inboxBytes = 0
  #closing: { error?: Error } | undefined
  #closed = false
  #scheduled = false
  #drainWaiters: (() => void)[] = []

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress
  }

  static pair(dialler: string, listener: string): [MemoryConnection, MemoryConnection] {
    const near = new MemoryConnection(listener)
    const far = new MemoryConnection(dialler)
    near.#other = far
    far.#other = near
    return [near, far]
  }

  /** Bytes sent by the other end and not yet taken by this one. */
  get inboxBytes(): number {
    return this.#inboxBytes
  }

  /** The end that this one is connected to. */
  get other(): MemoryConnection {
    return this.#other
  }

  start(events: StreamEvents): void {
    if (this.#events !== undefined) throw new Error('started twice')
    this.#events = events
    this.#schedule()
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.destroyed || this.#closing !== undefined) return true
    this.writes.push([...chunks])
    this.#other.#receive(chunks)
    return this.#hasRoom
  }

  drained(): Promise<void> {
    if (this.#hasRoom || this.destroyed || this.#closed) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  pause(): void {
    this.paused = true
    this.pauses += 1
  }

  resume(): void {
    this.paused = false
    this.#schedule()
  }

  destroy(error?: Error): void {
    if (this.destroyed) return
    this.destroyed = true
    this.#inbox = []
    this.#close(error === undefined ? {} : { error })
    this.#other.#close({})
  }

  /** Breaks the connection as a lost network would: both ends learn of it with an error. */
  break(error: Error): void {
    this.#close({ error })
    this.#other.#close({ error })
  }

  /** Lets what was held back through. */
  release(): void {
    this.held = false
    this.#schedule()
  }

  get #hasRoom(): boolean {
    return this.#other.#inboxBytes < this.bufferBytes
  }

  #receive(chunks: readonly Uint8Array[]): void {
    if (this.destroyed) return
    for (const chunk of chunks) {
      this.#inbox.push(chunk)
      this.#inboxBytes += chunk.byteLength
    }
    this.#schedule()
  }

  #close(closing: { error?: Error }): void {
    this.#closing ??= closing
    this.#wake()
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const events = this.#events
    if (events === undefined || this.#closed) return
    while (!this.held && !this.paused && !this.destroyed && this.#inbox.length > 0) {
      const chunk = this.#inbox.shift()!
      this.#inboxBytes -= chunk.byteLength
      this.#other.#wake()
      events.onData(chunk)
    }
    if (this.#closing === undefined || (this.#inbox.length > 0 && !this.destroyed)) return
    this.#closed = true
    events.onClose(this.#closing.error)
  }

  #wake(): void {
    if (!this.#hasRoom && this.#closing === undefined) return
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }
}

/** What a test can see and steer of one address. */
export class MemoryLayer implements StreamLayer {
  readonly localAddress: ServerAddress
  /** Connections that this layer dialled. */
  readonly dialled: MemoryConnection[] = []
  /** Connections that this layer accepted. */
  readonly accepted: MemoryConnection[] = []
  /** Times that a dial began. */
  dials = 0
  /** What happens to a dial before it connects: may throw, or never return. */
  onDial: (address: ServerAddress, signal: AbortSignal | undefined) => Promise<void> =
    async () => {}
  /** Bytes above which a connection that is dialled from now on is not writable. */
  bufferBytes = 64 * 1024
  /** Whether nothing is delivered to a connection that is accepted from now on. */
  holds = false
  /** Whether a dial stops when its signal is aborted. */
  heedsSignals = true
  closed = false
  readonly #network: MemoryNetwork
  #onConnection: ((connection: StreamConnection) => void) | undefined

  constructor(network: MemoryNetwork, address: ServerAddress) {
    this.#network = network
    this.localAddress = address
  }

  async listen(onConnection: (connection: StreamConnection) => void): Promise<void> {
    if (this.closed) throw closedError()
    if (this.#network.layers.has(this.localAddress))
      throw new RaftError('RAFT_LISTEN_FAILED', `${this.localAddress} is taken`)
    this.#network.layers.set(this.localAddress, this)
    this.#onConnection = onConnection
  }

  async dial(
    address: ServerAddress,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<StreamConnection> {
    if (this.closed) throw closedError()
    options.signal?.throwIfAborted()
    this.dials += 1
    await this.onDial(address, options.signal)
    // As over a real network, a connection takes a turn of the event loop to be made.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.heedsSignals) options.signal?.throwIfAborted()
    if (this.closed) throw closedError()
    const target = this.#network.layers.get(address)
    if (target === undefined)
      throw new RaftError('RAFT_DIAL_FAILED', `nobody listens on ${address}`, { retryable: true })
    const [near, far] = MemoryConnection.pair(this.localAddress, address)
    near.bufferBytes = this.bufferBytes
    far.held = target.holds
    this.dialled.push(near)
    target.accepted.push(far)
    setImmediate(() => target.#onConnection?.(far))
    return near
  }

  async close(): Promise<void> {
    this.closed = true
    this.#network.layers.delete(this.localAddress)
    for (const connection of [...this.dialled, ...this.accepted]) connection.destroy()
  }
}

function closedError(): RaftError {
  return new RaftError('RAFT_TRANSPORT_CLOSED', 'the layer is closed')
}

/** The addresses that know each other. */
export class MemoryNetwork {
  readonly layers = new Map<ServerAddress, MemoryLayer>()

  layer(address: ServerAddress): MemoryLayer {
    return new MemoryLayer(this, address)
  }
}
