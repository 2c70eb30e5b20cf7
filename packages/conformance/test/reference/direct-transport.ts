// A transport as plain as can be, inside one process: what the suite holds true.

import { messageOf, RaftError } from '@raftkit/interface'
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
  Transport,
} from '@raftkit/interface'

/** Who listens where. */
export type Hub = Map<string, DirectTransport>

const WINDOW = 16

export class DirectTransport implements Transport {
  readonly localAddress: string
  readonly hub: Hub
  readonly pipelines: DirectPipeline[] = []
  handler: RpcHandler | undefined
  readonly closing = new Ending()
  /** Every request that it sends comes twice. */
  doubles = false
  /** Bytes of entries in a request that it takes. */
  maxRequestBytes = Infinity

  constructor(hub: Hub, address: string) {
    this.hub = hub
    this.localAddress = address
    hub.set(address, this)
  }

  setHandler(handler: RpcHandler): void {
    this.handler = handler
  }

  async call<T extends CallType>(
    peer: Peer,
    request: RequestOf<T>,
    options: CallOptions = {},
  ): Promise<ResponseOf<T>> {
    return (await this.exchange(peer, request, options)) as ResponseOf<T>
  }

  async installSnapshot(
    peer: Peer,
    request: InstallSnapshotRequest,
    state: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<InstallSnapshotResponse> {
    const source = state[Symbol.asyncIterator]()
    const over = new AbortController()
    let failure: Error | undefined
    const snapshot = exactly(source, request.size, over.signal, (error) => {
      failure = error
    })
    try {
      const response = await this.exchange(peer, request, options, snapshot)
      if (failure) throw failure
      return response as InstallSnapshotResponse
    } catch (error) {
      throw failure ?? error
    } finally {
      over.abort()
      void source.return?.()
    }
  }

  async openPipeline(peer: Peer, options: CallOptions = {}): Promise<AppendPipeline> {
    this.targetOf(peer)
    options.signal?.throwIfAborted()
    const pipeline = new DirectPipeline(this, peer)
    this.pipelines.push(pipeline)
    return pipeline
  }

  async close(): Promise<void> {
    if (this.closing.reason) return
    this.hub.delete(this.localAddress)
    this.closing.end(new RaftError('RAFT_TRANSPORT_CLOSED', 'closed'))
    for (const pipeline of this.pipelines) pipeline.close()
    for (const other of this.hub.values())
      for (const pipeline of other.pipelines)
        if (pipeline.peer.address === this.localAddress) pipeline.close()
  }

  /** The transport at the peer's address. */
  targetOf(peer: Peer): DirectTransport {
    if (this.closing.reason) throw this.closing.reason
    const target = this.hub.get(peer.address)
    if (!target) throw new RaftError('RAFT_DIAL_FAILED', `nobody at ${peer.address}`)
    return target
  }

  /** One request, one answer; rejects when anything ends that it depends on. */
  async exchange(
    peer: Peer,
    request: RpcRequest,
    options: CallOptions,
    snapshot?: AsyncIterable<Uint8Array>,
    pipeline?: Ending,
  ): Promise<RpcResponse> {
    const target = this.targetOf(peer)
    const { signal, timeoutMs = 10_000 } = options
    signal?.throwIfAborted()
    const gone = new AbortController()
    const context = {
      remote: this.localAddress,
      signal: gone.signal,
      ...(snapshot && { snapshot }),
    }
    return new Promise((resolve, reject) => {
      const fail = (reason: unknown): void => {
        leave()
        reject(reason)
      }
      const onAbort = (): void => fail(signal?.reason)
      const onPeerClosed = (): void => fail(new RaftError('RAFT_CONNECTION_LOST', 'peer closed'))
      const timer = setTimeout(() => fail(new RaftError('RAFT_RPC_TIMEOUT', 'late')), timeoutMs)
      const leave = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        for (const ending of [this.closing, pipeline]) ending?.waiting.delete(fail)
        target.closing.waiting.delete(onPeerClosed)
        gone.abort()
      }
      signal?.addEventListener('abort', onAbort)
      for (const ending of [this.closing, pipeline]) ending?.waiting.add(fail)
      target.closing.waiting.add(onPeerClosed)
      if (this.doubles && !snapshot) answerOf(target, request, context).catch(() => {})
      answerOf(target, { ...request, header: { ...request.header } }, context).then((answer) => {
        leave()
        resolve(answer)
      }, fail)
    })
  }
}

/** The end of something, and who must be told. */
export class Ending {
  readonly waiting: Set<(reason: Error) => void> = new Set()
  reason: Error | undefined

  end(reason: Error): void {
    this.reason ??= reason
    for (const tell of this.waiting) tell(this.reason)
  }
}

/** Sends one after the other, and settles in that order. */
export class DirectPipeline implements AppendPipeline {
  readonly transport: DirectTransport
  readonly peer: Peer
  readonly ending = new Ending()
  #before: Promise<unknown> = Promise.resolve()
  #outstanding = 0

  constructor(transport: DirectTransport, peer: Peer) {
    this.transport = transport
    this.peer = peer
  }

  get closed(): boolean {
    return this.ending.reason !== undefined
  }

  get writable(): boolean {
    return !this.closed && this.#outstanding < WINDOW
  }

  async send(request: AppendEntriesRequest): Promise<AppendEntriesResponse> {
    if (this.ending.reason) throw this.ending.reason
    this.#outstanding++
    const before = this.#before
    const answer = this.transport.exchange(this.peer, request, {}, undefined, this.ending)
    this.#before = Promise.allSettled([before, answer])
    try {
      await Promise.allSettled([before, answer])
      return (await answer) as AppendEntriesResponse
    } finally {
      this.#outstanding--
    }
  }

  close(): void {
    this.ending.end(new RaftError('RAFT_PIPELINE_CLOSED', 'closed'))
  }
}

export function sizeOf(request: RpcRequest): number {
  if (request.type !== 'append-entries') return 0
  return (request.entries ?? []).reduce((sum, batch) => sum + batch.byteLength, 0)
}

async function answerOf(
  target: DirectTransport,
  request: RpcRequest,
  context: RpcContext,
): Promise<RpcResponse> {
  try {
    if (!target.handler) throw new Error('no handler')
    if (sizeOf(request) + 300 > target.maxRequestBytes) throw new Error('the request is too large')
    return await target.handler(request, context)
  } catch (error) {
    throw new RaftError('RAFT_REMOTE_ERROR', messageOf(error), { cause: error })
  }
}

/** Exactly `size` bytes of the source, pulled by the reader. */
async function* exactly(
  source: AsyncIterator<Uint8Array>,
  size: number,
  over: AbortSignal,
  onFailure: (error: Error) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const fail = (text: string, cause?: unknown): RaftError => {
    const error = new RaftError('RAFT_SNAPSHOT_FAILED', text, { cause })
    onFailure(error)
    return error
  }
  let given = 0
  for (;;) {
    let next: IteratorResult<Uint8Array, unknown>
    try {
      if (over.aborted) throw new RaftError('RAFT_CONNECTION_LOST', 'the sender is gone')
      next = await source.next()
    } catch (error) {
      throw fail('the source failed', error)
    }
    if (next.done) break
    given += next.value.length
    if (given > size) throw fail('too long')
    yield next.value
  }
  if (given < size) throw fail('too short')
}
