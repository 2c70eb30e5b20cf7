import { RaftError } from '@raftkit/interface'
import type { Metrics, ServerId } from '@raftkit/interface'

/** How a {@link LevelStore} is opened. */
export interface LevelStoreOptions {
  /**
   * The server that the store is for. Recorded when the store is made; opening it for another server is refused with
   * `RAFT_STORE_FOREIGN`. Not checked when absent here or when the store was made without.
   */
  readonly serverId?: ServerId
  /**
   * Refuse with `RAFT_STORE_MISSING` instead of making a store where none is. For a server that is known to have run
   * before: an empty directory is then a disk that is not mounted. Default false.
   */
  readonly mustExist?: boolean
  /**
   * Longest time in milliseconds, 0 to 1000, until the boundary file names an acknowledged entry, besides the time of
   * one sync. 0: `append` waits for it, at the price of a second sync in a row. Default 10.
   */
  readonly boundaryDelayMs?: number
  /** Most bytes of entries that are stored, checked and read as one block, 4096 to 2^26. Default 262144. */
  readonly maxBlockBytes?: number
  /** LevelDB's write buffer in bytes, 65536 to 2^30; up to two are in memory. Default 16 MiB. */
  readonly writeBufferBytes?: number
  /** LevelDB's cache of table blocks in bytes, 0 to 2^30. Default 8 MiB. */
  readonly cacheBytes?: number
  /** Where measurements go; see @raftkit/metrics, and `withLabels` to say which server it is. Default: nothing is measured. */
  readonly metrics?: Metrics
}

/** Options with nothing left open. */
export interface ResolvedOptions extends Required<Omit<LevelStoreOptions, 'serverId' | 'metrics'>> {
  readonly serverId: ServerId | undefined
}

/** Fills in the defaults; throws `RAFT_INVALID_ARGUMENT`. */
export function resolveOptions(options: LevelStoreOptions): ResolvedOptions {
  return {
    serverId: options.serverId,
    mustExist: options.mustExist ?? false,
    boundaryDelayMs: inRange('boundaryDelayMs', options.boundaryDelayMs ?? 10, 0, 1000),
    maxBlockBytes: inRange('maxBlockBytes', options.maxBlockBytes ?? 2 ** 18, 4096, 2 ** 26),
    writeBufferBytes: inRange(
      'writeBufferBytes',
      options.writeBufferBytes ?? 2 ** 24,
      2 ** 16,
      2 ** 30,
    ),
    cacheBytes: inRange('cacheBytes', options.cacheBytes ?? 2 ** 23, 0, 2 ** 30),
  }
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new RaftError(
    'RAFT_INVALID_ARGUMENT',
    `the option ${name} must be an integer from ${least} to ${most}, not ${value}`,
    { details: { option: name, value, least, most } },
  )
}
