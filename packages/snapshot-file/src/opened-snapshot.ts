import { RaftError, type OpenSnapshot, type SnapshotMeta } from '@raftkit/interface'
import type { ReadableFile } from './file-system.ts'

/** A verified snapshot whose state can be read once. Holds state.bin open until {@link OpenedSnapshot.close}. */
export class OpenedSnapshot implements OpenSnapshot {
  readonly meta: SnapshotMeta
  readonly state: AsyncIterable<Uint8Array>
  readonly #file: ReadableFile
  readonly #onClose: () => void
  #closing: Promise<void> | undefined

  constructor(
    meta: SnapshotMeta,
    file: ReadableFile,
    stream: () => AsyncIterator<Uint8Array>,
    onClose: () => void,
  ) {
    this.meta = meta
    this.#file = file
    this.#onClose = onClose
    let taken = false
    this.state = {
      [Symbol.asyncIterator]: () => {
        if (taken || this.#closing !== undefined)
          throw new RaftError(
            'RAFT_INVALID_ARGUMENT',
            `the state of snapshot ${meta.id} can be read only once and not after close; open it again`,
          )
        taken = true
        return stream()
      },
    }
  }

  /** Releases the file. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#release()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #release(): Promise<void> {
    this.#onClose()
    await this.#file.close()
  }
}
