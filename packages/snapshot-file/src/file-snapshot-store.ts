import { join } from 'node:path'
import {
  isSafeNumber,
  messageOf,
  RaftError,
  type OpenSnapshot,
  type SnapshotDescription,
  type SnapshotMeta,
  type SnapshotSink,
  type SnapshotStore,
} from '@raftkit/interface'
import { diskFailure, isDamage, readFailure } from './disk-failure.ts'
import { FileSnapshotSink } from './file-snapshot-sink.ts'
import { errorCode, type ReadableFile } from './file-system.ts'
import { OpenedSnapshot } from './opened-snapshot.ts'
import { resolveOptions, type FileSnapshotStoreOptions, type ResolvedOptions } from './options.ts'
import { SnapshotDirectory } from './snapshot-directory.ts'
import { isSnapshotName } from './snapshot-name.ts'
import { STATE_FILE, streamState, verifyState } from './state-file.ts'

/**
 * Keeps snapshots as directories of files in hashicorp/raft's layout: `<directory>/snapshots/<id>/meta.json` and
 * `state.bin`. One process at a time may have a directory open; the lock of the log store beside it sees to that.
 */
export class FileSnapshotStore implements SnapshotStore {
  readonly #directory: SnapshotDirectory
  readonly #options: ResolvedOptions
  /** How often each snapshot is open for reading: those are not removed. */
  readonly #readers = new Map<string, number>()
  #removing: Promise<void> = Promise.resolve()

  private constructor(directory: SnapshotDirectory, options: ResolvedOptions) {
    this.#directory = directory
    this.#options = options
  }

  /**
   * Opens the snapshots in `directory`, which is made when only it is missing (its parent must exist). Removes what
   * an earlier process left unfinished. Rejects with `RAFT_STORE_UNUSABLE` when the directory cannot be made, read
   * or written, `RAFT_INVALID_ARGUMENT` when an option is out of range.
   */
  static async open(
    directory: string,
    options: FileSnapshotStoreOptions = {},
  ): Promise<FileSnapshotStore> {
    const resolved = resolveOptions(options)
    const snapshots = new SnapshotDirectory(directory, resolved)
    try {
      await snapshots.prepare()
    } catch (error) {
      throw diskFailure('RAFT_STORE_UNUSABLE', 'keep snapshots in', snapshots.path, error)
    }
    return new FileSnapshotStore(snapshots, resolved)
  }

  /**
   * Begins a snapshot. Rejects with `RAFT_SNAPSHOT_FAILED` when the disk refuses, `RAFT_INVALID_ARGUMENT` when a
   * number is not an integer from 0 to 2^53 - 1.
   */
  async create(description: SnapshotDescription): Promise<SnapshotSink> {
    checkNumbers(description)
    const { fileSystem, logger, bufferBytes, maxSnapshotBytes } = this.#options
    const directory = this.#directory
    let id: string | undefined
    try {
      id = await directory.begin(description.term, description.index)
      const state = await fileSystem.createFile(join(directory.temporaryPathOf(id), STATE_FILE))
      return new FileSnapshotSink({
        fileSystem,
        logger,
        directory,
        id,
        description,
        state,
        bufferBytes,
        maxSnapshotBytes,
        onSaved: (saved) => this.#removeSurplus(saved),
      })
    } catch (error) {
      if (id !== undefined) await fileSystem.remove(directory.temporaryPathOf(id)).catch(() => {})
      throw diskFailure('RAFT_SNAPSHOT_FAILED', 'begin a snapshot in', directory.path, error)
    }
  }

