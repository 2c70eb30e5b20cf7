import { RaftError } from '@raftkit/interface'
import type {
  AppendPipeline,
  CallOptions,
  CallType,
  Clock,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  Peer,
  RequestOf,
  ResponseOf,
  RpcHandler,
  RpcRequest,
  RpcResponse,
  ServerAddress,
  Transport,
} from '@raftkit/interface'
import { DatagramPipeline } from './datagram-pipeline.ts'
import { Exchange } from './exchange.ts'
import type { Fabric } from './fabric.ts'
import { Pending, remoteError, transportClosed } from './pending.ts'
import { StreamPipeline } from './pipeline.ts'
import type { PipelineLimits } from './pipeline.ts'
import { ServedStream } from './served-stream.ts'
import { answerOf, ServedContext } from './serving.ts'
import type { Answer } from './serving.ts'
import { SnapshotSender } from './snapshot-sender.ts'
import type { ServerEnd } from './stream.ts'

/** Options of one transport. */
export interface InmemTransportOptions {
  /** Measures this server's deadlines. Default: the network's clock. */
  readonly clock?: Clock
  /** How long to wait for the answer of a call, a pipelined send or an opening, milliseconds. Default 1000. */
  readonly timeoutMs?: number
  /** How long a whole snapshot may take, milliseconds. Default 60 000. */
  readonly snapshotTimeoutMs?: number
  /** Bytes that a pipeline or snapshot may have under way before it waits. Default 1 MiB. */
  readonly maxBufferedBytes?: number
  /** Unanswered sends of one pipeline; more reject with `RAFT_OVERLOADED`. Default 1024. */
  readonly maxPipelinedSends?: number
  /**
   * `stream`: a pipeline is a connection that keeps order; losing a message breaks it. `datagram`: every send is
   * on its own, may be lost, doubled or overtaken, and times out alone. Default `stream`.
   */
  readonly pipelines?: 'stream' | 'datagram'
}

interface Settings extends PipelineLimits {
  readonly clock: Clock
  readonly snapshotTimeoutMs: number
  readonly pipelines: 'stream' | 'datagram'
}

/** What a transport must end when it closes. */
interface Open {
  readonly end: (error: RaftError) => void
}

/** One server's end of an {@link InmemNetwork}, which makes it. Closed, its address is free for another. */
export class InmemTransport implements Transport {
  readonly localAddress: ServerAddress
  readonly #fabric: Fabric
  readonly #settings: Settings
  readonly #open = new Set<Open>()
  #handler: RpcHandler | undefined
  #closed = false

  /** Made by {@link InmemNetwork.transport}. */
  constructor(
    fabric: Fabric,
    address: ServerAddress,
    options: InmemTransportOptions & { readonly clock: Clock },
  ) {
    this.localAddress = address
    this.#fabric = fabric
    this.#settings = {
      clock: options.clock,
      timeoutMs: options.timeoutMs ?? 1000,
      snapshotTimeoutMs: options.snapshotTimeoutMs ?? 60_000,
      maxBufferedBytes: options.maxBufferedBytes ?? 1024 * 1024,
      maxPipelinedSends: options.maxPipelinedSends ?? 1024,
      pipelines: options.pipelines ?? 'stream',
    }
    for (const [name, value] of Object.entries(this.#settings))
      if (typeof value === 'number' && !(value > 0))
        throw new RaftError('RAFT_INVALID_CONFIG', `${name} is ${value}; it must be above 0`)
    fabric.listen(address, {
      serve: (request, from, reply) => this.#serve(request, from, reply),
      accept: (end, from) => this.#accept(end, from),
    })
  }

  setHandler(handler: RpcHandler): void {
    this.#handler = handler
  }

  async call<T extends CallType>(
    peer: Peer,
    request: RequestOf<T>,
    options: CallOptions = {},
  ): Promise<ResponseOf<T>> {
    this.#check(options)
    return this.#exchange<T>(peer, request, options).promise
  }

  async installSnapshot(
    peer: Peer,
    request: InstallSnapshotRequest,
    state: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<InstallSnapshotResponse> {
    this.#check(options)
    let sender: SnapshotSender | undefined
    const pending = this.#pending<InstallSnapshotResponse>(
      `answer from ${peer.address} to install-snapshot`,
      { timeoutMs: this.#settings.snapshotTimeoutMs, ...options },
      () => sender?.stop(),
    )
    this.#fabric.dial(this.localAddress, peer.address, pending, (end) => {
      const windowBytes = this.#settings.maxBufferedBytes
      const dropped = !this.#passes(peer.address, 'request', request)
      sender = new SnapshotSender({ end, request, state, pending, windowBytes, dropped })
    })
    return pending.promise
  }

