// What a WebSocket stream layer can be told, and what holds when it is not.
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { RaftError, silentLogger, type Logger } from '@raftkit/interface'
import type { Pem, TlsCredentials } from '@raftkit/transport-network'

/** TLS. With `bind`, cert, key and ca are all needed: both ends show a certificate and both check the other's. */
export interface WsTlsOptions extends TlsCredentials {
  /** PEM of the authorities whose certificates are accepted. Default (with `server` only): the system's. */
  readonly ca?: Pem | readonly Pem[]
  /** Name that the certificate of a dialled server must be for. Default: the host that was dialled. */
  readonly serverName?: string
}

/** How a WebSocket stream layer works. */
export interface WsStreamOptions {
  /**
   * Where to listen on a port of its own, `host:port`; IPv6 in brackets. Port 0 takes any free port if `advertise`
   * is absent. Either this or `server` must be given.
   */
  readonly bind?: string
  /**
   * An HTTP or HTTPS server to attach to, which somebody else makes listen and closes. Its requests and its upgrades
   * on other paths are left alone.
   */
  readonly server?: HttpServer | HttpsServer
  /** The address for the others, `host:port`. Default: `bind`, which then must name one address of this machine. */
  readonly advertise?: string
  /** Path of the upgrade request, the same on every server. Default '/raft'. */
  readonly path?: string
  /** Dial with TLS (wss) and, with `bind`, serve with it. Default: none, in which case everyone who reaches the port is trusted. */
  readonly tls?: WsTlsOptions
  /** Values of the Origin header that are let in. Default none: browsers, which always send it, are refused. */
  readonly allowedOrigins?: readonly string[]
  /** Last word on an upgrade request, for example on its certificate or a token in its headers. False refuses it. */
  readonly authorize?: (request: IncomingMessage) => boolean
  /** Headers sent when dialling, for example a token for `authorize`. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Whether sent frames of the dialling side are masked with a random key, as RFC 6455 §5.3 asks for the sake of
   * proxies that misread plain HTTP. False sends a key of zeros, at an eighth of the cost. Default true.
   */
  readonly mask?: boolean
  /** Largest message taken from another server. Default 1 MiB, at least 64 KiB, at most 64 MiB. */
  readonly maxMessageBytes?: number
  /** Bytes waiting to be sent on one connection above which it is not writable. Default 1 MiB, at least 64 KiB. */
  readonly sendBufferBytes?: number
  /** Bytes received on a paused connection above which it is not read any more. Default 256 KiB. */
  readonly receiveBufferBytes?: number
  /** Milliseconds between pings. Default 15 000. */
  readonly pingIntervalMs?: number
  /** Milliseconds without a sign of life after a ping, after which an idle connection is ended. Default 10 000. */
  readonly pongTimeoutMs?: number
  /** Milliseconds for an accepted connection to become a WebSocket, TLS included. With `bind` only. Default 5000. */
  readonly handshakeTimeoutMs?: number
  /** Accepted connections that are no WebSocket yet; beyond it the oldest is ended. With `bind` only. Default 256. */
  readonly maxHandshakes?: number
  /** Milliseconds of silence after which the system asks whether the other side is still there. Default 15 000. */
  readonly keepAliveMs?: number
  /** Connections that the system may hold before they are accepted. With `bind` only. Default 511. */
  readonly backlog?: number
  /** Default: silent. */
  readonly logger?: Logger
}

/** The options that have a default, with it filled in; the others as they came. */
export interface ResolvedWsOptions {
  readonly path: string
  readonly tls: WsTlsOptions | undefined
  readonly allowedOrigins: readonly string[]
  readonly authorize: (request: IncomingMessage) => boolean
  readonly headers: Readonly<Record<string, string>>
  readonly mask: boolean
  readonly maxMessageBytes: number
  readonly sendBufferBytes: number
  readonly receiveBufferBytes: number
  readonly pingIntervalMs: number
  readonly pongTimeoutMs: number
  readonly handshakeTimeoutMs: number
  readonly maxHandshakes: number
  readonly keepAliveMs: number
  readonly backlog: number
  readonly logger: Logger
}

