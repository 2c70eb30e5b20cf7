import {
  type AppendEntriesRequest,
  type EntryBatch,
  type Index,
  type InstallSnapshotRequest,
  RaftError,
  type RpcContext,
  type RpcHeader,
  type RpcRequest,
  type RpcResponse,
} from '@raftkit/interface'
import type { ConsensusEvent } from '../../consensus/events.ts'
import type { Answer } from '../../consensus/messages.ts'
import type { EntryLimits } from '../log/received-entries.ts'
import { checkProtocol, receivedRequest, responseOf } from './rpc-messages.ts'
import { shutDown } from '../calls/refusals.ts'

/** A received request that consensus has not answered yet. */
interface Inbound {
  readonly request: Exclude<RpcRequest, { type: 'forward' }>
  readonly snapshot: AsyncIterable<Uint8Array> | undefined
  readonly resolve: (response: RpcResponse) => void
  readonly reject: (error: RaftError) => void
}

/** A snapshot that a leader sends. */
export interface InboundSnapshot {
  readonly request: InstallSnapshotRequest
  readonly state: AsyncIterable<Uint8Array>
}

/** A request for a vote, or for the promise of one. */
export type VoteRequest = Extract<RpcRequest, { type: 'request-vote' | 'request-pre-vote' }>

/** What the RPC server works with. */
export interface RpcServerParts {
  readonly header: RpcHeader
  readonly maxInbound: number
  readonly entryLimits: EntryLimits
  readonly submit: (event: ConsensusEvent) => void
  readonly onForward: (
    request: Extract<RpcRequest, { type: 'forward' }>,
    context: RpcContext,
  ) => Promise<RpcResponse>
  /** Told of every request for a vote. */
  readonly onVoteRequested: (request: VoteRequest) => void
  /** Told of the sender of every AppendEntries and InstallSnapshot. */
  readonly onLeader: (header: RpcHeader) => void
}

/** Requests of other servers: checked, numbered, given to consensus, and answered exactly once each. */
export class RpcServer {
  readonly #parts: RpcServerParts
  readonly #inbound = new Map<number, Inbound>()
  #nextId = 1
  #closed = false

  constructor(parts: RpcServerParts) {
    this.#parts = parts
  }

  /** Requests that wait for their answer. */
  get pending(): number {
    return this.#inbound.size
  }

  /** The transport's handler. Throws (or rejects) with what goes back as the RPC's error. */
  handle(request: RpcRequest, context: RpcContext): Promise<RpcResponse> {
    if (this.#closed) throw shutDown()
    checkProtocol(request.header)
    if (request.type === 'forward') return this.#parts.onForward(request, context)
    if (this.#inbound.size >= this.#parts.maxInbound)
      throw new RaftError(
        'RAFT_OVERLOADED',
        `more than ${this.#parts.maxInbound} requests wait for their answer`,
      )
    const received = receivedRequest(request, this.#parts.entryLimits)
    if (request.type === 'append-entries' || request.type === 'install-snapshot')
      this.#parts.onLeader(request.header)
    if (request.type === 'request-vote' || request.type === 'request-pre-vote')
      this.#parts.onVoteRequested(request)
    return new Promise<RpcResponse>((resolve, reject) => {
      const requestId = this.#nextId++
      this.#inbound.set(requestId, { request, snapshot: context.snapshot, resolve, reject })
      this.#parts.submit({ type: 'received', requestId, request: received })
    })
  }

  /** The entries `from .. to` of a received AppendEntries. */
  *entries(requestId: number, from: Index, to: Index): Generator<EntryBatch> {
    const { entries } = this.#request<AppendEntriesRequest>(requestId, 'append-entries')
    for (const batch of entries ?? [])
      if (batch.firstIndex <= to && batch.lastIndex >= from)
        yield batch.slice(Math.max(from, batch.firstIndex), Math.min(to, batch.lastIndex))
  }

  /** What the leader says is committed, in a received AppendEntries. */
  leaderCommit(requestId: number): Index {
    return this.#request<AppendEntriesRequest>(requestId, 'append-entries').leaderCommit
  }

  /** The snapshot of a received InstallSnapshot. */
  snapshot(requestId: number): InboundSnapshot {
    const request = this.#request<InstallSnapshotRequest>(requestId, 'install-snapshot')
    const state = this.#inbound.get(requestId)?.snapshot
    if (state === undefined)
      throw new RaftError('RAFT_INVARIANT_VIOLATED', 'a snapshot came without its state')
    return { request, state }
  }

  /** Answers a request. */
  answer(requestId: number, answer: Answer): void {
    const inbound = this.#inbound.get(requestId)
    if (inbound === undefined) return
    this.#inbound.delete(requestId)
    try {
      inbound.resolve(responseOf(answer, this.#parts.header))
    } catch (error) {
      inbound.reject(error as RaftError)
    }
  }

  /** Every request that waits, and every later one, is answered with an error. */
  close(): void {
    this.#closed = true
    for (const inbound of this.#inbound.values()) inbound.reject(shutDown())
    this.#inbound.clear()
  }

  #request<T extends Inbound['request']>(requestId: number, type: T['type']): T {
    const request = this.#inbound.get(requestId)?.request
    if (request?.type !== type)
      throw new RaftError('RAFT_INVARIANT_VIOLATED', `request ${requestId} is not an open ${type}`)
    return request as T
  }
}
