import { messageOf, type Logger } from '@raftkit/interface'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { isAuthorized, secureContextOptions } from './mutual-tls.ts'
import type { TcpTlsOptions } from './options.ts'

/** What a listener needs to know. */
export interface ListenerOptions {
  readonly keepAliveMs: number
  readonly tls: TcpTlsOptions | undefined
  readonly logger: Logger
  /** Every accepted socket, before any handshake. */
  readonly onSocket: (socket: Socket) => void
  /** A socket that is ready for requests. */
  readonly onConnection: (socket: Socket) => void
}

/** A server that does not listen yet. */
export function createListener(options: ListenerOptions): Server {
  const { tls, keepAliveMs, onSocket, onConnection } = options
  const common = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }
  if (tls !== undefined) return createTlsListener(tls, common, options)
  return createServer(common, (socket) => {
    onSocket(socket)
    onConnection(socket)
  })
}

function createTlsListener(tls: TcpTlsOptions, common: object, options: ListenerOptions): Server {
  const { logger, onSocket, onConnection } = options
  const maxHandshakes = tls.maxHandshakes ?? 256
  const shaking = new Map<string, Socket>()
  const server = createTlsServer({
    ...common,
    ...secureContextOptions(tls),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: tls.handshakeTimeoutMs ?? 5_000,
  })
  server.on('connection', (socket: Socket) => {
    onSocket(socket)
    const key = portsOf(socket)
    shaking.set(key, socket)
    socket.once('close', () => shaking.delete(key))
    if (shaking.size > maxHandshakes) shaking.values().next().value?.destroy()
  })
  server.on('secureConnection', (socket) => {
    shaking.delete(portsOf(socket))
    const remote = `${socket.remoteAddress}:${socket.remotePort}`
    if (isAuthorized(tls, socket, remote)) {
      onSocket(socket)
      onConnection(socket)
      return
    }
    logger.warn({ remote }, `closed the connection from ${remote}: authorizePeer refused it`)
    socket.destroy()
  })
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    shaking.delete(portsOf(socket))
    const remote = `${socket.remoteAddress}:${socket.remotePort}`
    logger.warn(
      { remote, err: error },
      `closed the connection from ${remote}: no TLS handshake: ${messageOf(error)}`,
    )
    socket.destroy()
  })
  return server
}

/** What a socket and the TLS socket on top of it have in common. */
function portsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}
