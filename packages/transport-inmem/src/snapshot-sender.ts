import { messageOf, RaftError } from '@raftkit/interface'
import type { InstallSnapshotRequest, InstallSnapshotResponse } from '@raftkit/interface'
import { copyRequest, sizeOf } from './message-copy.ts'
import { remoteError } from './pending.ts'
import type { Pending } from './pending.ts'
import type { Answer } from './serving.ts'
import type { ClientEnd } from './stream.ts'

/** The largest frame of a snapshot, bytes. */
const CHUNK_BYTES = 64 * 1024

/** What a {@link SnapshotSender} sends, how and to whom. */
export interface SnapshotSending {
  readonly end: ClientEnd
  readonly request: InstallSnapshotRequest
  readonly state: AsyncIterable<Uint8Array>
  /** Settled with the outcome; when it settles for another reason, the sender must be stopped. */
  readonly pending: Pending<InstallSnapshotResponse>
  /** Bytes that may be sent ahead of what the receiver took. */
  readonly windowBytes: number
  /** True when the request must be lost. */
  readonly dropped: boolean
}

/** Sends a snapshot over one stream, no faster than the receiver's handler takes it. */
export class SnapshotSender {
  readonly #sending: SnapshotSending
  #iterator: AsyncIterator<Uint8Array> | undefined
  #sent = 0
  #taken = 0
  #stopped = false
  #wake: () => void = () => {}

  constructor(sending: SnapshotSending) {
    this.#sending = sending
    const { end, request, pending } = sending
    end.receive({
      onFrame: (frame) => {
        if (frame.type === 'answer') this.#answered(frame.answer)
        else {
          this.#taken += frame.bytes
          this.#wake()
        }
      },
      onClose: (error) => pending.fail(error),
    })
    const frame = { type: 'snapshot', request: copyRequest(request) } as const
    end.send(frame, sizeOf(request), sending.dropped)
    void this.#pump()
  }

  /** Ends the stream and lets go of the source. Idempotent. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#sending.end.close()
    this.#wake()
    // The outcome is settled; a source that fails while it is let go has nobody left to tell.
    Promise.resolve(this.#iterator?.return?.()).catch(() => {})
  }

  #answered(answer: Answer): void {
    const { end, pending } = this.#sending
    if ('error' in answer) pending.fail(remoteError(end.peer, answer.error))
    else if (answer.response.type === 'install-snapshot') pending.succeed(answer.response)
  }

  async #pump(): Promise<void> {
    const { request, state, pending } = this.#sending
    try {
      const iterator = state[Symbol.asyncIterator]()
      this.#iterator = iterator
      while (!this.#stopped) {
        const next = await iterator.next()
        if (next.done) break
        await this.#sendChunk(next.value)
      }
      if (!this.#stopped && this.#sent < request.size) pending.fail(wrongSize(request, this.#sent))
    } catch (error) {
      pending.fail(
        new RaftError(
          'RAFT_SNAPSHOT_FAILED',
          `the snapshot could not be read after ${this.#sent} bytes: ${messageOf(error)}`,
          { cause: error, details: { sent: this.#sent, size: request.size } },
        ),
      )
    }
  }

  async #sendChunk(chunk: Uint8Array): Promise<void> {
    const { end, request, pending, windowBytes } = this.#sending
    if (this.#sent + chunk.length > request.size) {
      pending.fail(wrongSize(request, this.#sent + chunk.length))
      return
    }
    for (let start = 0; start < chunk.length; start += CHUNK_BYTES) {
      while (!this.#stopped && this.#sent - this.#taken >= windowBytes)
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      if (this.#stopped) return
      const bytes = chunk.slice(start, start + CHUNK_BYTES)
      this.#sent += bytes.length
      end.send({ type: 'chunk', bytes }, bytes.length)
    }
  }
}

function wrongSize(request: InstallSnapshotRequest, found: number): RaftError {
  return new RaftError(
    'RAFT_SNAPSHOT_FAILED',
    `the snapshot has ${found < request.size ? 'only' : 'at least'} ${found} bytes, its request says ${request.size}`,
    { details: { found, size: request.size } },
  )
}
