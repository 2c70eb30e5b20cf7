import { RaftError, messageOf, type ServerAddress } from '@raftkit/interface'
import { parseAddress, secureContextOptions } from '@raftkit/transport-network'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isAuthorized } from './mutual-tls.ts'
import type { TcpTlsOptions } from './options.ts'

/** What a dial needs to know. */
export interface DialOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly tls?: TcpTlsOptions | undefined
  /** Called with the socket as soon as there is one. */
  readonly onSocket: (socket: Socket) => void
}

/** A connected socket, its handshake done. Rejects with `RAFT_DIAL_FAILED` or with the signal's reason. */
export function dial(address: ServerAddress, options: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { signal, timeoutMs, tls } = options
    signal?.throwIfAborted()
    const socket = openSocket(address, options)
    // An error of a socket that nobody holds any more, or not yet, must not end the process.
    socket.on('error', () => {})
    options.onSocket(socket)
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      socket.off('close', onClose)
    }
    const fail = (reason: unknown): void => {
      settle()
      socket.destroy()
      reject(reason)
    }
    const onAbort = (): void => fail(signal?.reason)
    const onError = (error: Error): void => fail(dialFailed(address, describe(error), error))
    const onClose = (): void =>
      fail(dialFailed(address, 'the other side closed the connection while it was being made'))
    const timer = setTimeout(
      () => fail(dialFailed(address, `no connection within ${timeoutMs} ms`)),
      timeoutMs,
    )
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      if (tls !== undefined && !isAuthorized(tls, socket, address)) {
        fail(dialFailed(address, 'authorizePeer refused its certificate'))
        return
      }
      settle()
      resolve(socket)
    })
  })
}

function openSocket(address: ServerAddress, options: DialOptions): Socket {
  const { tls } = options
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
  if (tls === undefined) return connect({ host, port })
  const servername = tls.serverName ?? (isIP(host) === 0 ? host : undefined)
  return connectTls({
    host,
    port,
    ...secureContextOptions(tls),
    rejectUnauthorized: true,
    ...(servername === undefined ? {} : { servername }),
  })
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
