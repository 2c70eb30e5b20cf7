import {
  RaftError,
  type AppendEntriesRequest,
  type AppendEntriesResponse,
  type AppendPipeline,
  type Clock,
} from '@raftkit/interface'
import { encodeRequest } from '@raftkit/wire'
import { Countdown } from '../timing/countdown.ts'
import type { OutboundConnection } from './outbound-connection.ts'
import { responseOf } from './rpc-outcome.ts'

/**
 * AppendEntries sent ahead on a connection of their own. Each answer must come within the timeout, counted from
 * the answer before it, as hashicorp/raft does; one that does not ends the pipeline.
 */
export class NetworkPipeline implements AppendPipeline {
  readonly #connection: OutboundConnection
  readonly #maxInflight: number
  readonly #timeoutMs: number
  readonly #deadline: Countdown

  constructor(
    connection: OutboundConnection,
    maxInflight: number,
    timeoutMs: number,
    clock: Clock,
  ) {
    this.#connection = connection
    this.#maxInflight = maxInflight
    this.#timeoutMs = timeoutMs
    this.#deadline = new Countdown(clock, () => connection.fail(this.#timedOut()))
    connection.watch(() => this.#deadline.end())
  }

  get closed(): boolean {
    return this.#connection.gone
  }

  get writable(): boolean {
    const connection = this.#connection
    return !connection.gone && connection.writable && connection.inflight < this.#maxInflight
  }

  send(request: AppendEntriesRequest): Promise<AppendEntriesResponse> {
    const connection = this.#connection
    if (connection.gone) return Promise.reject(this.#closedError())
    if (connection.inflight >= this.#maxInflight) return Promise.reject(this.#fullError())
    let chunks: readonly Uint8Array[]
    try {
      chunks = encodeRequest(request)
    } catch (error) {
      return Promise.reject(error)
    }
    if (connection.inflight === 0) this.#deadline.start(this.#timeoutMs)
    return connection.request('append-entries', chunks).then((reply) => {
      if (connection.inflight === 0) this.#deadline.pause()
      else this.#deadline.start(this.#timeoutMs)
      return responseOf('append-entries', connection.address, reply)
    })
  }

  close(): void {
    this.#connection.fail(this.#closedError())
  }

  #closedError(): RaftError {
    const { address } = this.#connection
    return new RaftError(
      'RAFT_PIPELINE_CLOSED',
      `the pipeline to ${address} is closed: open a new one; what was not answered may have been carried out`,
      { retryable: true, details: { address } },
    )
  }

  #fullError(): RaftError {
    const { address } = this.#connection
    return new RaftError(
      'RAFT_OVERLOADED',
      `${this.#maxInflight} requests to ${address} wait for an answer: send when the pipeline is writable ` +
        'or raise maxPipelineInflight',
      { retryable: true, details: { address, limit: this.#maxInflight } },
    )
  }

  #timedOut(): RaftError {
    const { address } = this.#connection
    return new RaftError(
      'RAFT_RPC_TIMEOUT',
      `${address} gave no answer to append-entries within ${this.#timeoutMs} ms; the pipeline is closed`,
      { retryable: true, details: { address, timeoutMs: this.#timeoutMs } },
    )
  }
}
