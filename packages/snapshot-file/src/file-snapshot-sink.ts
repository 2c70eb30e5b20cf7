import { join } from 'node:path'
import {
  messageOf,
  RaftError,
  type Logger,
  type SnapshotDescription,
  type SnapshotMeta,
  type SnapshotSink,
} from '@raftkit/interface'
import { Crc64 } from './crc64.ts'
import { diskFailure } from './disk-failure.ts'
import type { FileSystem, WritableFile } from './file-system.ts'
import { encodeMeta, META_FILE, SNAPSHOT_VERSION } from './meta-file.ts'
import type { SnapshotDirectory } from './snapshot-directory.ts'

/** What a sink is given by its store. */
export interface SinkContext {
  readonly fileSystem: FileSystem
  readonly logger: Logger
  readonly directory: SnapshotDirectory
  readonly id: string
  readonly description: SnapshotDescription
  /** state.bin, new and empty. */
  readonly state: WritableFile
  readonly bufferBytes: number
  readonly maxSnapshotBytes: number
  /** Called once the snapshot is durable. */
  readonly onSaved: (id: string) => Promise<void>
}

/**
 * A snapshot being written to `<id>.tmp`. Nobody takes it for a snapshot before {@link close} has renamed that
 * directory, and by then all in it is durable. Calls are carried out one after another, also when not awaited.
 */
export class FileSnapshotSink implements SnapshotSink {
  readonly id: string
  readonly #context: SinkContext
  readonly #temporary: string
  readonly #final: string
  readonly #checksum = new Crc64()
  readonly #buffer: Uint8Array
  #buffered = 0
  #size = 0
  #renamed = false
  #phase: 'writing' | 'saved' | 'cancelled' | 'failed' = 'writing'
  #failure: RaftError | undefined
  #closing: Promise<SnapshotMeta> | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(context: SinkContext) {
    this.id = context.id
    this.#context = context
    this.#final = context.directory.pathOf(context.id)
    this.#temporary = context.directory.temporaryPathOf(context.id)
    this.#buffer = new Uint8Array(context.bufferBytes)
  }

  /**
   * Adds bytes. Small writes are collected; resolves when `chunk` may be used again. Rejects with
   * `RAFT_SNAPSHOT_FAILED` when the disk refused; the snapshot is removed by then.
   */
  write(chunk: Uint8Array): Promise<void> {
    return this.#inTurn(() => this.#attempt('write the snapshot', () => this.#append(chunk)))
  }

  /** Finishes. A second call gives the same answer. After `cancel` or a failure it rejects and changes nothing. */
  close(): Promise<SnapshotMeta> {
    this.#closing ??= this.#inTurn(() => this.#finish())
    return this.#closing
  }

  cancel(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#phase !== 'writing') return
      this.#phase = 'cancelled'
      await this.#discard()
    })
  }

  async #finish(): Promise<SnapshotMeta> {
    const meta = await this.#attempt('save the snapshot', () => this.#save())
    this.#phase = 'saved'
    await this.#context.onSaved(this.id)
    return meta
  }

  async #append(chunk: Uint8Array): Promise<void> {
    const { bufferBytes, maxSnapshotBytes } = this.#context
    if (this.#size + this.#buffered + chunk.byteLength > maxSnapshotBytes)
      throw new RaftError(
        'RAFT_SNAPSHOT_FAILED',
        `the snapshot in ${this.#final} grew above maxSnapshotBytes (${maxSnapshotBytes}); raise that limit or make the state smaller`,
        { details: { path: this.#final, limit: maxSnapshotBytes } },
      )
    for (let at = 0; at < chunk.byteLength;) {
      const rest = chunk.subarray(at, at + bufferBytes - this.#buffered)
      at += rest.byteLength
      if (rest.byteLength === bufferBytes) {
        await this.#writeOut(rest)
      } else {
        this.#buffer.set(rest, this.#buffered)
        this.#buffered += rest.byteLength
        if (this.#buffered === bufferBytes) await this.#flush()
      }
    }
  }

  async #flush(): Promise<void> {
    const piece = this.#buffer.subarray(0, this.#buffered)
    this.#buffered = 0
    if (piece.byteLength > 0) await this.#writeOut(piece)
  }

  async #writeOut(piece: Uint8Array): Promise<void> {
    const writing = this.#context.state.write(piece)
    // Summed up while the disk works; the piece is small enough not to hold up the event loop.
    this.#checksum.update(piece)
    await writing
    this.#size += piece.byteLength
  }

  /**
   * The order is what makes a snapshot all or nothing: content before its description, both before the name, the
   * name before older snapshots go. hashicorp/raft leaves out the sync of the snapshot's own directory.
   */
  async #save(): Promise<SnapshotMeta> {
    const { fileSystem, directory, state, description } = this.#context
    await this.#flush()
    await state.sync()
    await state.close()
    const meta: SnapshotMeta = {
      index: description.index,
      term: description.term,
      configuration: description.configuration,
      configurationIndex: description.configurationIndex,
      id: this.id,
      version: SNAPSHOT_VERSION,
      size: this.#size,
    }
    await this.#writeMeta(encodeMeta({ meta, checksum: this.#checksum.digest() }))
    await fileSystem.syncDirectory(this.#temporary)
    await fileSystem.rename(this.#temporary, this.#final)
    this.#renamed = true
    await fileSystem.syncDirectory(directory.path)
    return meta
  }

  async #writeMeta(bytes: Uint8Array): Promise<void> {
    const file = await this.#context.fileSystem.createFile(join(this.#temporary, META_FILE))
    try {
      await file.write(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Runs `operation` while the sink is being written; when it fails, the snapshot is gone for good. */
  async #attempt<T>(attempted: string, operation: () => Promise<T>): Promise<T> {
    if (this.#phase !== 'writing') throw this.#failure ?? this.#over()
    try {
      return await operation()
    } catch (error) {
      this.#phase = 'failed'
      this.#failure = RaftError.is(error)
        ? error
        : diskFailure('RAFT_SNAPSHOT_FAILED', attempted, this.#final, error)
      await this.#discard()
      throw this.#failure
    }
  }

  #over(): RaftError {
    return new RaftError(
      'RAFT_SNAPSHOT_FAILED',
      `the snapshot in ${this.#final} is ${this.#phase} already; create another one`,
      { details: { path: this.#final } },
    )
  }

  /** Removes whatever was written. Never throws: what stays is swept when the store is opened again. */
  async #discard(): Promise<void> {
    const { fileSystem, state, logger } = this.#context
    try {
      await state.close().catch(() => {})
      if (this.#renamed) await fileSystem.rename(this.#final, this.#temporary)
      await fileSystem.remove(this.#temporary)
    } catch (error) {
      logger.warn(
        { snapshot: this.id, path: this.#temporary, reason: messageOf(error) },
        'could not remove an unfinished snapshot; it goes when the store is opened again',
      )
    }
  }

  /** One operation at a time, in the order of the calls. */
  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(operation)
    this.#turn = result.catch(() => {})
    return result
  }
}
