import { dirname, join, resolve } from 'node:path'
import type { Index, Term } from '@raftkit/interface'
import { corrupt } from './disk-failure.ts'
import { decodeMeta, META_FILE, type StoredMeta } from './meta-file.ts'
import type { ResolvedOptions } from './options.ts'
import { formatName, isSnapshotName, isTemporaryName, TEMPORARY_SUFFIX } from './snapshot-name.ts'

/** Directory inside the given one that holds the snapshots, as in hashicorp/raft. */
const SNAPSHOTS_DIRECTORY = 'snapshots'
/** File that is made and removed at open to learn whether the directory can be written, as in hashicorp/raft. */
const PROBE_FILE = 'permTest'

/** The directory that holds all snapshots, one directory each. Failures are those of the file system. */
export class SnapshotDirectory {
  /** Absolute path. */
  readonly path: string
  readonly #parent: string
  readonly #options: ResolvedOptions
  #lastMillis = 0

  constructor(directory: string, options: ResolvedOptions) {
    this.#parent = resolve(directory)
    this.path = join(this.#parent, SNAPSHOTS_DIRECTORY)
    this.#options = options
  }

  /** Where the finished snapshot `id` is. */
  pathOf(id: string): string {
    return join(this.path, id)
  }

  /** Where the snapshot `id` is while it is written. */
  temporaryPathOf(id: string): string {
    return join(this.path, id + TEMPORARY_SUFFIX)
  }

  /** Makes the directory if need be, proves that it can be written, and removes unfinished snapshots. */
  async prepare(): Promise<void> {
    const { fileSystem } = this.#options
    if (await fileSystem.createDirectory(this.#parent))
      await fileSystem.syncDirectory(dirname(this.#parent))
    if (await fileSystem.createDirectory(this.path)) await fileSystem.syncDirectory(this.#parent)
    await this.#probe()
    await this.#sweep()
  }

  /** Names of all directories that are not temporary, damaged snapshots and foreign ones among them. */
  async names(): Promise<readonly string[]> {
    const names = await this.#options.fileSystem.listDirectories(this.path)
    return names.filter((name) => !name.endsWith(TEMPORARY_SUFFIX))
  }

  /** Reads the description of one. Throws `RAFT_SNAPSHOT_CORRUPT` when it is not what it should be. */
  async readMeta(name: string): Promise<StoredMeta> {
    const { fileSystem, maxMetaBytes } = this.#options
    const path = this.pathOf(name)
    if (!isSnapshotName(name)) throw corrupt(path, 'its name is not that of a snapshot')
    const file = await fileSystem.openFile(join(path, META_FILE))
    try {
      const size = await file.size()
      if (size > maxMetaBytes)
        throw corrupt(path, `meta.json has ${size} bytes, more than maxMetaBytes (${maxMetaBytes})`)
      const bytes = new Uint8Array(size)
      const filled = await file.read(bytes, 0)
      return decodeMeta(bytes.subarray(0, filled), name, path)
    } finally {
      await file.close()
    }
  }

  /** Makes the temporary directory of a new snapshot under a name that no other has, and returns the id. */
  async begin(term: Term, index: Index): Promise<string> {
    const { fileSystem, wallTime } = this.#options
    const taken = new Set(await this.names())
    for (let millis = Math.trunc(wallTime()); ; millis++) {
      millis = Math.max(millis, this.#lastMillis + 1)
      const id = formatName({ term, index, millis })
      if (taken.has(id)) continue
      this.#lastMillis = millis
      if (await fileSystem.createDirectory(this.temporaryPathOf(id))) return id
    }
  }

  /**
   * Removes those finished snapshots for which `mayRemove` still holds when their turn comes. They lose their names
   * first, so that a crash leaves no half snapshot under a name that counts.
   */
  async remove(ids: readonly string[], mayRemove: (id: string) => boolean): Promise<void> {
    const { fileSystem, logger } = this.#options
    const renamed: string[] = []
    for (const id of ids) {
      if (!mayRemove(id)) continue
      await fileSystem.rename(this.pathOf(id), this.temporaryPathOf(id))
      renamed.push(id)
    }
    if (renamed.length === 0) return
    await fileSystem.syncDirectory(this.path)
    for (const id of renamed) {
      await fileSystem.remove(this.temporaryPathOf(id))
      logger.debug({ snapshot: id }, 'removed an older snapshot')
    }
  }

  async #probe(): Promise<void> {
    const { fileSystem } = this.#options
    const path = join(this.path, PROBE_FILE)
    await fileSystem.remove(path)
    const file = await fileSystem.createFile(path)
    await file.close()
    await fileSystem.remove(path)
  }

  /** Unfinished snapshots of an earlier process are worth nothing. hashicorp/raft keeps them for ever. */
  async #sweep(): Promise<void> {
    const { fileSystem, logger } = this.#options
    for (const name of await fileSystem.listDirectories(this.path)) {
      if (!isTemporaryName(name)) continue
      await fileSystem.remove(join(this.path, name))
      logger.info({ path: join(this.path, name) }, 'removed an unfinished snapshot')
    }
  }
}
