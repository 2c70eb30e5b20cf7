// Stream layers, raw clients and events to wait for, all ended after the test.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { StreamConnection } from '@raftkit/interface'
import { onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws'
import { SUBPROTOCOL, WsStreamLayer, type WsStreamOptions } from '../src/index.ts'
import { recordingLogger } from './recording-logger.ts'

/** What a connection did, and the moments to wait for. */
export class Watched {
  readonly connection: StreamConnection
  readonly received: Uint8Array[] = []
  readonly ends: (Error | undefined)[] = []
  readonly #waiters: { readonly until: () => boolean; readonly resolve: () => void }[] = []
  #onData: () => void = () => {}

  constructor(connection: StreamConnection) {
    this.connection = connection
  }

  start(onData: () => void = () => {}): this {
    this.#onData = onData
    this.connection.start({
      onData: (chunk) => {
        this.received.push(chunk)
        this.#onData()
        this.#check()
      },
      onClose: (error) => {
        this.ends.push(error)
        this.#check()
      },
    })
    return this
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received)
  }

  has(byteLength: number): Promise<void> {
    return this.#until(() => this.bytes.byteLength >= byteLength)
  }

  async ended(): Promise<Error | undefined> {
    await this.#until(() => this.ends.length > 0)
    return this.ends[0]
  }

  #until(until: () => boolean): Promise<void> {
    if (until()) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ until, resolve }))
  }

  #check(): void {
    for (const waiter of this.#waiters) if (waiter.until()) waiter.resolve()
  }
}

/** A layer that listens. */
export async function listening(options: Partial<WsStreamOptions> = {}) {
  const logger = recordingLogger()
  const layer = new WsStreamLayer({
    ...(options.server === undefined ? { bind: '127.0.0.1:0' } : {}),
    logger,
    ...options,
  })
  onTestFinished(() => layer.close())
  const accepted: StreamConnection[] = []
  const waiting: ((connection: StreamConnection) => void)[] = []
  const startUnwatched = (connection: StreamConnection): void => {
    const next = waiting.shift()
    if (next === undefined) accepted.push(connection)
    else next(connection)
  }
  await layer.listen(startUnwatched)
  return {
    layer,
    logger,
    address: layer.localAddress,
    url: `ws://${layer.localAddress}/raft`,
    /** The next connection that is accepted; to be started in the same turn. */
    accept: (): Promise<StreamConnection> => {
      const connection = accepted.shift()
      if (connection !== undefined) return Promise.resolve(connection)
      return new Promise((resolve) => waiting.push(resolve))
    },
    dial: (address: string, timeoutMs = 4000) => layer.dial(address, { timeoutMs }),
  }
}

/** Two ends of one connection, neither started. */
export async function connected(options: Partial<WsStreamOptions> = {}) {
  const server = await listening(options)
  const client = await listening(options)
  const [near, far] = await Promise.all([client.dial(server.address), server.accept()])
  return { near: new Watched(near), far: new Watched(far), server, client }
}

/** A plain WebSocket that ends with the test. */
export function rawSocket(url: string, options: ClientOptions & { protocols?: string[] } = {}) {
  const { protocols, ...rest } = options
  const ws = new WebSocket(url, protocols ?? [SUBPROTOCOL], rest)
  onTestFinished(() => {
    ws.on('error', () => {})
    ws.terminate()
  })
  return ws
}

/** An open one. */
export async function openRawSocket(url: string, options?: ClientOptions): Promise<WebSocket> {
  const ws = rawSocket(url, options)
  await once(ws, 'open')
  return ws
}

/** A plain WebSocket server. */
export async function rawServer() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  onTestFinished(() => {
    for (const ws of server.clients) ws.terminate()
    server.close()
  })
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    accept: async () => ((await once(server, 'connection')) as [WebSocket])[0],
  }
}

/** Resolves when another connection was pinged that often: a clock that a slow machine slows down as well. */
export async function pingsOfAnother(count: number, pingIntervalMs: number): Promise<void> {
  const server = await listening({ pingIntervalMs })
  const [ws] = await Promise.all([openRawSocket(server.url), server.accept()])
  for (let i = 0; i < count; i++) await once(ws, 'ping')
}
