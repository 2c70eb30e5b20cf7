import {
  type AppendEntriesRequest,
  type AppendEntriesResponse,
  type AppendPipeline,
  type CallOptions,
  type CallType,
  type Clock,
  type EntryBatch,
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
  type Peer,
  type RequestOf,
  type ResponseOf,
  type RpcHandler,
  type RpcLabel,
  rpcLabelOf,
  type RpcRequest,
  type Transport,
} from '@raftkit/interface'
import type { Instruments, PeerInstruments } from './instruments.ts'
import { toSeconds } from './timing.ts'

/** The same transport; what it carries, out and in, is measured. */
export class MeasuredTransport implements Transport {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #instruments: Instruments

  constructor(transport: Transport, clock: Clock, instruments: Instruments) {
    this.#transport = transport
    this.#clock = clock
    this.#instruments = instruments
  }

  get localAddress(): string {
    return this.#transport.localAddress
  }

  setHandler(handler: RpcHandler): void {
    const { rpcHandling } = this.#instruments
    this.#transport.setHandler((request, context) => {
      const startedAt = this.#clock.now()
      const response = handler(request, context)
      const measure = (): void =>
        rpcHandling[rpcLabelOf(request)].record(toSeconds(this.#clock.now() - startedAt))
      // A refusal is an answer too.
      if (response instanceof Promise) response.then(measure, measure)
      else measure()
      return response
    })
  }

  call<T extends CallType>(
    peer: Peer,
    request: RequestOf<T>,
    options?: CallOptions,
  ): Promise<ResponseOf<T>> {
    const answer = this.#transport.call<T>(peer, request, options)
    const sent: RpcRequest = request
    const entries = sent.type === 'append-entries' ? sent.entries : null
    this.#measure(answer, rpcLabelOf(sent), this.#instruments.peer(peer.id), entries)
    return answer
  }

  installSnapshot(
    peer: Peer,
    request: InstallSnapshotRequest,
    state: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<InstallSnapshotResponse> {
    const answer = this.#transport.installSnapshot(peer, request, state, options)
    this.#measure(answer, request.type, this.#instruments.peer(peer.id), null)
    return answer
  }

  async openPipeline(peer: Peer, options?: CallOptions): Promise<AppendPipeline> {
    const instruments = this.#instruments.peer(peer.id)
    const pipeline = await this.#transport.openPipeline(peer, options)
    const send = (request: AppendEntriesRequest): Promise<AppendEntriesResponse> => {
      const answer = pipeline.send(request)
      this.#measure(answer, request.type, instruments, request.entries)
      return answer
    }
    return {
      send,
      get writable() {
        return pipeline.writable
      },
      get closed() {
        return pipeline.closed
      },
      close: () => pipeline.close(),
    }
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  #measure(
    answer: Promise<ResponseOf<CallType> | InstallSnapshotResponse>,
    label: RpcLabel,
    { durations, failures, entries: acknowledged }: PeerInstruments,
    entries: readonly EntryBatch[] | null,
  ): void {
    const startedAt = this.#clock.now()
    answer.then(
      (response) => {
        durations[label].record(toSeconds(this.#clock.now() - startedAt))
        if (response.type === 'append-entries' && response.success && entries !== null)
          for (const { firstIndex, lastIndex } of entries)
            acknowledged.add(lastIndex - firstIndex + 1)
      },
      () => failures[label].add(1),
    )
  }
}
