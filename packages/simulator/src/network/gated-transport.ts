import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  AppendPipeline,
  CallOptions,
  CallType,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  Peer,
  RequestOf,
  ResponseOf,
  RpcContext,
  RpcHandler,
  RpcRequest,
  RpcResponse,
  ServerAddress,
  Transport,
} from '@raftkit/interface'
import type { Process } from '../server/process.ts'

/** Told of what passes a {@link GatedTransport}. */
export interface TransportObserver {
  /** A request is about to leave. */
  onRequest(to: Peer, request: RpcRequest): void
  /** A request has come, and the process runs. False when it is lost after all. */
  onArrival(request: RpcRequest): boolean
  /** An answer is about to leave. */
  onResponse(request: RpcRequest, response: RpcResponse): void
  /** The answer to one of this process's requests has come. */
  onAnswer(request: RpcRequest, response: RpcResponse): void
  /** The connection broke after a part of a snapshot had come. */
  onBrokenSnapshot(): void
}

/** A process's end of the network: while the process is paused nothing passes, and nothing any more once it is dead. */
export class GatedTransport implements Transport {
  readonly localAddress: ServerAddress
  readonly #transport: Transport
  readonly #process: Process
  readonly #observer: TransportObserver
  /** Other addresses that lead to this process. */
  readonly #others: Transport[] = []
  #handler: RpcHandler | undefined

  constructor(transport: Transport, process: Process, observer: TransportObserver) {
    this.localAddress = transport.localAddress
    this.#transport = transport
    this.#process = process
    this.#observer = observer
  }

  setHandler(handler: RpcHandler): void {
    this.#handler = (request, context) => this.#receive(handler, request, context)
    for (const transport of [this.#transport, ...this.#others]) transport.setHandler(this.#handler)
  }

  /** What comes to the other transport comes to this process too. */
  listenAt(other: Transport): void {
    this.#others.push(other)
    if (this.#handler !== undefined) other.setHandler(this.#handler)
  }

  call<T extends CallType>(
    peer: Peer,
    request: RequestOf<T>,
    options?: CallOptions,
  ): Promise<ResponseOf<T>> {
    return this.#out(peer, request, () => this.#transport.call<T>(peer, request, options))
  }

  installSnapshot(
    peer: Peer,
    request: InstallSnapshotRequest,
    state: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<InstallSnapshotResponse> {
    return this.#out(peer, request, () =>
      this.#transport.installSnapshot(peer, request, state, options),
    )
  }

  async openPipeline(peer: Peer, options?: CallOptions): Promise<AppendPipeline> {
    const pipeline = await this.#out(peer, undefined, () =>
      this.#transport.openPipeline(peer, options),
    )
    return {
      send: (request: AppendEntriesRequest): Promise<AppendEntriesResponse> =>
        this.#out(peer, request, () => pipeline.send(request)),
      get writable() {
        return pipeline.writable
      },
      get closed() {
        return pipeline.closed
      },
      close: () => this.#process.run('output', () => pipeline.close()),
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#transport, ...this.#others].map((transport) => transport.close()))
  }

  #receive(handler: RpcHandler, request: RpcRequest, context: RpcContext): Promise<RpcResponse> {
    const process = this.#process
    return new Promise<RpcResponse>((resolve, reject) => {
      if (process.isPaused && request.type === 'append-entries') process.heartbeatsWaiting++
      process.run('input', () => {
        if (!this.#observer.onArrival(request)) return
        this.#handle(handler, request, context).then(
          (response) =>
            process.run('output', () => {
              this.#observer.onResponse(request, response)
              resolve(response)
            }),
          (error: unknown) => process.run('output', () => reject(error)),
        )
      })
    })
  }

  #out<R extends RpcResponse | AppendPipeline>(
    peer: Peer,
    request: RpcRequest | undefined,
    send: () => Promise<R>,
  ): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#process.run('output', () => {
        if (request !== undefined) this.#observer.onRequest(peer, request)
        // The last thing that the process did was to decide to send it.
        if (this.#process.isDead) return void send().catch(() => {})
        this.#process.pass(send()).then((answer) => {
          if (request !== undefined && 'type' in answer) this.#observer.onAnswer(request, answer)
          resolve(answer)
        }, reject)
      })
    })
  }

  async #handle(
    handler: RpcHandler,
    request: RpcRequest,
    context: RpcContext,
  ): Promise<RpcResponse> {
    const { snapshot, remote } = context
    if (snapshot === undefined) return handler(request, context)
    const gated = {
      remote,
      get signal() {
        return context.signal
      },
      snapshot: gatedChunks(snapshot, this.#process, () => this.#observer.onBrokenSnapshot()),
    }
    return handler(request, gated)
  }
}

async function* gatedChunks(
  chunks: AsyncIterable<Uint8Array>,
  process: Process,
  onBroken: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]()
  let hasBegun = false
  try {
    for (;;) {
      const next = await process.pass(iterator.next())
      if (next.done) return
      hasBegun = true
      yield next.value
    }
  } catch (error) {
    if (hasBegun) onBroken()
    throw error
  } finally {
    await iterator.return?.()
  }
}
