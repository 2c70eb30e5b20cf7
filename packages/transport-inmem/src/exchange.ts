import type { RpcRequest, ServerAddress } from '@raftkit/interface'
import type { Fabric } from './fabric.ts'
import { copyRequest, sizeOf } from './message-copy.ts'
import { connectionLost, dialFailed } from './pending.ts'
import type { Answer, ServedContext } from './serving.ts'

/** What a notice without a message counts as, bytes. */
const NOTICE_BYTES = 64

/** What an {@link Exchange} tells its caller. More than one may come when messages are duplicated: take the first. */
export interface ExchangeEvents {
  readonly onAnswer: (answer: Answer) => void
  readonly onError: (error: Error) => void
}

/** One call over the network: the request there and its answer back, as datagrams that faults may befall. */
export class Exchange {
  readonly #fabric: Fabric
  readonly #from: ServerAddress
  readonly #to: ServerAddress
  readonly #events: ExchangeEvents
  /** What the handler of the peer was given; two when the request was duplicated. */
  readonly #served: ServedContext[] = []
  #abandoned = false

  constructor(
    fabric: Fabric,
    from: ServerAddress,
    to: ServerAddress,
    request: RpcRequest,
    events: ExchangeEvents,
  ) {
    this.#fabric = fabric
    this.#from = from
    this.#to = to
    this.#events = events
    if (!fabric.passes({ from, to, kind: 'request', message: request })) return
    fabric.link(from, to).datagram(sizeOf(request), () => {
      const copy = copyRequest(request)
      return () => this.#arrive(copy)
    })
  }

  /** The caller no longer waits: tells the peer, whose handler sees its signal aborted. */
  abandon(): void {
    this.#fabric.link(this.#from, this.#to).datagram(NOTICE_BYTES, () => () => {
      this.#abandoned = true
      for (const served of this.#served) served.abort()
    })
  }

  #arrive(request: RpcRequest): void {
    const listener = this.#fabric.listeners.get(this.#to)
    if (!listener) {
      this.#back(NOTICE_BYTES, () => this.#events.onError(dialFailed(this.#to)))
      return
    }
    const served = listener.serve(request, this.#from, (answer) => this.#reply(answer))
    if (this.#abandoned) served.abort()
    else this.#served.push(served)
  }

  #reply(answer: Answer | 'lost'): void {
    if (answer === 'lost') {
      this.#back(NOTICE_BYTES, () => this.#events.onError(connectionLost(this.#to)))
      return
    }
    if ('response' in answer) {
      const message = { from: this.#to, to: this.#from, kind: 'response' } as const
      if (!this.#fabric.passes({ ...message, message: answer.response })) return
    }
    const size = 'response' in answer ? sizeOf(answer.response) : NOTICE_BYTES
    this.#back(size, () => this.#events.onAnswer(answer))
  }

  #back(size: number, deliver: () => void): void {
    this.#fabric.link(this.#to, this.#from).datagram(size, () => deliver)
  }
}
