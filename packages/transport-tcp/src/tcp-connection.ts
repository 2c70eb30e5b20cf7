import type { Socket } from 'node:net'
import type { StreamConnection, StreamEvents } from '@raftkit/interface'

/** Messages up to this size are copied into one buffer: cheaper than handing their pieces to the system. */
const MERGE_BYTES = 16 * 1024

/** What holds for every connection of a layer. */
export interface TcpConnectionOptions {
  readonly keepAliveMs: number
  readonly sendBufferBytes: number
}

/** A connected socket, plain or TLS, as a stream connection. */
export class TcpConnection implements StreamConnection {
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #sendBufferBytes: number
  readonly #drainWaiters: (() => void)[] = []
  #error: Error | undefined
  #destroyed = false

  /** The socket must be connected, and its handshake done. */
  constructor(socket: Socket, remoteAddress: string, options: TcpConnectionOptions) {
    const { keepAliveMs, sendBufferBytes } = options
    this.#socket = socket
    this.remoteAddress = remoteAddress
    // Every write is a whole message, or several: to wait for more to send would only delay it.
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveMs)
    // Below the socket's own mark it would never say that it has drained.
    this.#sendBufferBytes = Math.max(sendBufferBytes, socket.writableHighWaterMark)
    socket.on('error', (error) => (this.#error ??= error))
    socket.on('drain', () => this.#wake())
    socket.on('close', () => this.#wake())
  }

  start(events: StreamEvents): void {
    const socket = this.#socket
    if (socket.closed) {
      queueMicrotask(() => events.onClose(this.#error))
      return
    }
    socket.on('close', () => events.onClose(this.#error))
    // The other side will send nothing more, and nothing of ours is worth to keep half a connection for.
    socket.on('end', () => socket.destroy())
    socket.on('data', (chunk: Uint8Array) => {
      if (!this.#destroyed) events.onData(chunk)
    })
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    if (this.#destroyed || socket.destroyed) return true
    const [first] = chunks
    if (first === undefined) return this.#hasRoom
    if (chunks.length === 1) socket.write(first)
    else if (byteLengthOf(chunks) <= MERGE_BYTES) socket.write(Buffer.concat(chunks))
    else {
      socket.cork()
      for (const chunk of chunks) socket.write(chunk)
      socket.uncork()
    }
    return this.#hasRoom
  }

  drained(): Promise<void> {
    if (this.#hasRoom || this.#destroyed || this.#socket.closed) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  destroy(error?: Error): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#socket.destroy(error)
  }

  get #hasRoom(): boolean {
    return this.#socket.writableLength < this.#sendBufferBytes
  }

  #wake(): void {
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }
}

function byteLengthOf(chunks: readonly Uint8Array[]): number {
  let sum = 0
  for (const chunk of chunks) sum += chunk.byteLength
  return sum
}
