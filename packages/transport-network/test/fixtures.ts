// Requests, answers and ends of connections that many tests need.
import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  ForwardRequest,
  InstallSnapshotRequest,
  Logger,
  Peer,
  RpcHandler,
  StreamConnection,
} from '@raftkit/interface'
import { NetworkTransport, type NetworkTransportOptions } from '@raftkit/transport-network'
import { onTestFinished } from 'vitest'
import { ManualClock } from './manual-clock.ts'
import { MemoryNetwork, type MemoryLayer } from './memory-streams.ts'

export const header = { protocolVersion: 3, id: 'n1', address: 'n1:1' }
export const peerB: Peer = { id: 'b', address: 'b:1' }

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

export function forward(...payload: number[]): ForwardRequest {
  return { type: 'forward', header, payload: Uint8Array.from(payload) }
}

export const preVote = {
  type: 'request-pre-vote',
  header,
  term: 2,
  lastLogIndex: 1,
  lastLogTerm: 1,
} as const

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

/** Answers everything at once. */
export const obliging: RpcHandler = async (request, context) => {
  switch (request.type) {
    case 'append-entries':
      return appended(request.term)
    case 'forward':
      return { type: 'forward', header, payload: request.payload }
    case 'request-vote':
    case 'request-pre-vote':
      return { type: request.type, header, term: request.term, granted: true }
    case 'timeout-now':
      return { type: 'timeout-now', header }
    case 'install-snapshot':
      if (context.snapshot !== undefined) await bytesOf(context.snapshot)
      return installed
  }
}

/** Everything that a stream of bytes gives. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return joined(chunks)
}

/** The chunks as one. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let place = 0
  for (const chunk of chunks) {
    bytes.set(chunk, place)
    place += chunk.length
  }
  return bytes
}

/** A transport at `a:1` and one at `b:1`, on one clock that a test moves. */
export interface Pair {
  readonly network: MemoryNetwork
  readonly clock: ManualClock
  readonly a: NetworkTransport
  readonly b: NetworkTransport
  readonly streamA: MemoryLayer
  readonly streamB: MemoryLayer
  /** What b logged. */
  readonly log: LogLine[]
}

export interface LogLine {
  readonly level: string
  readonly fields: object
  readonly message: string
}

/** Logs into a list. */
function listLogger(lines: LogLine[]): Logger {
  const method =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields, message })
    }
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
  }
}

export async function openPair(
  options: Partial<NetworkTransportOptions> = {},
  optionsOfB: Partial<NetworkTransportOptions> = options,
): Promise<Pair> {
  const network = new MemoryNetwork()
  const clock = new ManualClock()
  const streamA = network.layer('a:1')
  const streamB = network.layer('b:1')
  const log: LogLine[] = []
  const a = await NetworkTransport.open({ clock, ...options, stream: streamA })
  const b = await NetworkTransport.open({
    clock,
    logger: listLogger(log),
    ...optionsOfB,
    stream: streamB,
  })
  b.setHandler(obliging)
  onTestFinished(async () => {
    await a.close()
    await b.close()
  })
  return { network, clock, a, b, streamA, streamB, log }
}

/** One end of a connection without a transport: sends and receives plain bytes. */
export class RawEnd {
  readonly #stream: StreamConnection
  readonly #received: Uint8Array[] = []
  readonly closed: Promise<Error | undefined>
  isClosed = false
  #changed: () => void = () => {}

  constructor(stream: StreamConnection) {
    this.#stream = stream
    this.closed = new Promise((resolve) => {
      stream.start({
        onData: (chunk) => {
          this.#received.push(chunk)
          this.#changed()
        },
        onClose: (error) => {
          this.isClosed = true
          this.#changed()
          resolve(error)
        },
      })
    })
  }

  static async dial(stream: MemoryLayer, address = 'b:1'): Promise<RawEnd> {
    return new RawEnd(await stream.dial(address, { timeoutMs: 1000 }))
  }

  get receivedBytes(): number {
    return this.#received.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  get received(): Uint8Array {
    return joined(this.#received)
  }

  send(...chunks: readonly Uint8Array[]): void {
    this.#stream.write(chunks)
  }

  close(): void {
    this.#stream.destroy()
  }

  /** Resolves when that many bytes have come; rejects when the connection ends before. */
  async receive(byteLength: number): Promise<Uint8Array> {
    while (this.receivedBytes < byteLength) {
      if (this.isClosed) throw new Error('closed')
      await new Promise<void>((resolve) => (this.#changed = resolve))
    }
    return this.received.subarray(0, byteLength)
  }
}

/** Lets everything that is on its way arrive: a fixed number of turns of the event loop. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** A promise and its ends. */
export function deferred<T>(): {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (reason: unknown) => void
} {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
