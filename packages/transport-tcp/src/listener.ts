import { messageOf, type Logger } from '@raftkit/interface'
import { formatAddress, secureContextOptions } from '@raftkit/transport-network'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { isAuthorized } from './mutual-tls.ts'
import type { TcpTlsOptions } from './options.ts'

/** Milliseconds. Node's own default is two minutes. */
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 5_000
const DEFAULT_MAX_HANDSHAKES = 256

/** What a listener needs to know. */
export interface ListenerOptions {
  readonly tls: TcpTlsOptions | undefined
  readonly logger: Logger
  /** Every socket that has to be ended when the listener is closed. */
  readonly track: (socket: Socket) => void
  /** The socket is in the hands of another one, which is tracked. */
  readonly untrack: (socket: Socket) => void
  /** A socket that is ready for requests. */
  readonly onConnection: (socket: Socket) => void
}

/** A server that does not listen yet. */
export function createListener(options: ListenerOptions): Server {
  const { tls, track, onConnection } = options
  if (tls !== undefined) return createTlsListener(tls, options)
  return createServer((socket) => {
    track(socket)
    onConnection(socket)
  })
}

function createTlsListener(tls: TcpTlsOptions, options: ListenerOptions): Server {
  const { logger, track, onConnection } = options
  const server = createTlsServer({
    ...secureContextOptions(tls),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: tls.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
  })
  const handshakes = new Handshakes(tls.maxHandshakes ?? DEFAULT_MAX_HANDSHAKES, options)
  server.on('connection', (socket: Socket) => handshakes.begin(socket))
  server.on('secureConnection', (socket) => {
    handshakes.end(socket)
    track(socket)
    const remote = remoteOf(socket)
    if (isAuthorized(tls, socket, remote)) {
      onConnection(socket)
      return
    }
    logger.warn({ remote }, `closed the connection from ${remote}: authorizePeer refused it`)
    socket.destroy()
  })
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const remote = remoteOf(socket)
    logger.warn(
      { remote, err: error },
      `closed the connection from ${remote}: no TLS handshake: ${messageOf(error)}`,
    )
    socket.destroy()
  })
  return server
}

/** Accepted sockets whose handshake is not done. */
class Handshakes {
  readonly #most: number
  readonly #options: ListenerOptions
  readonly #sockets = new Map<string, Socket>()

  constructor(most: number, options: ListenerOptions) {
    this.#most = most
    this.#options = options
  }

  begin(socket: Socket): void {
    this.#options.track(socket)
    const remote = remoteOf(socket)
    this.#sockets.set(remote, socket)
    socket.once('close', () => {
      if (this.#sockets.get(remote) === socket) this.#sockets.delete(remote)
    })
    if (this.#sockets.size <= this.#most) return
    const [oldest] = this.#sockets.values()
    oldest?.destroy()
  }

  /**
   * The TLS socket on top takes over. From here on nobody may touch the socket below: to destroy both in one turn
   * crashes Node 20.
   */
  end(secured: Socket): void {
    const remote = remoteOf(secured)
    const socket = this.#sockets.get(remote)
    if (socket === undefined) return
    this.#sockets.delete(remote)
    this.#options.untrack(socket)
  }
}

/** Where a socket comes from; that of a TLS socket and of the one below it are the same. */
export function remoteOf(socket: Socket): string {
  return formatAddress(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0)
}
