import {
  messageOf,
  RaftError,
  rpcLabelOf,
  type RpcContext,
  type RpcRequest,
  type StreamConnection,
} from '@raftkit/interface'
import { RequestDecoder } from '@raftkit/wire'
import { AnswerQueue, type PendingAnswer } from './answer-queue.ts'
import { describeForeignProtocol } from './foreign-protocol.ts'
import { answerOf } from './handler-answer.ts'
import type { AcceptedConnection, InboundHost } from './inbound-host.ts'
import { InboundWatch } from './inbound-watch.ts'
import { SnapshotBody } from './snapshot-body.ts'
import { TurnWriter } from '../turn-writer.ts'

/** The snapshot that is being received, from its request until all its bytes are off the connection and it is answered. */
interface IncomingSnapshot {
  readonly body: SnapshotBody
  answered: boolean
}

/**
 * A connection that another server dialled. Requests are decoded as they come and handed over at once; the
 * connection is not read while more of them wait than the limits allow, while a snapshot is not read, and while
 * the other side does not take its answers.
 */
export class InboundConnection implements AcceptedConnection {
  readonly #host: InboundHost
  readonly #stream: StreamConnection
  readonly #decoder: RequestDecoder
  readonly #writer: TurnWriter
  readonly #answers: AnswerQueue
  readonly #watch: InboundWatch
  readonly #abort = new AbortController()
  readonly #context: RpcContext
  #snapshot: IncomingSnapshot | undefined
  #firstBytes: Uint8Array | undefined
  #requests = 0
  #lastRequestAt = 0
  /** Bytes in the decoder that are no whole request yet, counted by chunks: never less than there are. */
  #partialBytes = 0
  #heldBytes = 0
  #pumping = false
  #paused = false
  #gone = false

