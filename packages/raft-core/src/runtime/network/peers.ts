import {
  type Clock,
  type EntryBatch,
  type Logger,
  messageOf,
  type Peer,
  RaftError,
  type RpcHeader,
  type Server,
  type ServerId,
  type Transport,
} from '@raftkit/interface'
import type { RaftConfig } from '../../config.ts'
import type { Effect } from '../../consensus/effects.ts'
import type { ConsensusEvent } from '../../consensus/events.ts'
import type { ControlRequest } from '../../consensus/messages.ts'
import { attempt } from './attempt.ts'
import { answered, Replicator, sendFailed } from './replicator.ts'
import { requestOf } from './rpc-messages.ts'
import type { ServerLog } from '../log/server-log.ts'

/** What the sending side works with. */
export interface PeersParts {
  readonly transport: Transport
  readonly clock: Clock
  readonly config: Pick<RaftConfig, 'rpcTimeoutMs' | 'heartbeatTimeoutMs' | 'electionTimeoutMs'>
  readonly header: RpcHeader
  readonly log: ServerLog
  readonly logger: Logger
  readonly submit: (event: ConsensusEvent) => void
  /** The own log is damaged: the server must stop. */
  readonly onDamaged: (error: RaftError) => void
}

type ReadEntries = Extract<Effect, { type: 'read-entries' }>
type SendEntries = Extract<Effect, { type: 'send-entries' }>

/**
 * Everything that this server sends except snapshots. Votes and heartbeats are calls of their own and never wait behind
 * entries; entries go through one {@link Replicator} per peer.
 */
export class Peers {
  readonly #parts: PeersParts
  readonly #replicators = new Map<ServerId, Replicator>()
  /** The newest read of each peer: entries wait here for the `send-entries` that names them. */
  readonly #reads = new Map<ServerId, { readonly readId: number; batches: readonly EntryBatch[] }>()

  constructor(parts: PeersParts) {
    this.#parts = parts
  }

  /** Sends a vote request, a heartbeat or a TimeoutNow. */
  control(to: Server, sendId: number, control: ControlRequest): void {
    const { transport, header, config, submit, logger } = this.#parts
    const timeoutMs =
      control.type === 'heartbeat' ? config.heartbeatTimeoutMs : config.electionTimeoutMs
    attempt(() => transport.call(to, requestOf(control, header), { timeoutMs })).then(
      (response) => submit(answered(to, sendId, response)),
      (error: unknown) => {
        logger.debug({ peer: to.id, error: messageOf(error) }, `${control.type} was not answered`)
        submit(sendFailed(to, sendId, error))
      },
    )
  }

  /** Finds entries for a peer: at once when they are in memory. */
  read(effect: ReadEntries): void {
    const { peer, readId, from, to, maxBytes } = effect
    const { log } = this.#parts
    this.#reads.set(peer, { readId, batches: [] })
    const batches = log.peek(from, to, maxBytes)
    if (batches !== undefined) return this.#found(effect, batches)
    log.read(from, to, maxBytes).then(
      (batch) => this.#found(effect, [batch]),
      (error: unknown) => this.#notFound(effect, error),
    )
  }

  /** Sends AppendEntries, with the entries read before or with none. */
  entries(effect: SendEntries): void {
    const { to, sendId, lane, readId, term, prevLogIndex, prevLogTerm, leaderCommit } = effect
    const replicator = this.#replicator(to)
    replicator.peer = to
    const request = {
      type: 'append-entries',
      header: this.#parts.header,
      term,
      prevLogIndex,
      prevLogTerm,
      leaderCommit,
      entries: readId === undefined ? [] : this.#take(to.id, readId),
    } as const
    if (lane === 'probe') replicator.probe(sendId, request)
    else replicator.send(sendId, request)
  }

  /** Stops what is under way to a peer. */
  drop(peer: ServerId): void {
    this.#replicators.get(peer)?.close()
    this.#replicators.delete(peer)
    this.#reads.delete(peer)
  }

  close(): void {
    for (const peer of this.#replicators.keys()) this.drop(peer)
    this.#reads.clear()
  }

  #found(effect: ReadEntries, batches: readonly EntryBatch[]): void {
    const { peer, readId, from } = effect
    const read = this.#reads.get(peer)
    if (read?.readId !== readId) return
    read.batches = batches
    let bytes = 0
    for (const batch of batches) bytes += batch.byteLength
    const to = batches.at(-1)!.lastIndex
    this.#parts.submit({ type: 'entries-read', peer, readId, from, to, bytes })
  }

  #take(peer: ServerId, readId: number): readonly EntryBatch[] {
    const read = this.#reads.get(peer)
    this.#reads.delete(peer)
    if (read?.readId === readId) return read.batches
    throw new RaftError('RAFT_INVARIANT_VIOLATED', `the entries of read ${readId} are not at hand`)
  }

  #notFound({ peer, readId, from }: ReadEntries, error: unknown): void {
    const isCompacted = RaftError.is(error, 'RAFT_LOG_NOT_FOUND')
    if (!isCompacted)
      this.#parts.logger.error(
        { peer, index: from, error: messageOf(error) },
        'entries for a follower cannot be read from the log store',
      )
    // Another server has what is lost here. As long as this one leads, the follower waits for it.
    if (RaftError.is(error, 'RAFT_STORE_CORRUPT')) return this.#parts.onDamaged(error)
    this.#parts.submit({
      type: 'entries-unavailable',
      peer,
      readId,
      reason: isCompacted ? 'compacted' : 'failed',
    })
  }

  #replicator(peer: Peer): Replicator {
    let replicator = this.#replicators.get(peer.id)
    if (replicator === undefined) {
      const { transport, clock, logger, submit, config } = this.#parts
      const { rpcTimeoutMs } = config
      replicator = new Replicator(peer, { transport, clock, rpcTimeoutMs, logger, submit })
      this.#replicators.set(peer.id, replicator)
    }
    return replicator
  }
}
