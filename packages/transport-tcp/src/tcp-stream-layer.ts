import {
  RaftError,
  silentLogger,
  type Logger,
  type ServerAddress,
  type StreamConnection,
  type StreamLayer,
} from '@raftkit/interface'
import {
  listenAt,
  resolveListenAddress,
  secureContextOptions,
  type ListenAddress,
} from '@raftkit/transport-network'
import type { Server, Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { dial } from './dial.ts'
import { createListener, remoteOf } from './listener.ts'
import { checkTls } from './mutual-tls.ts'
import type { TcpStreamOptions, TcpTlsOptions } from './options.ts'
import { TcpConnection } from './tcp-connection.ts'

const LEAST_SEND_BUFFER_BYTES = 64 * 1024

/** TCP, or TLS over it, as a stream layer. */
export class TcpStreamLayer implements StreamLayer {
  readonly #options: TcpStreamOptions
  readonly #address: ListenAddress
  readonly #keepAliveMs: number
  readonly #sendBufferBytes: number
  readonly #logger: Logger
  readonly #sockets = new Set<Socket>()
  #localAddress: ServerAddress
  #tls: TcpTlsOptions | undefined
  #server: Server | undefined
  #closing: Promise<void> | undefined

  /** Throws `RAFT_INVALID_ADDRESS` or `RAFT_INVALID_CONFIG`. Nothing is opened yet. */
  constructor(options: TcpStreamOptions) {
    this.#options = options
    this.#address = resolveListenAddress(options.bind, options.advertise)
    this.#localAddress = this.#address.advertised(this.#address.port)
    this.#keepAliveMs = options.keepAliveMs ?? 15_000
    this.#sendBufferBytes = options.sendBufferBytes ?? 1024 * 1024
    this.#logger = options.logger ?? silentLogger
    if (!(this.#sendBufferBytes >= LEAST_SEND_BUFFER_BYTES))
      throw new RaftError(
        'RAFT_INVALID_CONFIG',
        `sendBufferBytes must be at least ${LEAST_SEND_BUFFER_BYTES}, not ${options.sendBufferBytes}`,
      )
    this.#tls = options.tls
    if (options.tls !== undefined) checkTls(options.tls)
  }

  get localAddress(): ServerAddress {
    return this.#localAddress
  }

  async listen(onConnection: (connection: StreamConnection) => void): Promise<void> {
    if (this.#closing !== undefined) throw closedError()
    const server = createListener({
      tls: this.#tls,
      logger: this.#logger,
      track: (socket) => this.#track(socket),
      untrack: (socket) => this.#sockets.delete(socket),
      onConnection: (socket) => onConnection(this.#connection(socket, remoteOf(socket))),
    })
    this.#server = server
    const { bind, backlog = 511 } = this.#options
    await listenAt(server, this.#address, { bind, backlog })
    const bound = server.address()
    if (typeof bound === 'object' && bound !== null)
      this.#localAddress = this.#address.advertised(bound.port)
    // After it listens, a server's error (for example too many open files) passes with its cause.
    server.on('error', (error) =>
      this.#logger.error({ err: error, bind }, 'cannot accept connections'),
    )
  }

  async dial(
    address: ServerAddress,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<StreamConnection> {
    if (this.#closing !== undefined) throw closedError()
    const socket = await dial(address, {
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      tls: this.#tls,
      onSocket: (opened) => this.#track(opened),
    })
    return this.#connection(socket, address)
  }

  /**
   * Uses another certificate, key or authority from the next connection on, without a restart; those that are open
   * stay. `handshakeTimeoutMs`, `maxHandshakes` and `authorizePeer` of accepted connections stay as they were.
   * Throws `RAFT_INVALID_CONFIG`, and changes nothing, when they do not fit or the layer was made without TLS.
   */
  reloadTls(tls: TcpTlsOptions): void {
    if (this.#tls === undefined)
      throw new RaftError(
        'RAFT_INVALID_CONFIG',
        'the stream layer was made without tls: make a new one to change from plain TCP to TLS',
      )
    checkTls(tls)
    this.#tls = tls
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(secureContextOptions(tls))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #close(): Promise<void> {
    const server = this.#server
    const closed = new Promise<void>((resolve) => {
      if (server?.listening === true) server.close(() => resolve())
      else resolve()
    })
    for (const socket of this.#sockets) socket.destroy()
    return closed
  }

  #track(socket: Socket): void {
    if (this.#closing !== undefined) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #connection(socket: Socket, remoteAddress: string): TcpConnection {
    return new TcpConnection(socket, remoteAddress, {
      keepAliveMs: this.#keepAliveMs,
      sendBufferBytes: this.#sendBufferBytes,
    })
  }
}

function closedError(): RaftError {
  return new RaftError('RAFT_TRANSPORT_CLOSED', 'the stream layer is closed; make a new one')
}
