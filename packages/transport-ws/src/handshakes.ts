import type { Socket } from 'node:net'

interface Handshake {
  readonly socket: Socket
  readonly timer: NodeJS.Timeout
}

/**
 * Accepted connections that are no WebSocket yet. Each has `timeoutMs` to become one, and there are at most `most`:
 * beyond it the oldest is ended. A TLS socket stands for the socket below it.
 */
export class Handshakes {
  readonly #timeoutMs: number
  readonly #most: number
  readonly #waiting = new Map<string, Handshake>()

  constructor(timeoutMs: number, most: number) {
    this.#timeoutMs = timeoutMs
    this.#most = most
  }

  /** The socket was accepted. */
  begin(socket: Socket): void {
    const key = portsOf(socket)
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs).unref()
    this.#waiting.set(key, { socket, timer })
    socket.once('close', () => this.#drop(key, socket))
    if (this.#waiting.size <= this.#most) return
    const [oldest] = this.#waiting.values()
    oldest?.socket.destroy()
  }

  /** The socket, or the TLS socket on top of it, is a WebSocket now. */
  end(socket: Socket): void {
    this.#drop(portsOf(socket))
  }

  #drop(key: string, socket?: Socket): void {
    const handshake = this.#waiting.get(key)
    if (handshake === undefined || (socket !== undefined && handshake.socket !== socket)) return
    clearTimeout(handshake.timer)
    this.#waiting.delete(key)
  }
}

/** What a socket and the TLS socket on top of it have in common. */
function portsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}