  async openPipeline(peer: Peer, options: CallOptions = {}): Promise<AppendPipeline> {
    this.#check(options)
    if (this.#settings.pipelines === 'datagram') return this.#datagramPipeline(peer)
    const pending = this.#pending<AppendPipeline>(`pipeline to ${peer.address}`, options, () => {})
    this.#fabric.dial(this.localAddress, peer.address, pending, (end) => {
      let open: Open | undefined
      const pipeline = new StreamPipeline({
        end,
        clock: this.#settings.clock,
        limits: this.#settings,
        passes: (request) => this.#passes(peer.address, 'request', request),
        onClosed: () => open && this.#open.delete(open),
      })
      open = { end: (error) => pipeline.shut(error) }
      this.#open.add(open)
      pending.succeed(pipeline)
    })
    return pending.promise
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#fabric.listeners.delete(this.localAddress)
    const error = transportClosed(this.localAddress)
    for (const open of this.#open) open.end(error)
    this.#open.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #check(options: CallOptions): void {
    if (this.#closed) throw transportClosed(this.localAddress)
    options.signal?.throwIfAborted()
  }

  /** Sends a call; settled by its answer, or by whatever ends the wait for it. */
  #exchange<T extends CallType>(
    peer: Peer,
    request: RpcRequest,
    options: CallOptions,
  ): Pending<ResponseOf<T>> {
    let exchange: Exchange | undefined
    const pending = this.#pending<ResponseOf<T>>(
      `answer from ${peer.address} to ${request.type}`,
      options,
      (gaveUp) => gaveUp && exchange?.abandon(),
    )
    exchange = new Exchange(this.#fabric, this.localAddress, peer.address, request, {
      onAnswer: (answer) => {
        if ('error' in answer) pending.fail(remoteError(peer.address, answer.error))
        else pending.succeed(answer.response as ResponseOf<T>)
      },
      onError: (error) => pending.fail(error),
    })
    return pending
  }

  /** A promise that settles when the transport closes, whatever else happens. */
  #pending<T>(
    what: string,
    options: CallOptions,
    onSettled: (gaveUp: boolean) => unknown,
  ): Pending<T> {
    const open: Open = { end: (error) => pending.giveUp(error) }
    const pending = new Pending<T>({
      clock: this.#settings.clock,
      what,
      timeoutMs: options.timeoutMs ?? this.#settings.timeoutMs,
      signal: options.signal,
      onSettled: (gaveUp) => {
        this.#open.delete(open)
        onSettled(gaveUp)
      },
    })
    this.#open.add(open)
    return pending
  }

  #datagramPipeline(peer: Peer): AppendPipeline {
    const pipeline = new DatagramPipeline({
      peer: peer.address,
      limits: this.#settings,
      call: (request) => this.#exchange<'append-entries'>(peer, request, {}),
      onClosed: () => this.#open.delete(open),
    })
    const open: Open = { end: (error) => pipeline.shut(error) }
    this.#open.add(open)
    return pipeline
  }

  #serve(
    request: RpcRequest,
    from: ServerAddress,
    reply: (answer: Answer | 'lost') => void,
  ): ServedContext {
    const context = new ServedContext(from)
    const open: Open = {
      end: () => {
        context.abort()
        reply('lost')
      },
    }
    this.#open.add(open)
    void answerOf(this.#handler, request, context).then((answer) => {
      if (this.#open.delete(open)) reply(answer)
    })
    return context
  }

  #accept(end: ServerEnd, from: ServerAddress): void {
    let open: Open | undefined
    const stream = new ServedStream({
      end,
      from,
      handler: () => this.#handler,
      passes: (answer) =>
        !('response' in answer) || this.#passes(from, 'response', answer.response),
      onClosed: () => open && this.#open.delete(open),
    })
    open = { end: (error) => stream.close(error) }
    this.#open.add(open)
  }

  #passes(
    to: ServerAddress,
    kind: 'request' | 'response',
    message: RpcRequest | RpcResponse,
  ): boolean {
    return this.#fabric.passes({ from: this.localAddress, to, kind, message })
  }
}
