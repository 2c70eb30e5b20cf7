import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { messageOf } from '@raftkit/interface'
import {
  formatAddress,
  secureContextOptions,
  unreadableCredentials,
} from '@raftkit/transport-network'
import type { Handshakes } from './handshakes.ts'
import type { ResolvedWsOptions } from './options.ts'
import { refuse } from './upgrade.ts'

/** What the server tells. */
export interface OwnServerHooks {
  /** Every accepted socket. */
  readonly onSocket: (socket: Socket) => void
  /** Every TLS socket: it stands for the accepted one below it from now on. */
  readonly onSecureSocket: (socket: Socket) => void
  readonly handshakes: Handshakes
}

/** An HTTP or HTTPS server that serves nothing but upgrades. It does not listen yet. Throws `RAFT_INVALID_CONFIG`. */
export function createOwnServer(options: ResolvedWsOptions, hooks: OwnServerHooks): Server {
  const { logger } = options
  const server = createHttpServer(options, (_request, response) => {
    response.writeHead(426, { Connection: 'close', 'Content-Type': 'text/plain; charset=utf-8' })
    response.end('this port speaks Raft over WebSocket only\n')
  })
  server.on('connection', (socket: Socket) => {
    hooks.onSocket(socket)
    hooks.handshakes.begin(socket)
  })
  server.on('secureConnection', (socket: Socket) => hooks.onSecureSocket(socket))
  // An HTTPS server reports failed TLS handshakes here too.
  server.on('clientError', (error: Error, socket: Socket) => {
    const remote = formatAddress(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0)
    const why = describeBadClient(error, socket, options.tls !== undefined)
    if (why !== undefined)
      logger.warn({ remote, err: error }, `closed the connection from ${remote}: ${why}`)
    if (socket.writable) refuse(socket, { status: 400, reason: 'this port speaks HTTP' })
    else socket.destroy()
  })
  return server
}

function createHttpServer(options: ResolvedWsOptions, onRequest: RequestListener): Server {
  const { tls, keepAliveMs } = options
  const common = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }
  if (tls === undefined) return createServer(common, onRequest)
  try {
    return createSecureServer(
      {
        ...common,
        ...secureContextOptions(tls),
        requestCert: true,
        rejectUnauthorized: true,
      },
      onRequest,
    )
  } catch (error) {
    throw unreadableCredentials(error)
  }
}

/** The connection ended before there was a request. */
const JUST_GONE = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'])

/** Undefined for one that just went away. */
function describeBadClient(error: Error, socket: Socket, secure: boolean): string | undefined {
  const code = 'code' in error ? String(error.code) : ''
  if (socket instanceof TLSSocket && Boolean(socket.authorizationError))
    return `its certificate was refused (${String(socket.authorizationError)})`
  if (JUST_GONE.has(code)) return undefined
  if (code.startsWith('HPE_'))
    return `it sent something else than HTTP (${messageOf(error)}); does it use another transport?`
  return secure ? `no TLS handshake: ${messageOf(error).trim()}` : messageOf(error)
}
