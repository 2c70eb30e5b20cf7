import type { IncomingMessage } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { messageOf, RaftError, type ServerAddress } from '@raftkit/interface'
import { parseAddress, secureContextOptions } from '@raftkit/transport-network'
import { WebSocket } from 'ws'
import type { ResolvedWsOptions } from './options.ts'
import { SUBPROTOCOL } from './upgrade.ts'

/** Bytes of an HTTP answer that go into the error. */
const ANSWER_BYTES = 512

/** What a dial needs to know. */
export interface DialOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly layer: ResolvedWsOptions
  /** Called with the socket as soon as there is one. */
  readonly onSocket: (socket: Socket) => void
}

/** A WebSocket that is open, and the socket that it runs on. */
export interface Dialled {
  readonly ws: WebSocket
  readonly socket: Socket
}

/** Connects. Rejects with `RAFT_DIAL_FAILED` or with the signal's reason. */
export function dial(address: ServerAddress, options: DialOptions): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const { signal, timeoutMs, layer } = options
    signal?.throwIfAborted()
    const socket = openSocket(address, layer)
    options.onSocket(socket)
    const ws = openWebSocket(address, socket, layer)
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      ws.off('error', onError)
      ws.off('close', onClose)
    }
    const fail = (reason: unknown): void => {
      settle()
      // An error that comes when nobody waits any more must not end the process.
      ws.on('error', () => {})
      socket.destroy()
      reject(reason)
    }
    const failBecause = (why: string, cause?: unknown): void =>
      fail(dialFailed(address, why, cause))
    const onAbort = (): void => fail(signal?.reason)
    const onError = (error: Error): void => failBecause(describe(error), error)
    const onClose = (): void =>
      failBecause('the other side closed the connection while it was being made')
    const timer = setTimeout(() => failBecause(`no connection within ${timeoutMs} ms`), timeoutMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    ws.on('error', onError)
    ws.on('close', onClose)
    ws.on('unexpected-response', (_request, response) => {
      void bodyOf(response).then((body) =>
        failBecause(describeAnswer(response.statusCode ?? 0, body, layer.path)),
      )
    })
    ws.once('open', () => {
      settle()
      resolve({ ws, socket })
    })
  })
}

function openWebSocket(
  address: ServerAddress,
  socket: Socket,
  layer: ResolvedWsOptions,
): WebSocket {
  // The socket is there already: the URL gives the path, and its host is replaced by the address as it is written.
  return new WebSocket(`ws://localhost${layer.path}`, [SUBPROTOCOL], {
    headers: { ...layer.headers, Host: address },
    perMessageDeflate: false,
    followRedirects: false,
    autoPong: false,
    maxPayload: layer.maxMessageBytes,
    createConnection: () => socket,
    ...(layer.mask ? {} : { generateMask: (mask: Buffer) => void mask.fill(0) }),
  })
}

function openSocket(address: ServerAddress, layer: ResolvedWsOptions): Socket {
  const { tls, keepAliveMs } = layer
  let target
  try {
    target = parseAddress(address)
  } catch (error) {
    throw new RaftError('RAFT_DIAL_FAILED', `cannot connect: ${messageOf(error)}`, {
      cause: error,
      details: { address },
    })
  }
  const { host, port } = target
  const common = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }
  if (tls === undefined) return connect(common)
  const servername = tls.serverName ?? (isIP(host) === 0 ? host : undefined)
  return connectTls({
    ...common,
    ...secureContextOptions(tls),
    rejectUnauthorized: true,
    ...(servername === undefined ? {} : { servername }),
  })
}

/** The beginning of an answer, as text. */
async function bodyOf(response: IncomingMessage): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  try {
    for await (const piece of response) {
      if (!(piece instanceof Uint8Array)) break
      pieces.push(piece)
      size += piece.byteLength
      if (size >= ANSWER_BYTES) break
    }
  } catch {
    // What came of it is enough.
  }
  return Buffer.concat(pieces).subarray(0, ANSWER_BYTES).toString().trim()
}

function describeAnswer(status: number, body: string, path: string): string {
  const hint =
    status === 404 || status === 426
      ? `; check that path (${path}) is the same on every server and that a raftkit listens there`
      : ''
  return `it answered with HTTP ${status}${body === '' ? '' : ` (${body})`}${hint}`
}

function dialFailed(address: ServerAddress, why: string, cause?: unknown): RaftError {
  return new RaftError('RAFT_DIAL_FAILED', `cannot connect to ${address}: ${why}`, {
    retryable: true,
    cause,
    details: { address },
  })
}

/** A host name with several addresses fails with one error for each of them and an empty message. */
function describe(error: Error): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((each) => messageOf(each)).join(', ')
  return messageOf(error)
}