  /**
   * Finished snapshots, newest first: by term, then index, then id. Damaged ones are left out with a warning.
   * Rejects with `RAFT_STORE_FAILED` when it cannot tell, for example for want of file descriptors.
   */
  async list(): Promise<readonly SnapshotMeta[]> {
    const metas: SnapshotMeta[] = []
    const damaged = new Map<string, unknown>()
    try {
      for (const name of await this.#directory.names()) {
        try {
          metas.push((await this.#directory.readMeta(name)).meta)
        } catch (error) {
          if (!isDamage(error)) throw error
          damaged.set(name, error)
        }
      }
      if (damaged.size > 0) await this.#warnOfDamage(damaged)
    } catch (error) {
      throw diskFailure('RAFT_STORE_FAILED', 'list the snapshots in', this.#directory.path, error)
    }
    return metas.sort(newestFirst)
  }

  /**
   * Opens a snapshot whose state was read in full and found to be what was written, before any byte is handed out.
   * Rejects with `RAFT_SNAPSHOT_CORRUPT` (use an older one), `RAFT_SNAPSHOT_NOT_FOUND`, or `RAFT_SNAPSHOT_FAILED`
   * when the files cannot be read at all.
   */
  async open(id: string): Promise<OpenSnapshot & AsyncDisposable> {
    if (!isSnapshotName(id)) throw this.#notFound(id)
    const { fileSystem, readChunkBytes } = this.#options
    const path = this.#directory.pathOf(id)
    const release = this.#holdForReading(id)
    let opened: ReadableFile | undefined
    try {
      const stored = await this.#directory.readMeta(id)
      const file = await fileSystem.openFile(join(path, STATE_FILE))
      opened = file
      await verifyState(file, stored, readChunkBytes, path)
      const { meta } = stored
      const stream = () => streamState(file, meta.size, readChunkBytes, path)
      return new OpenedSnapshot(meta, file, stream, release)
    } catch (error) {
      release()
      await opened?.close().catch(() => {})
      throw await this.#openFailure(id, path, error)
    }
  }

  async #openFailure(id: string, path: string, error: unknown): Promise<RaftError> {
    if (errorCode(error) === 'ENOENT') {
      const names = await this.#directory.names().catch((): readonly string[] => [])
      if (!names.includes(id)) return this.#notFound(id)
    }
    return readFailure(path, error)
  }

  async #warnOfDamage(damaged: ReadonlyMap<string, unknown>): Promise<void> {
    const present = await this.#directory.names()
    for (const [name, error] of damaged) {
      // One that was removed while the list was made is not damaged.
      if (!present.includes(name)) continue
      this.#options.logger.warn(
        { snapshot: name, reason: messageOf(error) },
        'a damaged snapshot is passed over',
      )
    }
  }

  #holdForReading(id: string): () => void {
    this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1)
    return () => {
      const left = (this.#readers.get(id) ?? 1) - 1
      if (left === 0) this.#readers.delete(id)
      else this.#readers.set(id, left)
    }
  }

  /** Removes what is beyond `retain`, never the snapshot just saved. A failure is logged: the new one is safe. */
  #removeSurplus(saved: string): Promise<void> {
    this.#removing = this.#removing.then(async () => {
      try {
        const surplus = (await this.list()).slice(this.#options.retain).map((meta) => meta.id)
        await this.#directory.remove(surplus, (id) => id !== saved && !this.#readers.has(id))
      } catch (error) {
        this.#options.logger.warn(
          { path: this.#directory.path, reason: messageOf(error) },
          'could not remove older snapshots; tried again after the next one',
        )
      }
    })
    return this.#removing
  }

  #notFound(id: string): RaftError {
    const { path } = this.#directory
    return new RaftError(
      'RAFT_SNAPSHOT_NOT_FOUND',
      `there is no snapshot ${JSON.stringify(id)} in ${path}; list() names those there are`,
      { details: { id, path } },
    )
  }
}

function newestFirst(a: SnapshotMeta, b: SnapshotMeta): number {
  return b.term - a.term || b.index - a.index || (a.id < b.id ? 1 : -1)
}

function checkNumbers(description: SnapshotDescription): void {
  for (const name of ['term', 'index', 'configurationIndex'] as const) {
    const value: unknown = description[name]
    if (!isSafeNumber(value))
      throw new RaftError(
        'RAFT_INVALID_ARGUMENT',
        `${name} of a snapshot must be an integer from 0 to 2^53 - 1, not ${String(value)}`,
      )
  }
}