  /** Takes over a connection that was just handed over. */
  constructor(stream: StreamConnection, host: InboundHost) {
    this.#host = host
    this.#stream = stream
    this.#decoder = new RequestDecoder(host.wireLimits)
    this.#writer = new TurnWriter(stream, () => this.#pump())
    this.#answers = new AnswerQueue(this.#writer)
    this.#watch = new InboundWatch(host.clock, host.limits, ({ message, expected }) =>
      this.#end(message, expected),
    )
    this.#context = { remote: stream.remoteAddress, signal: this.#abort.signal }
    this.#watch.firstByte()
    stream.start({
      onData: (chunk) => this.#onData(chunk),
      onClose: (error) => this.close(lostError(stream.remoteAddress, error)),
    })
  }

  get isStranger(): boolean {
    return this.#requests === 0
  }

  get isIdle(): boolean {
    return this.#answers.length === 0 && this.#snapshot === undefined && this.#decoder.isEmpty
  }

  get lastRequestAt(): number {
    return this.#lastRequestAt
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  close(reason: RaftError): void {
    if (this.#gone) return
    this.#gone = true
    this.#watch.end()
    this.#writer.end()
    this.#stream.destroy()
    this.#snapshot?.body.end(reason)
    this.#abort.abort(reason)
    this.#hold(0)
    this.#host.onGone(this)
  }

  #onData(chunk: Uint8Array): void {
    if (this.#gone) return
    this.#firstBytes ??= chunk.slice(0, 4)
    try {
      this.#decoder.push(chunk)
    } catch (error) {
      this.#endBadBytes(error)
      return
    }
    this.#partialBytes += chunk.byteLength
    this.#pump(chunk.byteLength)
  }

  /** Takes as much out of the received bytes as the limits allow. */
  #pump(received = 0): void {
    if (this.#pumping || this.#gone) return
    this.#pumping = true
    const before = this.#requests
    try {
      let more = true
      while (more && !this.#gone) more = this.#takeNext()
    } catch (error) {
      this.#endBadBytes(error)
    }
    this.#pumping = false
    if (this.#gone) return
    if (this.#requests > before) {
      this.#lastRequestAt = this.#host.clock.now()
      if (received > 0) this.#partialBytes = received
    }
    if (this.#decoder.isEmpty || this.#snapshot !== undefined) this.#partialBytes = 0
    this.#regulate()
    this.#hold(this.#partialBytes + this.#answers.requestBytes)
  }

  #hold(bytes: number): void {
    const change = bytes - this.#heldBytes
    this.#heldBytes = bytes
    if (change !== 0) this.#host.onHeld(change)
  }

  #takeNext(): boolean {
    if (this.#snapshot !== undefined) return this.#takeSnapshot(this.#snapshot)
    if (this.#isSaturated) return false
    const { meter } = this.#host
    const startedAt = meter?.now() ?? 0
    const request = this.#decoder.next()
    if (request === undefined) return false
    meter?.decoded(rpcLabelOf(request), startedAt)
    this.#requests += 1
    this.#hand(request)
    return true
  }

  #takeSnapshot({ body, answered }: IncomingSnapshot): boolean {
    if (this.#decoder.snapshotRemaining === 0) {
      if (!answered) return false
      this.#snapshot = undefined
      return true
    }
    const bytes = this.#decoder.takeSnapshot()
    if (bytes === undefined) return false
    body.push(bytes)
    this.#watch.snapshotBytes(bytes.byteLength)
    if (this.#decoder.snapshotRemaining === 0) body.end()
    const { maxDrainBytes } = this.#host.limits
    if (body.droppedBytes > maxDrainBytes)
      this.#end(
        `it went on sending a snapshot that was refused (maxDrainBytes ${maxDrainBytes})`,
        true,
      )
    return true
  }

  get #isSaturated(): boolean {
    const { maxRequestsPerConnection, maxRequestBytesPerConnection } = this.#host.limits
    return (
      this.#writer.full ||
      this.#answers.length >= maxRequestsPerConnection ||
      this.#answers.requestBytes >= maxRequestBytesPerConnection
    )
  }

  /** Pauses or resumes the connection, and watches for what the other side has to do next. */
  #regulate(): void {
    const receiving = this.#decoder.snapshotRemaining > 0
    const paused = this.#mustPause(receiving)
    if (paused !== this.#paused) {
      this.#paused = paused
      if (paused) this.#stream.pause()
      else this.#stream.resume()
    }
    if (this.#writer.full) this.#watch.answersTaken()
    else if (paused) this.#watch.nothing()
    else if (receiving) this.#watch.snapshot()
    else if (!this.#decoder.isEmpty) this.#watch.message(this.#requests)
    else if (this.#answers.length > 0) this.#watch.nothing()
    else this.#watch.idle(this.#requests)
  }

  #mustPause(receiving: boolean): boolean {
    if (this.#snapshot === undefined) return this.#isSaturated
    // While a snapshot is installed nothing else is taken, but the end of the connection shall be noticed.
    return receiving ? this.#snapshot.body.full : !this.#decoder.isEmpty
  }

  #hand(request: RpcRequest): void {
    const pending = this.#answers.open(request)
    const { handle, logger, limits, meter } = this.#host
    const startedAt = meter?.now() ?? 0
    let context = this.#context
    if (request.type === 'install-snapshot') {
      const body = new SnapshotBody(limits.snapshotBufferBytes, () => this.#pump())
      if (request.size === 0) body.end()
      this.#snapshot = { body, answered: false }
      context = { ...context, snapshot: body }
    }
    const answer = answerOf(handle, request, context, logger)
    meter?.enqueued(rpcLabelOf(request), startedAt)
    const handedAt = meter?.now() ?? 0
    if (answer instanceof Promise)
      void answer.then((bytes) => this.#settle(pending, request, bytes, handedAt))
    else this.#settle(pending, request, answer, handedAt)
  }

  #settle(pending: PendingAnswer, request: RpcRequest, answer: Uint8Array, handedAt: number): void {
    this.#answers.settle(pending, answer)
    this.#host.meter?.responded(rpcLabelOf(request), handedAt)
    if (request.type === 'install-snapshot' && this.#snapshot !== undefined) {
      this.#snapshot.answered = true
      this.#snapshot.body.discard()
    }
    this.#pump()
  }

  #endBadBytes(error: unknown): void {
    const hint = this.isStranger
      ? describeForeignProtocol(this.#firstBytes ?? new Uint8Array())
      : ''
    this.#end(messageOf(error) + hint, false)
  }

  #end(why: string, expected: boolean): void {
    const remote = this.#stream.remoteAddress
    this.#host.logger[expected ? 'debug' : 'warn'](
      { remote, requests: this.#requests },
      `closed the connection from ${remote}: ${why}`,
    )
    this.close(
      new RaftError('RAFT_CONNECTION_LOST', `the connection from ${remote} was closed: ${why}`, {
        details: { remote },
      }),
    )
  }
}

function lostError(remote: string, cause: Error | undefined): RaftError {
  const why = cause === undefined ? '' : `: ${messageOf(cause)}`
  return new RaftError('RAFT_CONNECTION_LOST', `the connection from ${remote} is gone${why}`, {
    cause,
    details: { remote },
  })
}
