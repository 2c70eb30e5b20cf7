// The options of FileSnapshotStore, their defaults and their ranges.
import { RaftError, silentLogger, type Logger } from '@raftkit/interface'
import { nodeFileSystem, type FileSystem } from './file-system.ts'

/** How a {@link FileSnapshotStore} works. Every field has a default. */
export interface FileSnapshotStoreOptions {
  /** Finished snapshots kept, at least 1; older ones are removed when a new one is saved. Default 2. */
  readonly retain?: number
  /** Where the store tells of swept, skipped and removed directories. Default: nowhere. */
  readonly logger?: Logger
  /** Bytes collected before a write to disk, 4096 to 64 MiB. One such buffer for each open sink. Default 256 KiB. */
  readonly bufferBytes?: number
  /** Bytes of a piece handed out when a snapshot is read, 4096 to 64 MiB. Default 256 KiB. */
  readonly readChunkBytes?: number
  /** Bytes of state at which a snapshot is given up. Default 2^53 - 1: no limit but the disk. */
  readonly maxSnapshotBytes?: number
  /** Bytes of meta.json above which a snapshot counts as damaged. Default 1 MiB. */
  readonly maxMetaBytes?: number
  /** Milliseconds since the Unix epoch, for names only. Default `Date.now`. */
  readonly wallTime?: () => number
  /** The file operations. Default: Node's. For tests that delay or fail them. */
  readonly fileSystem?: FileSystem
}

const KIB = 1024
const MIB = 1024 * KIB

/** Options with every default filled in. */
export type ResolvedOptions = Required<FileSnapshotStoreOptions>

/** Fills in the defaults. Throws one `RAFT_INVALID_ARGUMENT` that names all that is out of range. */
export function resolveOptions(options: FileSnapshotStoreOptions): ResolvedOptions {
  const resolved: ResolvedOptions = {
    retain: options.retain ?? 2,
    logger: options.logger ?? silentLogger,
    bufferBytes: options.bufferBytes ?? 256 * KIB,
    readChunkBytes: options.readChunkBytes ?? 256 * KIB,
    maxSnapshotBytes: options.maxSnapshotBytes ?? Number.MAX_SAFE_INTEGER,
    maxMetaBytes: options.maxMetaBytes ?? MIB,
    wallTime: options.wallTime ?? Date.now,
    fileSystem: options.fileSystem ?? nodeFileSystem,
  }
  const problems = [
    outOfRange('retain', resolved.retain, 1, Number.MAX_SAFE_INTEGER),
    outOfRange('bufferBytes', resolved.bufferBytes, 4 * KIB, 64 * MIB),
    outOfRange('readChunkBytes', resolved.readChunkBytes, 4 * KIB, 64 * MIB),
    outOfRange('maxSnapshotBytes', resolved.maxSnapshotBytes, 1, Number.MAX_SAFE_INTEGER),
    outOfRange('maxMetaBytes', resolved.maxMetaBytes, KIB, 64 * MIB),
  ].filter((problem) => problem !== undefined)
  if (problems.length > 0)
    throw new RaftError(
      'RAFT_INVALID_ARGUMENT',
      `options of FileSnapshotStore: ${problems.join('; ')}`,
      { details: { problems } },
    )
  return resolved
}

function outOfRange(name: string, value: number, low: number, high: number): string | undefined {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return undefined
  return `${name} must be an integer from ${low} to ${high}, not ${value}`
}
