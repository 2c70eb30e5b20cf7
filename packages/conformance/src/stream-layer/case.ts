// What the parts of the stream layer suite share: how a case is written, and ends of connections that keep count.

import assert from 'node:assert/strict'
import type { StreamConnection, StreamLayer } from '@raftkit/interface'
import { occasion } from '../occasion.ts'

/** Registers one case. */
export type StreamLayerCase = (title: string, body: (layers: Layers) => Promise<void>) => void

/** Milliseconds that a dial may take where it should work. */
export const PATIENCE_MS = 10_000

/** The layers of one test. */
export interface Layers {
  /** A new layer that does not listen yet; closed after the test. */
  open(): Promise<StreamLayer>
  /** A new layer for an address that was in use before. */
  openAt(address: string): Promise<StreamLayer>
}

/** One end of a connection: counts and hashes what arrives, and knows when it is gone. */
export class StreamEnd {
  readonly connection: StreamConnection
  readonly #closed = occasion<Error | undefined>()
  readonly #onData: (end: StreamEnd, chunk: Uint8Array) => void
  #waiting: { readonly count: number; readonly reached: () => void } | undefined
  /** Bytes that arrived. */
  received = 0
  /** Hash of them (FNV-1a). */
  hash = 0x811c9dc5
  /** How often data was delivered. */
  deliveries = 0
  closes = 0

  /** Starts the connection at once. */
  constructor(
    connection: StreamConnection,
    onData: (end: StreamEnd, chunk: Uint8Array) => void = () => {},
  ) {
    this.connection = connection
    this.#onData = onData
    connection.start({
      onData: (chunk) => this.#take(chunk),
      onClose: (error) => {
        this.closes++
        this.#closed.happen(error)
      },
    })
  }

  /** Resolves with its error when the connection is gone. */
  get closed(): Promise<Error | undefined> {
    return this.#closed.promise
  }

  /** Resolves when `count` bytes have arrived in all; fails when the connection is gone before. */
  async has(count: number): Promise<void> {
    if (this.received >= count) return
    const reached = occasion()
    this.#waiting = { count, reached: () => reached.happen() }
    const gone = this.closed.then((error) => {
      if (this.received < count)
        assert.fail(`gone (${String(error)}) after ${this.received} of ${count} bytes`)
    })
    await Promise.race([reached.promise, gone])
  }

  #take(chunk: Uint8Array): void {
    assert.equal(this.closes, 0, 'data after onClose')
    this.deliveries++
    this.received += chunk.length
    this.hash = fnv(chunk, this.hash)
    this.#onData(this, chunk)
    if (this.#waiting && this.received >= this.#waiting.count) this.#waiting.reached()
  }
}

/** Two layers and a connection between them, started at both ends. */
export interface Connected {
  readonly dialler: StreamEnd
  readonly acceptor: StreamEnd
  readonly from: StreamLayer
  readonly to: StreamLayer
}

/** Opens two layers and connects them. */
export async function connected(
  layers: Layers,
  onAccepted: (end: StreamEnd, chunk: Uint8Array) => void = () => {},
): Promise<Connected> {
  const [from, to] = [await layers.open(), await layers.open()]
  const accepted = occasion<StreamEnd>()
  await to.listen((connection) => accepted.happen(new StreamEnd(connection, onAccepted)))
  const dialler = new StreamEnd(await from.dial(to.localAddress, { timeoutMs: PATIENCE_MS }))
  return { dialler, acceptor: await accepted.promise, from, to }
}

/** Listens and sends everything that arrives back where it came from. */
export async function listenAsEcho(layer: StreamLayer): Promise<void> {
  await layer.listen((connection) => {
    connection.start({
      onData: (chunk) => void connection.write([chunk.slice()]),
      onClose: () => {},
    })
  })
}

/** Sends a byte to an echo and waits for it: time enough for what is on its way elsewhere. */
export async function roundTrip(end: StreamEnd): Promise<void> {
  const before = end.received
  end.connection.write([Uint8Array.of(1)])
  await end.has(before + 1)
}

/** FNV-1a of the bytes, from the hash of what came before them. */
export function fnv(bytes: Uint8Array, hash = 0x811c9dc5): number {
  let next = hash
  for (const byte of bytes) next = Math.imul(next ^ byte, 0x01000193) >>> 0
  return next
}
