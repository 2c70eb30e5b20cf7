import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  AppendPipeline,
  ServerAddress,
} from '@raftkit/interface'
import { sizeOf } from './message-copy.ts'
import { pipelineClosed } from './pending.ts'
import type { Pending } from './pending.ts'
import { tooManySends } from './pipeline.ts'
import type { PipelineLimits } from './pipeline.ts'

/** What a {@link DatagramPipeline} runs on. */
export interface DatagramPipelineOptions {
  readonly peer: ServerAddress
  readonly limits: PipelineLimits
  /** Sends one call. */
  readonly call: (request: AppendEntriesRequest) => Pending<AppendEntriesResponse>
  /** Called once, when the pipeline is closed. */
  readonly onClosed: () => void
}

/** A pipeline without a connection: every send is a call of its own, lost, doubled, overtaken and late by itself. */
export class DatagramPipeline implements AppendPipeline {
  readonly #options: DatagramPipelineOptions
  readonly #outstanding = new Set<Pending<AppendEntriesResponse>>()
  #bytes = 0
  #closed = false

  constructor(options: DatagramPipelineOptions) {
    this.#options = options
  }

  get closed(): boolean {
    return this.#closed
  }

  get writable(): boolean {
    const { maxBufferedBytes, maxPipelinedSends } = this.#options.limits
    return (
      !this.#closed && this.#bytes < maxBufferedBytes && this.#outstanding.size < maxPipelinedSends
    )
  }

  async send(request: AppendEntriesRequest): Promise<AppendEntriesResponse> {
    const { peer, limits, call } = this.#options
    if (this.#closed) throw pipelineClosed(peer)
    if (this.#outstanding.size >= limits.maxPipelinedSends)
      throw tooManySends(peer, limits.maxPipelinedSends)
    const size = sizeOf(request)
    const pending = call(request)
    this.#outstanding.add(pending)
    this.#bytes += size
    try {
      return await pending.promise
    } finally {
      this.#outstanding.delete(pending)
      this.#bytes -= size
    }
  }

  close(): void {
    this.shut(pipelineClosed(this.#options.peer))
  }

  /** Ends the pipeline; every outstanding send rejects with `error`. */
  shut(error: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.onClosed()
    for (const pending of this.#outstanding) pending.giveUp(error)
  }
}
