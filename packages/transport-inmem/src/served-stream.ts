import type { RpcHandler, ServerAddress } from '@raftkit/interface'
import { sizeOf } from './message-copy.ts'
import { answerOf, ServedContext } from './serving.ts'
import type { Answer } from './serving.ts'
import { SnapshotInbox } from './snapshot-inbox.ts'
import type { ClientFrame, ServerEnd } from './stream.ts'

/** What an error answer and a notice of bytes taken count as, bytes. */
const NOTICE_BYTES = 64

/** What a {@link ServedStream} needs of its transport. */
export interface StreamServing {
  readonly end: ServerEnd
  readonly from: ServerAddress
  readonly handler: () => RpcHandler | undefined
  /** False when the answer must be lost. */
  readonly passes: (answer: Answer) => boolean
  /** Called once, when the stream is gone. */
  readonly onClosed: (stream: ServedStream) => void
}

/** A stream at the side that was dialled: hands requests over as they come and answers them in their order. */
export class ServedStream {
  readonly #serving: StreamServing
  readonly #context: ServedContext
  /** One for each request that is not answered yet, oldest first. */
  readonly #slots: { answer: Answer | undefined }[] = []
  #inbox: SnapshotInbox | undefined
  #contextOfSnapshot: ServedContext | undefined

  constructor(serving: StreamServing) {
    this.#serving = serving
    this.#context = new ServedContext(serving.from)
    serving.end.receive({
      onFrame: (frame) => this.#take(frame),
      onClose: (error) => this.#gone(error),
    })
  }

  /** Ends the stream from this side. */
  close(error: Error): void {
    this.#serving.end.close()
    this.#gone(error)
  }

  #gone(error: Error): void {
    this.#context.abort()
    this.#contextOfSnapshot?.abort()
    this.#inbox?.fail(error)
    this.#serving.onClosed(this)
  }

  #take(frame: ClientFrame): void {
    if (frame.type === 'chunk') {
      this.#inbox?.push(frame.bytes)
      return
    }
    const slot: { answer: Answer | undefined } = { answer: undefined }
    this.#slots.push(slot)
    const context =
      frame.type === 'snapshot' ? this.#receiveSnapshot(frame.request.size) : this.#context
    void answerOf(this.#serving.handler(), frame.request, context).then((answer) => {
      slot.answer = answer
      this.#sendAnswers()
    })
  }

  #receiveSnapshot(size: number): ServedContext {
    const { end, from } = this.#serving
    this.#inbox = new SnapshotInbox(size, (bytes) =>
      end.send({ type: 'taken', bytes }, NOTICE_BYTES),
    )
    this.#contextOfSnapshot = new ServedContext(from, this.#inbox.read())
    return this.#contextOfSnapshot
  }

  #sendAnswers(): void {
    const { end, passes } = this.#serving
    while (this.#slots[0]?.answer) {
      const { answer } = this.#slots.shift()!
      if (!answer) return
      const size = 'response' in answer ? sizeOf(answer.response) : NOTICE_BYTES
      end.send({ type: 'answer', answer }, size, !passes(answer))
    }
  }
}
