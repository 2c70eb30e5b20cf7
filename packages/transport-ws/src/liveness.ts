/** Limits of {@link Liveness} and what it does. */
export interface LivenessHooks {
  readonly pingIntervalMs: number
  readonly pongTimeoutMs: number
  /** Sends a ping that carries this text. */
  readonly ping: (text: string) => void
  /** The other side is gone. Called at most once. */
  readonly onDead: () => void
}

/**
 * Finds out by ping and pong that the other side is gone. A ping waits behind the data sent before it, and a living
 * server leaves data unread for as long as it likes (it may be busy with a snapshot). So silence is a verdict only
 * when everything sent before the ping is known to have been read; the rest is for the time limits of requests and
 * for the system, which gives up on data that nobody takes.
 */
export class Liveness {
  readonly #hooks: LivenessHooks
  readonly #interval: NodeJS.Timeout
  #deadline: NodeJS.Timeout | undefined
  #count = 0
  #awaitsPong = false
  #heard = false
  /** Data went out that no pong has confirmed. */
  #unconfirmed = false
  #wroteSincePing = false
  #listening = true
  #ended = false

  constructor(hooks: LivenessHooks) {
    this.#hooks = hooks
    this.#interval = setInterval(() => this.#tick(), hooks.pingIntervalMs).unref()
  }

  /** Data was sent. */
  wrote(): void {
    this.#unconfirmed = true
    this.#wroteSincePing = true
  }

  /** Something came. */
  heard(): void {
    this.#heard = true
  }

  /** What comes is not read any more, or again: without listening there is no telling. */
  listen(listening: boolean): void {
    this.#listening = listening
    // What waits to be read is a sign of life that nobody has seen yet.
    this.#heard = true
  }

  /** A pong came: what was sent before its ping has been read. */
  pong(text: string): void {
    this.#heard = true
    if (!this.#awaitsPong || text !== String(this.#count)) return
    this.#awaitsPong = false
    this.#unconfirmed = this.#wroteSincePing
    clearTimeout(this.#deadline)
  }

  end(): void {
    this.#ended = true
    clearInterval(this.#interval)
    clearTimeout(this.#deadline)
  }

  #tick(): void {
    if (this.#awaitsPong) return
    this.#awaitsPong = true
    this.#wroteSincePing = false
    this.#count += 1
    this.#hooks.ping(String(this.#count))
    if (!this.#unconfirmed) this.#await()
  }

  #await(): void {
    this.#heard = false
    this.#deadline = setTimeout(() => {
      // After a stall of this process the sign of life may be waiting to be read: read first, judge then.
      setImmediate(() => this.#judge())
    }, this.#hooks.pongTimeoutMs).unref()
  }

  #judge(): void {
    if (this.#ended || !this.#awaitsPong) return
    if (this.#heard || !this.#listening) {
      this.#await()
      return
    }
    this.end()
    this.#hooks.onDead()
  }
}
