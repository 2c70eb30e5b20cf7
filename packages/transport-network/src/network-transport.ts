import {
  RaftError,
  type AppendPipeline,
  type CallOptions,
  type CallType,
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
  type Metrics,
  type Peer,
  type RequestOf,
  type ResponseOf,
  type RpcHandler,
  type RpcType,
  type ServerAddress,
  type Transport,
} from '@raftkit/interface'
import { encodeRequest } from '@raftkit/wire'
import { CallGuard } from './outbound/call-guard.ts'
import { ConnectionPool } from './outbound/connection-pool.ts'
import { Dialler } from './outbound/dialler.ts'
import { ForwardLanes } from './outbound/forward-lanes.ts'
import { InboundConnections } from './inbound/inbound-connections.ts'
import { NetworkMeter } from './metrics/network-meter.ts'
import {
  checkTimeout,
  resolveOptions,
  type NetworkTransportOptions,
  type ResolvedOptions,
} from './options.ts'
import type { OutboundConnection, Reply } from './outbound/outbound-connection.ts'
import { NetworkPipeline } from './outbound/pipeline.ts'
import { responseOf } from './outbound/rpc-outcome.ts'
import { RpcSupport } from './outbound/rpc-support.ts'
import { sendSnapshot } from './outbound/snapshot-sender.ts'

/** Counts of a transport's connections. */
export interface NetworkTransportStats {
  /** Accepted and open. */
  readonly inboundConnections: number
  /** Dialled and open, the idle ones too. */
  readonly outboundConnections: number
  /** Dialled and waiting in the pool. */
  readonly idleConnections: number
}

/**
 * hashicorp/raft's NetworkTransport over any stream layer, byte for byte. A call takes a connection from the
 * pool, a pipeline or a snapshot has one of its own, so that none of them waits for another.
 */
export class NetworkTransport implements Transport {
  readonly #options: ResolvedOptions
  readonly #dialler: Dialler
  readonly #pool: ConnectionPool
  readonly #inbound: InboundConnections
  readonly #forwards: ForwardLanes
  readonly #support: RpcSupport
  readonly #meter: NetworkMeter | undefined
  #closing: Promise<void> | undefined

