import {
  type Clock,
  type InstallSnapshotRequest,
  type Logger,
  messageOf,
  type OpenSnapshot,
  RaftError,
  type RpcHeader,
  type ServerId,
  type SnapshotStore,
  type Transport,
} from '@raftkit/interface'
import { encodeConfiguration, encodePeers } from '@raftkit/wire'
import type { Effect } from '../../consensus/effects.ts'
import type { ConsensusEvent } from '../../consensus/events.ts'
import { openNewest } from './newest-snapshot.ts'
import { closeSnapshot } from './snapshot-restore.ts'
import { answered, sendFailed } from '../network/replicator.ts'
import { SNAPSHOT_VERSION } from '../network/rpc-messages.ts'
import { Watchdog } from '../watchdog.ts'

/** What the snapshot sender works with. */
export interface SnapshotSenderParts {
  readonly transport: Transport
  readonly store: SnapshotStore
  readonly clock: Clock
  readonly stallMs: number
  readonly header: RpcHeader
  readonly logger: Logger
  readonly submit: (event: ConsensusEvent) => void
}

type SendSnapshot = Extract<Effect, { type: 'send-snapshot' }>

/** Sends the newest snapshot to peers whose entries are compacted away (§7), as a stream at the pace of the peer. */
export class SnapshotSender {
  readonly #parts: SnapshotSenderParts
  readonly #sends = new Map<ServerId, AbortController>()

  constructor(parts: SnapshotSenderParts) {
    this.#parts = parts
  }

  /** Snapshots on their way. */
  get active(): number {
    return this.#sends.size
  }

  send(effect: SendSnapshot): void {
    const { to } = effect
    this.drop(to.id)
    const abort = new AbortController()
    this.#sends.set(to.id, abort)
    this.#send(effect, abort)
      .then(
        (event) => this.#parts.submit(event),
        (error: unknown) => {
          this.#parts.logger.warn(
            { peer: to.id, error: messageOf(error) },
            'the snapshot did not reach the follower',
          )
          this.#parts.submit(sendFailed(to, effect.sendId, error))
        },
      )
      .finally(() => {
        if (this.#sends.get(to.id) === abort) this.#sends.delete(to.id)
      })
  }

  /** Stops sending to a peer. */
  drop(peer: ServerId): void {
    this.#sends
      .get(peer)
      ?.abort(new RaftError('RAFT_ABORTED', 'the snapshot is not needed any more'))
    this.#sends.delete(peer)
  }

  close(): void {
    for (const peer of this.#sends.keys()) this.drop(peer)
  }

  async #send(effect: SendSnapshot, abort: AbortController): Promise<ConsensusEvent> {
    const { to, sendId, term } = effect
    const { transport, store, clock, stallMs, logger, submit } = this.#parts
    const opened = await openNewest(store, logger)
    const watchdog = new Watchdog(clock, stallMs, (forMs) =>
      abort.abort(
        new RaftError('RAFT_RPC_TIMEOUT', `the snapshot made no progress for ${forMs} ms`, {
          retryable: true,
        }),
      ),
    )
    try {
      const { index, term: lastTerm, size } = opened.meta
      submit({ type: 'snapshot-opened', peer: to.id, sendId, index, term: lastTerm })
      logger.info({ peer: to.id, index, bytes: size }, 'sending a snapshot')
      watchdog.start()
      const response = await transport.installSnapshot(
        to,
        this.#request(opened, term),
        watched(opened.state, watchdog),
        { signal: abort.signal },
      )
      return answered(to, sendId, response)
    } finally {
      watchdog.close()
      await closeSnapshot(opened, logger)
    }
  }

  #request({ meta }: OpenSnapshot, term: number): InstallSnapshotRequest {
    return {
      type: 'install-snapshot',
      header: this.#parts.header,
      snapshotVersion: SNAPSHOT_VERSION,
      term,
      lastLogIndex: meta.index,
      lastLogTerm: meta.term,
      peers: encodePeers(meta.configuration),
      configuration: encodeConfiguration(meta.configuration),
      configurationIndex: meta.configurationIndex,
      size: meta.size,
    }
  }
}

async function* watched(
  state: AsyncIterable<Uint8Array>,
  watchdog: Watchdog,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of state) {
    watchdog.start()
    yield chunk
  }
  watchdog.start()
}
