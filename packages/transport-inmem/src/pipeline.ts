import { RaftError } from '@raftkit/interface'
import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  AppendPipeline,
  Clock,
  ServerAddress,
  TimerHandle,
} from '@raftkit/interface'
import { copyRequest, sizeOf } from './message-copy.ts'
import { connectionLost, pipelineClosed, remoteError, timedOut } from './pending.ts'
import type { Answer } from './serving.ts'
import type { ClientEnd } from './stream.ts'

/** Limits of a pipeline, from the transport's options. */
export interface PipelineLimits {
  readonly timeoutMs: number
  readonly maxBufferedBytes: number
  readonly maxPipelinedSends: number
}

/** What a pipeline runs on. */
export interface PipelineOptions {
  readonly end: ClientEnd
  readonly clock: Clock
  readonly limits: PipelineLimits
  /** False when the request must be lost. */
  readonly passes: (request: AppendEntriesRequest) => boolean
  /** Called once, when the pipeline is closed for whatever reason. */
  readonly onClosed: (pipeline: StreamPipeline) => void
}

interface Outstanding {
  readonly resolve: (response: AppendEntriesResponse) => void
  readonly reject: (error: Error) => void
  readonly deadline: number
}

/** A pipeline over one stream: answers come in the order of the sends, a lost message ends it. */
export class StreamPipeline implements AppendPipeline {
  readonly #options: PipelineOptions
  /** Oldest first. */
  readonly #outstanding: Outstanding[] = []
  #timer: TimerHandle | undefined
  #closed = false

  constructor(options: PipelineOptions) {
    this.#options = options
    options.end.receive({
      onFrame: (frame) => {
        if (frame.type === 'answer') this.#answered(frame.answer)
      },
      onClose: (error) => this.shut(error),
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  get writable(): boolean {
    const { end, limits } = this.#options
    return (
      !this.#closed &&
      end.bufferedBytes < limits.maxBufferedBytes &&
      this.#outstanding.length < limits.maxPipelinedSends
    )
  }

  send(request: AppendEntriesRequest): Promise<AppendEntriesResponse> {
    const { end, clock, limits, passes } = this.#options
    if (this.#closed) return Promise.reject(pipelineClosed(end.peer))
    if (this.#outstanding.length >= limits.maxPipelinedSends)
      return Promise.reject(tooManySends(end.peer, limits.maxPipelinedSends))
    const frame = { type: 'request', request: copyRequest(request) } as const
    end.send(frame, sizeOf(request), !passes(request))
    return new Promise((resolve, reject) => {
      this.#outstanding.push({ resolve, reject, deadline: clock.now() + limits.timeoutMs })
      if (!this.#timer) this.#arm()
    })
  }

  close(): void {
    this.shut(pipelineClosed(this.#options.end.peer))
  }

  /** Ends the pipeline; every outstanding send rejects with `error`, the oldest with `first` when given. */
  shut(error: Error, first: Error = error): void {
    if (this.#closed) return
    this.#closed = true
    this.#timer?.cancel()
    this.#options.end.close()
    this.#options.onClosed(this)
    const outstanding = this.#outstanding.splice(0)
    for (const [i, send] of outstanding.entries()) send.reject(i === 0 ? first : error)
  }

  #answered(answer: Answer): void {
    const send = this.#outstanding.shift()
    if (!send) return
    if ('error' in answer) send.reject(remoteError(this.#options.end.peer, answer.error))
    else if (answer.response.type === 'append-entries') send.resolve(answer.response)
  }

  /** One timer for all: it looks at the oldest send and is set again for the next. */
  #arm(): void {
    const { clock, end, limits } = this.#options
    const oldest = this.#outstanding[0]
    this.#timer = undefined
    if (!oldest) return
    const left = oldest.deadline - clock.now()
    if (left > 0) this.#timer = clock.setTimer(left, () => this.#arm())
    else this.shut(connectionLost(end.peer), timedOut(answerOf(end.peer), limits.timeoutMs))
  }
}

function answerOf(peer: ServerAddress): string {
  return `answer from ${peer} to a pipelined append-entries`
}

/** More sends than a pipeline takes. */
export function tooManySends(peer: ServerAddress, limit: number): RaftError {
  return new RaftError(
    'RAFT_OVERLOADED',
    `${limit} sends to ${peer} are outstanding; wait for answers, or raise maxPipelinedSends`,
    { retryable: true, details: { peer, limit } },
  )
}
