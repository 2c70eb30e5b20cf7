import { RaftError, type RaftErrorCode } from '@raftkit/interface'
import type { DiskImage } from '../disk/disk-image.ts'
import type { Mark } from '../marks/marks.ts'

/** What a server says that finds its disk damaged. */
const DAMAGE_CODES: readonly RaftErrorCode[] = [
  'RAFT_STORE_CORRUPT',
  'RAFT_SNAPSHOT_CORRUPT',
  'RAFT_STORE_LOST_DATA',
  'RAFT_LOG_GAP',
]

/** What kind of damage the error of a server tells of; undefined when it tells of none, or there is none. */
export function damageMark(error: unknown, image: DiskImage, isRunning: boolean): Mark | undefined {
  if (!image.isDamaged || !RaftError.is(error) || !DAMAGE_CODES.includes(error.code))
    return undefined
  if (isRunning) return 'damage was found by a running server'
  if (!image.isUnreadable) return 'damage of a snapshot was found at the start'
  return image.isStableDamaged
    ? 'damage of term and vote was found at the start'
    : 'damage in the log was found at the start'
}
