import type { Socket } from 'node:net'
import { nextTick } from 'node:process'
import { RaftError, type StreamConnection, type StreamEvents } from '@raftkit/interface'
import { WebSocket, type RawData } from 'ws'
import { packFrames } from './frame-packing.ts'
import { Liveness } from './liveness.ts'
import { closeError, violationError } from './connection-errors.ts'

/** What a held message costs besides its bytes. */
const HELD_MESSAGE_BYTES = 64

/** How a connection works; the fields of the same name are described in the options of the stream layer. */
export interface WsConnectionOptions {
  /** Bytes in a frame that is sent. */
  readonly frameBytes: number
  readonly sendBufferBytes: number
  readonly receiveBufferBytes: number
  readonly pingIntervalMs: number
  readonly pongTimeoutMs: number
  /** The other side broke the rules; the connection is ended. */
  readonly onViolation: (error: RaftError) => void
}

/** An open WebSocket as a stream connection: the byte stream runs in binary messages whose borders mean nothing. */
export class WsConnection implements StreamConnection {
  readonly remoteAddress: string
  readonly #ws: WebSocket
  readonly #socket: Socket
  readonly #options: WsConnectionOptions
  readonly #liveness: Liveness
  readonly #drainWaiters: (() => void)[] = []
  #events: StreamEvents | undefined
  /** Data is delivered as it comes. */
  #flowing = false
  /** What came and is not delivered yet. */
  #held: Uint8Array[] = []
  #heldBytes = 0
  #releasing = false
  /** The socket is not read. */
  #stopped = false
  #owedPong: Buffer | undefined
  #error: Error | undefined
  #destroyed = false
  #closed = false
  #finished = false

  /** `ws` must be open and run on `socket`. */
  constructor(ws: WebSocket, socket: Socket, remoteAddress: string, options: WsConnectionOptions) {
    this.#ws = ws
    this.#socket = socket
    this.remoteAddress = remoteAddress
    this.#options = options
    this.#liveness = new Liveness({
      pingIntervalMs: options.pingIntervalMs,
      pongTimeoutMs: options.pongTimeoutMs,
      ping: (text) => this.#isOpen && ws.ping(text),
      onDead: () => this.#onDead(),
    })
    socket.on('error', (error: Error) => (this.#error ??= error))
    socket.on('drain', () => this.#onDrain())
    ws.on('message', (data, isBinary) => this.#onMessage(data, isBinary))
    ws.on('ping', (data) => this.#onPing(data))
    ws.on('pong', (data) => this.#liveness.pong(data.toString()))
    ws.on('error', (error) => this.#refuse(violationError(this.remoteAddress, error)))
    ws.on('close', (code, reason) => this.#onClosed(code, reason))
  }

  start(events: StreamEvents): void {
    this.#events = events
    this.#flowing = true
    this.#scheduleRelease()
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (!this.#isOpen) return true
    const frames = packFrames(chunks, this.#options.frameBytes)
    if (frames.length > 0) this.#liveness.wrote()
    this.#socket.cork()
    for (const frame of frames) this.#ws.send(frame, { binary: true, compress: false })
    this.#socket.uncork()
    return this.#hasRoom
  }

  drained(): Promise<void> {
    if (this.#hasRoom || this.#closed) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  pause(): void {
    this.#flowing = false
  }

  resume(): void {
    this.#flowing = true
    this.#scheduleRelease()
  }

  destroy(error?: Error): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#error ??= error
    this.#held = []
    this.#liveness.end()
    this.#ws.terminate()
    if (this.#closed) nextTick(() => this.#finish())
  }

  get #isOpen(): boolean {
    return !this.#destroyed && this.#ws.readyState === WebSocket.OPEN
  }

  get #hasRoom(): boolean {
    return this.#socket.writableLength < this.#options.sendBufferBytes
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#destroyed || this.#error !== undefined) return
    this.#liveness.heard()
    if (!isBinary || !Buffer.isBuffer(data)) {
      this.#ws.close(1003, 'binary messages only')
      this.#refuse(violationError(this.remoteAddress, new Error('it sent a text message')))
      return
    }
    if (this.#flowing && this.#held.length === 0) {
      if (data.byteLength > 0) this.#events?.onData(data)
      return
    }
    this.#held.push(data)
    this.#heldBytes += data.byteLength + HELD_MESSAGE_BYTES
    if (this.#heldBytes > this.#options.receiveBufferBytes && !this.#stopped) {
      this.#stopped = true
      this.#liveness.listen(false)
      this.#ws.pause()
    }
  }

  /** Never inside the call that resumes: its caller is not ready for data before it returns. */
  #scheduleRelease(): void {
    if (this.#releasing) return
    if (this.#held.length === 0 && !this.#closed) return
    this.#releasing = true
    nextTick(() => this.#release())
  }

  #release(): void {
    const held = this.#held
    let delivered = 0
    while (delivered < held.length && this.#flowing && !this.#destroyed) {
      const data = held[delivered++]!
      this.#heldBytes -= data.byteLength + HELD_MESSAGE_BYTES
      if (data.byteLength > 0) this.#events?.onData(data)
    }
    this.#releasing = false
    this.#held = this.#destroyed ? [] : held.slice(delivered)
    if (this.#held.length > 0) return
    if (this.#closed) this.#finish()
    else this.#readOn()
  }

  #readOn(): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.#liveness.listen(true)
    this.#ws.resume()
    this.#payPong()
  }

  /** A pong says "read up to here", so it waits while nothing is read; and it waits for room. The last ping counts. */
  #onPing(data: Buffer): void {
    this.#liveness.heard()
    this.#owedPong = Buffer.from(data)
    this.#payPong()
  }

  #payPong(): void {
    if (this.#owedPong === undefined || this.#stopped || !this.#hasRoom || !this.#isOpen) return
    this.#ws.pong(this.#owedPong)
    this.#owedPong = undefined
  }

  #onDrain(): void {
    this.#wake()
    this.#payPong()
  }

  #onDead(): void {
    this.#error ??= new RaftError(
      'RAFT_CONNECTION_LOST',
      `${this.remoteAddress} did not answer a ping within pongTimeoutMs ${this.#options.pongTimeoutMs}`,
      { retryable: true, details: { remote: this.remoteAddress } },
    )
    this.#ws.terminate()
  }

  /** Ends the connection because of what came. The close frame that says why has been sent. */
  #refuse(error: RaftError): void {
    if (this.#destroyed || this.#error !== undefined) return
    this.#error = error
    this.#held = []
    this.#options.onViolation(error)
    this.#ws.terminate()
  }

  #onClosed(code: number, reason: Buffer): void {
    this.#closed = true
    this.#liveness.end()
    this.#error ??= closeError(this.remoteAddress, code, reason)
    this.#wake()
    // What came before an orderly end is delivered before the end, also when it is paused.
    if (this.#held.length > 0 && this.#error === undefined) return
    this.#finish()
  }

  #finish(): void {
    if (this.#finished || this.#events === undefined) return
    this.#finished = true
    this.#held = []
    this.#events.onClose(this.#error)
  }

  #wake(): void {
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }
}
