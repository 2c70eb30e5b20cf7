import type {
  AppendEntriesRequest,
  InstallSnapshotRequest,
  RaftError,
  ServerAddress,
} from '@raftkit/interface'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { FrameLoss, FrameOrder, Link } from './link.ts'
import { connectionLost } from './pending.ts'
import type { Answer } from './serving.ts'

/** What the side that dialled sends. */
export type ClientFrame =
  | { readonly type: 'request'; readonly request: AppendEntriesRequest }
  | { readonly type: 'snapshot'; readonly request: InstallSnapshotRequest }
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }

/** What the side that was dialled sends: answers, and how many bytes of a snapshot its handler took. */
export type ServerFrame =
  | { readonly type: 'answer'; readonly answer: Answer }
  | { readonly type: 'taken'; readonly bytes: number }

/** Who takes what arrives at one end. */
export interface StreamReceiver<In> {
  onFrame(frame: In): void
  /** The other end is gone, or the stream broke. Not called after one's own `close`. */
  onClose(error: RaftError): void
}

/** What a stream needs of its network. */
export interface StreamGround {
  readonly queue: DeliveryQueue
  /** How long one end takes to notice that the other went away over a cut link, milliseconds. */
  readonly halfOpenMs: number
  /** The streams that are open. */
  readonly streams: Set<Stream>
  link(from: ServerAddress, to: ServerAddress): Link
}

/** Bytes of the message that ends a stream. */
const END_BYTES = 16

/** The end that dialled. */
export type ClientEnd = StreamEnd<ClientFrame, ServerFrame>
/** The end that was dialled. */
export type ServerEnd = StreamEnd<ServerFrame, ClientFrame>

/**
 * One end of a stream. Frames arrive in order. One that is lost by chance breaks the stream at both ends; one
 * that is lost on a cut link wedges its direction, as a half-open TCP connection: nothing behind it arrives, and
 * neither end is told.
 */
class StreamEnd<Out, In> {
  /** Address of the other end. */
  readonly peer: ServerAddress
  readonly #ground: StreamGround
  readonly #link: Link
  readonly #order: FrameOrder = { lastDue: 0 }
  readonly #onGone: () => void
  #other: StreamEnd<In, Out> | undefined
  #receiver: StreamReceiver<In> | undefined
  #wedged = false
  #closed = false
  #bufferedBytes = 0

  constructor(ground: StreamGround, local: ServerAddress, peer: ServerAddress, onGone: () => void) {
    this.peer = peer
    this.#ground = ground
    this.#link = ground.link(local, peer)
    this.#onGone = onGone
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Bytes sent that have not arrived. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  join(other: StreamEnd<In, Out>): void {
    this.#other = other
  }

  /** Sets who takes what arrives; to be called in the turn in which the end is handed over. */
  receive(receiver: StreamReceiver<In>): void {
    this.#receiver = receiver
  }

  /** Sends a frame, which must not be changed afterwards. `dropped` loses it as a cut link would. */
  send(frame: Out, size: number, dropped = false): void {
    if (this.#closed) return
    this.#bufferedBytes += size
    const arrive = (): void => this.#arrive(frame, size)
    const wedge = (): void => this.#lose('silent')
    this.#link.frame(this.#order, size, dropped ? wedge : arrive, (how) => this.#lose(how))
  }

  /** Ends the stream; the other end is told, behind everything that was sent. */
  close(): void {
    if (this.#closed) return
    this.#end()
    this.#link.frame(
      this.#order,
      END_BYTES,
      () => (this.#wedged ? this.#endOtherLater() : this.#other?.fail()),
      (how) => (how === 'reset' ? this.#other?.fail() : this.#endOtherLater()),
    )
  }

  /** The stream is gone: tells the receiver, once. */
  fail(): void {
    if (this.#closed) return
    this.#end()
    this.#receiver?.onClose(connectionLost(this.peer))
  }

  #arrive(frame: Out, size: number): void {
    if (this.#wedged) return
    this.#bufferedBytes -= size
    if (this.#other && !this.#other.#closed) this.#other.#receiver?.onFrame(frame)
  }

  #lose(how: FrameLoss): void {
    if (how === 'silent') {
      this.#wedged = true
      return
    }
    this.fail()
    this.#other?.fail()
  }

  #endOtherLater(): void {
    const { queue, halfOpenMs } = this.#ground
    queue.schedule(queue.now() + halfOpenMs, () => this.#other?.fail())
  }

  #end(): void {
    this.#closed = true
    this.#onGone()
  }
}

/** A connection between two servers: its two ends. */
export class Stream {
  readonly from: ServerAddress
  readonly to: ServerAddress
  readonly client: ClientEnd
  readonly server: ServerEnd
  readonly #ground: StreamGround

  constructor(ground: StreamGround, from: ServerAddress, to: ServerAddress) {
    this.from = from
    this.to = to
    this.#ground = ground
    const onGone = (): void => {
      if (this.client.closed && this.server.closed) ground.streams.delete(this)
    }
    this.client = new StreamEnd(ground, from, to, onGone)
    this.server = new StreamEnd(ground, to, from, onGone)
    this.client.join(this.server)
    this.server.join(this.client)
    ground.streams.add(this)
  }

  /** Breaks the stream; both ends learn of it at the end of this turn. */
  reset(): void {
    const { queue } = this.#ground
    queue.schedule(queue.now(), () => {
      this.client.fail()
      this.server.fail()
    })
  }
}