  private constructor(options: ResolvedOptions, metrics: Metrics | undefined) {
    this.#options = options
    this.#dialler = new Dialler(options)
    this.#pool = new ConnectionPool(options.maxPool, options.idleTimeoutMs, options.clock)
    this.#support = new RpcSupport(options.clock)
    const { clock, logger } = options
    const counts = {
      inbound: () => this.#inbound.size,
      outbound: () => this.#dialler.connections,
      idle: () => this.#pool.size,
    }
    this.#meter = metrics && new NetworkMeter(metrics, clock, logger, counts)
    this.#inbound = new InboundConnections(options, this.#meter, (header) =>
      this.#support.heard(header),
    )
    this.#forwards = new ForwardLanes({
      connect: (address) => this.#connectLane(address),
      release: (connection) => this.#pool.give(connection),
      explain: (connection, error) => this.#support.explain('forward', connection, error),
      maxInflight: options.maxForwardInflight,
    })
  }

  /**
   * Listens and resolves when others can connect. Rejects with `RAFT_LISTEN_FAILED` or, for options that make
   * no sense, `RAFT_INVALID_CONFIG`; the stream layer is then closed.
   */
  static async open(options: NetworkTransportOptions): Promise<NetworkTransport> {
    try {
      const transport = new NetworkTransport(resolveOptions(options), options.metrics)
      await options.stream.listen((connection) => transport.#inbound.accept(connection))
      return transport
    } catch (error) {
      await options.stream.close()
      throw error
    }
  }

  get localAddress(): ServerAddress {
    return this.#options.stream.localAddress
  }

  setHandler(handler: RpcHandler): void {
    this.#inbound.handler = handler
  }

  /** Counts of connections, for metrics. */
  stats(): NetworkTransportStats {
    return {
      inboundConnections: this.#inbound.size,
      outboundConnections: this.#dialler.connections,
      idleConnections: this.#pool.size,
    }
  }

  async call<T extends CallType>(
    peer: Peer,
    request: RequestOf<T>,
    options?: CallOptions,
  ): Promise<ResponseOf<T>>
  async call(
    peer: Peer,
    request: RequestOf<CallType>,
    options: CallOptions = {},
  ): Promise<ResponseOf<CallType>> {
    const { type } = request
    const guard = this.#guard(type, peer, options)
    try {
      const chunks = encodeRequest(request)
      const reply = await (type === 'forward'
        ? this.#forwards.send(peer.address, chunks, guard)
        : this.#exchange(type, peer.address, chunks, guard))
      this.#support.answered(type, peer.address, reply)
      return responseOf(type, peer.address, reply)
    } finally {
      guard.end()
    }
  }

  async installSnapshot(
    peer: Peer,
    request: InstallSnapshotRequest,
    state: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<InstallSnapshotResponse> {
    const guard = this.#guard(request.type, peer, options)
    try {
      const connection = await this.#dialler.dial(peer.address, guard)
      const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs
      return await sendSnapshot(connection, request, state, guard, timeoutMs, this.#options.limits)
    } finally {
      guard.end()
    }
  }

  async openPipeline(peer: Peer, options: CallOptions = {}): Promise<AppendPipeline> {
    const guard = this.#guard('append-entries', peer, options)
    try {
      const connection = await this.#dialler.dial(peer.address, guard)
      const { maxPipelineInflight, timeoutMs, clock } = this.#options
      return new NetworkPipeline(connection, maxPipelineInflight, timeoutMs, clock)
    } finally {
      guard.end()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const reason = closedError()
    this.#meter?.close()
    this.#inbound.close(reason)
    this.#dialler.close(reason)
    this.#pool.close()
    await this.#options.stream.close()
  }

  #guard(type: RpcType, { address }: Peer, { signal, timeoutMs }: CallOptions): CallGuard {
    if (this.#closing !== undefined) throw closedError()
    signal?.throwIfAborted()
    const limitMs = checkTimeout(timeoutMs ?? this.#options.timeoutMs)
    return new CallGuard(this.#options.clock, limitMs, signal, () =>
      timeoutError(type, address, limitMs),
    )
  }

  async #exchange(
    type: RpcType,
    address: ServerAddress,
    chunks: readonly Uint8Array[],
    guard: CallGuard,
  ): Promise<Reply> {
    const connection = await this.#connect(type, address, guard)
    try {
      const reply = await connection.request(type, chunks)
      this.#pool.give(connection)
      return reply
    } catch (error) {
      // The other connections may be as dead, and would cost the next calls their time one after the other.
      if (RaftError.is(error, 'RAFT_RPC_TIMEOUT')) this.#pool.drop(address)
      throw this.#support.explain(type, connection, error)
    }
  }

  async #connect(
    type: RpcType,
    address: ServerAddress,
    guard: CallGuard,
  ): Promise<OutboundConnection> {
    const pooled = this.#support.isKnown(type, address) ? this.#pool.take(address) : undefined
    if (pooled === undefined) return this.#dialler.dial(address, guard)
    guard.watch((reason) => pooled.fail(reason))
    return pooled
  }

  async #connectLane(address: ServerAddress): Promise<OutboundConnection> {
    const { clock, dialTimeoutMs } = this.#options
    // For a stream layer that does not keep to the limit. No request is sent yet, so this is no RAFT_RPC_TIMEOUT.
    const guard = new CallGuard(
      clock,
      dialTimeoutMs,
      undefined,
      () =>
        new RaftError(
          'RAFT_DIAL_FAILED',
          `cannot connect to ${address}: no connection within ${dialTimeoutMs} ms`,
          { retryable: true, details: { address } },
        ),
    )
    try {
      return await this.#connect('forward', address, guard)
    } finally {
      guard.end()
    }
  }
}

function timeoutError(type: RpcType, address: ServerAddress, timeoutMs: number): RaftError {
  return new RaftError(
    'RAFT_RPC_TIMEOUT',
    `${address} did not answer ${type} in time (timeoutMs ${timeoutMs}); it may still carry it out`,
    { retryable: true, details: { address, type, timeoutMs } },
  )
}

function closedError(): RaftError {
  return new RaftError('RAFT_TRANSPORT_CLOSED', 'the transport is closed; open a new one')
}
