import {
  type AppendEntriesRequest,
  type AppendPipeline,
  type Clock,
  messageOf,
  type Logger,
  type Peer,
  RaftError,
  type RpcResponse,
  type Transport,
} from '@raftkit/interface'
import type { ConsensusEvent, SendFailure } from '../../consensus/events.ts'
import { attempt } from './attempt.ts'
import { answerOf, isRaftkit } from './rpc-messages.ts'
import { Watchdog } from '../watchdog.ts'

/** What a replicator works with. */
export interface ReplicatorParts {
  readonly transport: Transport
  readonly clock: Clock
  readonly rpcTimeoutMs: number
  readonly logger: Logger
  readonly submit: (event: ConsensusEvent) => void
}

/** A request that waits for the pipeline to open. At most consensus' window of them. */
interface Waiting {
  readonly sendId: number
  readonly request: AppendEntriesRequest
}

/**
 * AppendEntries to one peer: probes are calls, one at a time; once the logs agree, requests go ahead on a pipeline that
 * is opened when it is first needed and again after it broke. Consensus bounds what is under way and paces retries.
 */
export class Replicator {
  readonly #parts: ReplicatorParts
  readonly #watchdog: Watchdog
  #peer: Peer
  #pipeline: AppendPipeline | undefined
  #opening = false
  #unanswered = 0
  readonly #waiting: Waiting[] = []
  #closed = false

  constructor(peer: Peer, parts: ReplicatorParts) {
    this.#peer = peer
    this.#parts = parts
    this.#watchdog = new Watchdog(parts.clock, parts.rpcTimeoutMs, () => this.#pipeline?.close())
  }

  /** The peer's address may change with its configuration. */
  set peer(peer: Peer) {
    if (peer.address !== this.#peer.address) this.#dropPipeline()
    this.#peer = peer
  }

  /** One request, one answer. */
  probe(sendId: number, request: AppendEntriesRequest): void {
    const { transport, rpcTimeoutMs } = this.#parts
    attempt(() =>
      transport.call<'append-entries'>(this.#peer, request, { timeoutMs: rpcTimeoutMs }),
    ).then(
      (response) => this.#answered(sendId, response),
      (error: unknown) => this.#failed(sendId, error),
    )
  }

  /** Sends ahead. */
  send(sendId: number, request: AppendEntriesRequest): void {
    const pipeline = this.#pipeline
    if (pipeline !== undefined && !pipeline.closed) this.#sendOn(pipeline, sendId, request)
    else {
      this.#waiting.push({ sendId, request })
      if (!this.#opening) this.#open()
    }
  }

  /** Ends the pipeline. Answers that still come are of no use to anybody. */
  close(): void {
    this.#closed = true
    this.#waiting.length = 0
    this.#watchdog.close()
    this.#dropPipeline()
  }

  #open(): void {
    const { transport, rpcTimeoutMs } = this.#parts
    this.#opening = true
    attempt(() => transport.openPipeline(this.#peer, { timeoutMs: rpcTimeoutMs })).then(
      (pipeline) => this.#opened(pipeline),
      (error: unknown) => {
        this.#opening = false
        for (const { sendId } of this.#waiting.splice(0)) this.#failed(sendId, error)
      },
    )
  }

  #opened(pipeline: AppendPipeline): void {
    this.#opening = false
    if (this.#closed) return pipeline.close()
    this.#pipeline = pipeline
    this.#unanswered = 0
    for (const { sendId, request } of this.#waiting.splice(0))
      this.#sendOn(pipeline, sendId, request)
  }

  #sendOn(pipeline: AppendPipeline, sendId: number, request: AppendEntriesRequest): void {
    if (this.#unanswered++ === 0) this.#watchdog.start()
    attempt(() => pipeline.send(request)).then(
      (response) => {
        this.#progress(pipeline)
        this.#answered(sendId, response)
      },
      (error: unknown) => {
        this.#progress(pipeline)
        this.#failed(sendId, error)
      },
    )
  }

  #progress(pipeline: AppendPipeline): void {
    if (pipeline !== this.#pipeline) return
    if (--this.#unanswered > 0) this.#watchdog.start()
    else this.#watchdog.stop()
    if (pipeline.closed) this.#dropPipeline()
  }

  #dropPipeline(): void {
    const pipeline = this.#pipeline
    this.#pipeline = undefined
    this.#watchdog.stop()
    pipeline?.close()
  }

  #answered(sendId: number, response: RpcResponse): void {
    this.#parts.submit(answered(this.#peer, sendId, response))
  }

  #failed(sendId: number, error: unknown): void {
    this.#parts.logger.debug(
      { peer: this.#peer.id, error: messageOf(error) },
      'AppendEntries was not answered',
    )
    this.#parts.submit(sendFailed(this.#peer, sendId, error))
  }
}

/** What consensus learns from a response. */
export function answered(peer: Peer, sendId: number, response: RpcResponse): ConsensusEvent {
  return {
    type: 'answered',
    peer: peer.id,
    sendId,
    answer: answerOf(response),
    isRaftkit: isRaftkit(response.header),
    diskId: response.header.diskId,
  }
}

/** What consensus learns from a send that failed. */
export function sendFailed(peer: Peer, sendId: number, error: unknown): ConsensusEvent {
  return { type: 'send-failed', peer: peer.id, sendId, failure: failureOf(error) }
}

function failureOf(error: unknown): SendFailure {
  if (RaftError.is(error, 'RAFT_RPC_UNSUPPORTED')) return 'unsupported'
  return RaftError.is(error, 'RAFT_REMOTE_ERROR') ? 'refused' : 'unreachable'
}
