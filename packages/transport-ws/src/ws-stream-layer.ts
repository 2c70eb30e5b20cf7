import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  RaftError,
  type ServerAddress,
  type StreamConnection,
  type StreamLayer,
} from '@raftkit/interface'
import {
  formatAddress,
  listenAt,
  parseAddress,
  resolveListenAddress,
  type ListenAddress,
} from '@raftkit/transport-network'
import { WebSocketServer, type WebSocket } from 'ws'
import { dial } from './dial.ts'
import { Handshakes } from './handshakes.ts'
import { resolveWsOptions, type ResolvedWsOptions, type WsStreamOptions } from './options.ts'
import { createOwnServer } from './own-server.ts'
import { pathOf, refusalOf, refuse, SUBPROTOCOL, type Refusal } from './upgrade.ts'
import { WsConnection } from './ws-connection.ts'

/** Frames that are masked go fastest while their bytes stay in the processor's nearest cache. */
const MASKED_FRAME_BYTES = 16 * 1024
const PLAIN_FRAME_BYTES = 64 * 1024

/** WebSocket, on a port of its own or attached to an HTTP server, as a stream layer. */
export class WsStreamLayer implements StreamLayer {
  readonly #options: ResolvedWsOptions
  /** Where to listen on a port of its own. */
  readonly #address: ListenAddress | undefined
  readonly #attachedTo: HttpServer | HttpsServer | undefined
  readonly #handshakes: Handshakes
  readonly #upgrader: WebSocketServer
  /** Every socket that is ours to end. */
  readonly #sockets = new Set<Socket>()
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    this.#upgrade(request, socket, head)
  #server: HttpServer | HttpsServer | undefined
  #onConnection: (connection: StreamConnection) => void = (connection) => connection.destroy()
  #localAddress: ServerAddress
  #closing: Promise<void> | undefined

  /** Throws `RAFT_INVALID_ADDRESS` or `RAFT_INVALID_CONFIG`. Nothing is opened yet. */
  constructor(options: WsStreamOptions) {
    this.#options = resolveWsOptions(options)
    this.#attachedTo = options.server
    const { bind, advertise } = options
    if (bind === undefined) {
      this.#localAddress = checkAdvertised(advertise ?? '')
    } else {
      this.#address = resolveListenAddress(bind, advertise)
      this.#localAddress = this.#address.advertised(this.#address.port)
    }
    const { handshakeTimeoutMs, maxHandshakes, maxMessageBytes } = this.#options
    this.#handshakes = new Handshakes(handshakeTimeoutMs, maxHandshakes)
    this.#upgrader = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: maxMessageBytes,
      handleProtocols: () => SUBPROTOCOL,
    })
  }

  get localAddress(): ServerAddress {
    return this.#localAddress
  }

  async listen(onConnection: (connection: StreamConnection) => void): Promise<void> {
    if (this.#closing !== undefined) throw closedError()
    this.#onConnection = onConnection
    const server =
      this.#attachedTo ??
      createOwnServer(this.#options, {
        onSocket: (socket) => this.#track(socket),
        onSecureSocket: (socket) => this.#trackInstead(socket),
        handshakes: this.#handshakes,
      })
    this.#server = server
    server.on('upgrade', this.#onUpgrade)
    if (this.#address === undefined) return
    const { host, port } = this.#address
    const { backlog } = this.#options
    await listenAt(server, this.#address, { bind: formatAddress(host, port), backlog })
    const bound = server.address()
    if (typeof bound === 'object' && bound !== null)
      this.#localAddress = this.#address.advertised(bound.port)
    // After it listens, a server's error (for example too many open files) passes with its cause.
    server.on('error', (error) =>
      this.#options.logger.error(
        { err: error, address: this.#localAddress },
        'cannot accept connections',
      ),
    )
  }

  async dial(
    address: ServerAddress,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<StreamConnection> {
    if (this.#closing !== undefined) throw closedError()
    const { ws, socket } = await dial(address, {
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      layer: this.#options,
      onSocket: (opened) => this.#track(opened),
    })
    const frameBytes = this.#options.mask ? MASKED_FRAME_BYTES : PLAIN_FRAME_BYTES
    return this.#connection(ws, socket, address, frameBytes)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const server = this.#server
    server?.off('upgrade', this.#onUpgrade)
    const gone = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    )
    for (const socket of this.#sockets) socket.destroy()
    if (this.#address !== undefined && server?.listening === true)
      gone.push(new Promise((resolve) => server.close(() => resolve())))
    await Promise.all(gone)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (pathOf(request) !== this.#options.path) {
      this.#leaveToOthers(socket)
      return
    }
    const refusal =
      socket instanceof Socket
        ? refusalOf(request, this.#options)
        : { status: 400, reason: 'this kind of connection cannot carry a WebSocket' }
    if (refusal !== undefined || !(socket instanceof Socket)) {
      if (refusal !== undefined) this.#refuse(socket, request, refusal)
      return
    }
    this.#track(socket)
    this.#upgrader.handleUpgrade(request, socket, head, (ws) => {
      this.#handshakes.end(socket)
      this.#onConnection(this.#connection(ws, socket, remoteOf(socket), PLAIN_FRAME_BYTES))
    })
  }

  /** On a server that we are attached to, others may wait for upgrades on other paths. */
  #leaveToOthers(socket: Duplex): void {
    if ((this.#server?.listenerCount('upgrade') ?? 0) > 1) return
    refuse(socket, { status: 404, reason: 'no WebSocket is served at this path' })
  }

  #refuse(socket: Duplex, request: IncomingMessage, refusal: Refusal): void {
    const remote = request.socket.remoteAddress ?? 'unknown'
    this.#options.logger.warn(
      { remote, status: refusal.status, origin: request.headers.origin },
      `refused a connection from ${remote}: ${refusal.reason}`,
    )
    refuse(socket, refusal)
  }

  #track(socket: Socket): void {
    if (this.#closing !== undefined) {
      socket.destroy()
      return
    }
    if (this.#sockets.has(socket)) return
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Node 20 crashes when a socket and the TLS socket on top of it are destroyed in one turn: keep the upper one. */
  #trackInstead(secure: Socket): void {
    for (const below of this.#sockets)
      if (below.remotePort === secure.remotePort && below.remoteAddress === secure.remoteAddress)
        this.#sockets.delete(below)
    this.#track(secure)
  }

  #connection(ws: WebSocket, socket: Socket, remote: string, frameBytes: number): WsConnection {
    return new WsConnection(ws, socket, remote, {
      ...this.#options,
      frameBytes,
      onViolation: (error) =>
        this.#options.logger.warn(
          { remote, err: error },
          `closed the connection with ${remote}: ${error.message}`,
        ),
    })
  }
}

/** The advertised address of a server that somebody else makes listen. */
function checkAdvertised(advertise: string): ServerAddress {
  const { port } = parseAddress(advertise)
  return resolveListenAddress(`localhost:${port === 0 ? 1 : port}`, advertise).advertised(port)
}

function remoteOf(socket: Socket): string {
  return formatAddress(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0)
}

function closedError(): RaftError {
  return new RaftError('RAFT_TRANSPORT_CLOSED', 'the stream layer is closed; make a new one')
}
