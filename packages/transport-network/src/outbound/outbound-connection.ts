import {
  messageOf,
  RaftError,
  type RpcResponse,
  type RpcType,
  type ServerAddress,
  type StreamConnection,
} from '@raftkit/interface'
import { ResponseDecoder, type WireLimits } from '@raftkit/wire'
import { TurnWriter } from '../turn-writer.ts'

/** What came back for a request: a response, or the text of the error that the other server met. */
export type Reply = { readonly response: RpcResponse } | { readonly error: string }

interface Waiting {
  readonly type: RpcType
  readonly resolve: (reply: Reply) => void
  readonly reject: (reason: unknown) => void
}

/**
 * A connection that this server dialled. Answers carry no number: they belong to the requests in the order in
 * which those were sent. So a request whose answer is no longer awaited takes the whole connection with it.
 */
export class OutboundConnection {
  readonly address: ServerAddress
  readonly #stream: StreamConnection
  readonly #decoder: ResponseDecoder
  readonly #writer: TurnWriter
  readonly #waiting: Waiting[] = []
  readonly #onGone: () => void
  #onLost: () => void = () => {}
  #failure: { readonly reason: unknown } | undefined
  #received = false
  #closedByPeer = false
  #answers = 0

  /** Takes over a connection that was just handed over. `onGone` is called once, when it can no longer be used. */
  constructor(
    address: ServerAddress,
    stream: StreamConnection,
    wireLimits: Partial<WireLimits>,
    onGone: () => void,
  ) {
    this.address = address
    this.#stream = stream
    this.#onGone = onGone
    this.#decoder = new ResponseDecoder(wireLimits)
    this.#writer = new TurnWriter(stream)
    stream.start({
      onData: (chunk) => this.#onData(chunk),
      onClose: (error) => this.#onClose(error),
    })
  }

  /** It can no longer be used. */
  get gone(): boolean {
    return this.#failure !== undefined
  }

  /** It has already answered a request. */
  get reused(): boolean {
    return this.#answers > 0
  }

  /** Requests that wait for their answer. */
  get inflight(): number {
    return this.#waiting.length
  }

  /** The buffer is below its limit. */
  get writable(): boolean {
    return !this.#writer.full
  }

  /** The other side took a connection of its own for one request and closed it without a byte of answer. */
  get closedUnanswered(): boolean {
    return this.#closedByPeer && !this.#received
  }

  /** Sets who else is told, once, when the connection can no longer be used: whoever holds it at the time. */
  watch(onLost: () => void): void {
    this.#onLost = onLost
  }

  /** Sends a request at the end of this turn and resolves with what comes back. */
  request(type: RpcType, chunks: readonly Uint8Array[]): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure.reason)
        return
      }
      this.#waiting.push({ type, resolve, reject })
      for (const chunk of chunks) this.#writer.push(chunk)
    })
  }

  /** Sends further bytes of the last request, now. False: wait for {@link drained}. */
  write(bytes: Uint8Array): boolean {
    this.#writer.push(bytes)
    return this.#writer.flush()
  }

  /** Resolves when the buffer is below its limit or the connection is gone. */
  drained(): Promise<void> {
    return this.#stream.drained()
  }

  /** Ends the connection; every request that waits rejects with `reason`. Idempotent. */
  fail(reason: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { reason }
    this.#writer.end()
    this.#stream.destroy()
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
    this.#onGone()
    this.#onLost()
  }

  /** Ends a connection that is not needed any more. Idempotent. */
  end(): void {
    if (this.#failure !== undefined) return
    this.fail(
      new RaftError('RAFT_CONNECTION_LOST', `the connection to ${this.address} was ended here`, {
        retryable: true,
        details: { address: this.address },
      }),
    )
  }

  #onData(chunk: Uint8Array): void {
    if (this.#failure !== undefined) return
    this.#received = true
    try {
      this.#decoder.push(chunk)
      for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
        const reply = this.#decoder.next(first.type)
        if (reply === undefined) return
        this.#waiting.shift()
        this.#answers += 1
        first.resolve(reply)
      }
      if (!this.#decoder.isEmpty)
        throw new RaftError('RAFT_DECODE_FAILED', 'bytes came that no request asked for')
    } catch (error) {
      this.fail(
        new RaftError(
          'RAFT_DECODE_FAILED',
          `the answer of ${this.address} is not hashicorp/raft's protocol (${messageOf(error)}); ` +
            'check that a Raft server listens there, with or without TLS as here',
          { cause: error, details: { address: this.address } },
        ),
      )
    }
  }

  #onClose(error: Error | undefined): void {
    const code = error !== undefined && 'code' in error ? error.code : undefined
    this.#closedByPeer =
      this.#failure === undefined && (error === undefined || code === 'ECONNRESET')
    const why = error === undefined ? 'the other side closed it' : messageOf(error)
    this.fail(
      new RaftError(
        'RAFT_CONNECTION_LOST',
        `the connection to ${this.address} ended before the answer came: ${why}; the request may have been carried out`,
        {
          retryable: true,
          cause: error,
          details: { address: this.address, reused: this.reused },
        },
      ),
    )
  }
}
