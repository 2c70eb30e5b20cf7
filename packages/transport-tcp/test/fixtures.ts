// Requests, answers and sockets that many tests need.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  Logger,
  RpcHandler,
} from '@raftkit/interface'
import type { NetworkTransport } from '@raftkit/transport-network'
import { createTcpTransport, type TcpTransportOptions } from '@raftkit/transport-tcp'
import { onTestFinished } from 'vitest'

export const header = { protocolVersion: 3, id: 'n1', address: '127.0.0.1:1' }

export function heartbeat(term = 1): AppendEntriesRequest {
  return {
    type: 'append-entries',
    header,
    term,
    prevLogIndex: 0,
    prevLogTerm: 0,
    leaderCommit: 0,
    entries: null,
  }
}

export function appended(term = 1): AppendEntriesResponse {
  return {
    type: 'append-entries',
    header,
    term,
    lastLogIndex: 0,
    success: true,
    noRetryBackoff: false,
  }
}

export function snapshotOf(size: number): InstallSnapshotRequest {
  return {
    type: 'install-snapshot',
    header,
    snapshotVersion: 1,
    term: 1,
    lastLogIndex: 1,
    lastLogTerm: 1,
    peers: new Uint8Array(),
    configuration: new Uint8Array(),
    configurationIndex: 1,
    size,
  }
}

export const installed = { type: 'install-snapshot', header, term: 1, success: true } as const

/** Answers appends. */
const obliging: RpcHandler = (request) => {
  if (request.type !== 'append-entries') throw new Error(`no answer to ${request.type}`)
  return appended(request.term)
}

/** A transport on a free port of this machine, closed after the test. */
export async function openTransport(
  options: Partial<TcpTransportOptions> = {},
): Promise<NetworkTransport> {
  const transport = await createTcpTransport({ bind: '127.0.0.1:0', ...options })
  onTestFinished(() => transport.close())
  transport.setHandler(obliging)
  return transport
}

/** How to call it. */
export function peerOf({ localAddress }: NetworkTransport): { id: string; address: string } {
  return { id: localAddress, address: localAddress }
}

/** A plain server on a free port of this machine, closed after the test with all its connections. */
export async function openServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onSocket(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A plain socket that keeps what it receives. */
export class RawSocket {
  readonly socket: Socket
  readonly closed: Promise<void>
  received = Buffer.alloc(0)
  isClosed = false
  #changed: () => void = () => {}

  constructor(address: string) {
    const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? []
    this.socket = connect({ host: host!, port: Number(port), noDelay: true })
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
      this.#changed()
    })
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isClosed = true
        this.#changed()
        resolve()
      })
    })
    onTestFinished(() => void this.socket.destroy())
  }

  /** Resolves when the system has taken the bytes. */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()))
  }

  /** Resolves when that many bytes have come; rejects when the connection ends before. */
  async receive(byteLength: number): Promise<Buffer> {
    while (this.received.byteLength < byteLength) {
      if (this.isClosed) throw new Error(`closed after ${this.received.byteLength} bytes`)
      await new Promise<void>((resolve) => (this.#changed = resolve))
    }
    return this.received.subarray(0, byteLength)
  }
}

export interface LogLine {
  readonly level: string
  readonly message: string
}

/** Logs into a list and tells whoever waits for a line. */
export class ListLogger implements Logger {
  readonly lines: LogLine[] = []
  #changed: () => void = () => {}
  readonly trace = this.#method('trace')
  readonly debug = this.#method('debug')
  readonly info = this.#method('info')
  readonly warn = this.#method('warn')
  readonly error = this.#method('error')

  /** The first line, once it is there. */
  async first(): Promise<LogLine> {
    for (;;) {
      const [line] = this.lines
      if (line !== undefined) return line
      await new Promise<void>((resolve) => (this.#changed = resolve))
    }
  }

  #method(level: string): (fields: object, message: string) => void {
    return (_fields, message) => {
      this.lines.push({ level, message })
      this.#changed()
    }
  }
}

/** A promise and its end. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((onResolve) => {
    resolve = onResolve
  })
  return { promise, resolve }
}