const KIB = 1024
const MIB = 1024 * KIB
/** Longest delay that a timer of Node can be set to. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Fills in the defaults. Throws one `RAFT_INVALID_CONFIG` that names everything wrong. */
export function resolveWsOptions(options: WsStreamOptions): ResolvedWsOptions {
  const resolved: ResolvedWsOptions = {
    path: options.path ?? '/raft',
    tls: options.tls,
    allowedOrigins: options.allowedOrigins ?? [],
    authorize: options.authorize ?? (() => true),
    headers: options.headers ?? {},
    mask: options.mask ?? true,
    maxMessageBytes: options.maxMessageBytes ?? MIB,
    sendBufferBytes: options.sendBufferBytes ?? MIB,
    receiveBufferBytes: options.receiveBufferBytes ?? 256 * KIB,
    pingIntervalMs: options.pingIntervalMs ?? 15_000,
    pongTimeoutMs: options.pongTimeoutMs ?? 10_000,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 5_000,
    maxHandshakes: options.maxHandshakes ?? 256,
    keepAliveMs: options.keepAliveMs ?? 15_000,
    backlog: options.backlog ?? 511,
    logger: options.logger ?? silentLogger,
  }
  const problems = [
    ...placeProblems(options),
    ...tlsProblems(options),
    ...(/^\/[^?#\s]*$/.test(resolved.path)
      ? []
      : [`path must start with "/" and have no "?", "#" or space, unlike "${resolved.path}"`]),
    ...numberProblems(resolved),
  ]
  if (problems.length > 0)
    throw new RaftError('RAFT_INVALID_CONFIG', `correct these options: ${problems.join('; ')}`, {
      details: { problems },
    })
  return resolved
}

function placeProblems({ bind, server, advertise }: WsStreamOptions): string[] {
  if (bind !== undefined && server !== undefined)
    return ['bind and server exclude each other: give the one that shall accept connections']
  if (bind === undefined && server === undefined)
    return ['bind (a port of its own) or server (one to attach to) must be given']
  if (server !== undefined && advertise === undefined)
    return ['advertise must be given with server: the address at which others reach that server']
  return []
}

function tlsProblems({ bind, tls }: WsStreamOptions): string[] {
  if (tls === undefined) return []
  const missing = (['cert', 'key', 'ca'] as const).filter((name) => !tls[name]?.length)
  if (bind !== undefined && missing.length > 0)
    return [
      `tls needs ${missing.join(', ')}: with bind each server shows a certificate (cert, key) and checks the others' against ca`,
    ]
  if (missing.includes('cert') !== missing.includes('key'))
    return ['tls.cert and tls.key go together']
  return []
}

function numberProblems(options: ResolvedWsOptions): string[] {
  const ranges: readonly (readonly [keyof ResolvedWsOptions, number, number])[] = [
    ['maxMessageBytes', 64 * KIB, 64 * MIB],
    // Below the mark of Node's sockets they would never say that they have drained.
    ['sendBufferBytes', 64 * KIB, Number.MAX_SAFE_INTEGER],
    ['receiveBufferBytes', 1, Number.MAX_SAFE_INTEGER],
    ['pingIntervalMs', 1, MAX_TIMER_MS],
    ['pongTimeoutMs', 1, MAX_TIMER_MS],
    ['handshakeTimeoutMs', 1, MAX_TIMER_MS],
    ['maxHandshakes', 1, Number.MAX_SAFE_INTEGER],
    ['keepAliveMs', 1, MAX_TIMER_MS],
    ['backlog', 1, Number.MAX_SAFE_INTEGER],
  ]
  return ranges.flatMap(([name, least, most]) => {
    const value = Number(options[name])
    if (Number.isInteger(value) && value >= least && value <= most) return []
    return [`${name} must be a whole number from ${least} to ${most}, not ${String(value)}`]
  })
}
