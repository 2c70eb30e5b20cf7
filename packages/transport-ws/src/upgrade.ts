// Which upgrade requests become connections, and what the others are told.
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** Name of what runs inside the WebSocket: hashicorp/raft's byte stream in binary messages. */
export const SUBPROTOCOL = 'raftkit.v1'

/** Why an upgrade request is refused. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number
  /** One sentence, sent as the body. */
  readonly reason: string
}

/** Who is let in. */
export interface UpgradeRules {
  readonly allowedOrigins: readonly string[]
  readonly authorize: (request: IncomingMessage) => boolean
}

/** The path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return /^[^?#]*/.exec(request.url ?? '')?.[0] ?? ''
}

/** Undefined for a request that may become a connection. Its path has been looked at before. */
export function refusalOf(request: IncomingMessage, rules: UpgradeRules): Refusal | undefined {
  // A page in a browser can make that browser connect to anything, but not leave out or forge the Origin.
  const { origin } = request.headers
  if (origin !== undefined && !rules.allowedOrigins.includes(origin))
    return { status: 403, reason: 'this origin is not in allowedOrigins' }
  const offered = request.headers['sec-websocket-protocol'] ?? ''
  if (!offered.split(',').some((name) => name.trim() === SUBPROTOCOL))
    return { status: 400, reason: `the subprotocol ${SUBPROTOCOL} is needed here` }
  if (!rules.authorize(request)) return { status: 401, reason: 'authorize refused the request' }
  return undefined
}

/** Answers an upgrade request with HTTP and ends its connection. */
export function refuse(socket: Duplex, { status, reason }: Refusal): void {
  socket.on('error', () => socket.destroy())
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n` +
      'Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
  )
}
