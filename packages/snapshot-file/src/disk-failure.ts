// Turns failed file operations into typed errors that name the path and say what to do.
import { messageOf, RaftError, type RaftErrorCode } from '@raftkit/interface'
import { errorCode } from './file-system.ts'

interface Advice {
  readonly reason: string
  readonly remedy: string
  /** The same call may succeed later, once somebody has made room. */
  readonly passing?: true
}

const DISK_FULL: Advice = {
  reason: 'the disk is full',
  remedy: 'free some space or move the directory to a larger disk',
  passing: true,
}
const TOO_MANY_FILES: Advice = {
  reason: 'the process or the system has too many open files',
  remedy: 'raise the limit (ulimit -n)',
  passing: true,
}
const NOT_PERMITTED: Advice = {
  reason: 'this user may not write there',
  remedy: 'correct the owner and the mode of the directory',
}

const ADVICE: Readonly<Record<string, Advice>> = {
  ENOSPC: DISK_FULL,
  EDQUOT: { ...DISK_FULL, reason: 'the disk quota of this user is used up' },
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
  EACCES: NOT_PERMITTED,
  EPERM: NOT_PERMITTED,
  EROFS: {
    reason: 'the file system is read-only',
    remedy: 'mount it writable; a disk that failed is often remounted read-only',
  },
  ENOENT: {
    reason: 'it, or the directory it should be in, does not exist',
    remedy: 'correct the path, or create or mount the parent directory',
  },
  ENOTDIR: { reason: 'a part of the path is a file', remedy: 'name a directory' },
  EIO: { reason: 'the disk failed', remedy: 'check the system log and replace the disk' },
  EFBIG: {
    reason: 'the file would be larger than allowed',
    remedy: 'raise the file size limit (ulimit -f) or use another file system',
  },
}

const UNKNOWN: Advice = { reason: '', remedy: 'check the directory and the system log' }

/** An error about `path`: what was tried, why it failed, what to do. The cause is kept. */
export function diskFailure(
  code: RaftErrorCode,
  attempted: string,
  path: string,
  cause: unknown,
): RaftError {
  const systemCode = errorCode(cause)
  const advice = (systemCode === undefined ? undefined : ADVICE[systemCode]) ?? UNKNOWN
  const reason = advice.reason === '' ? messageOf(cause) : `${advice.reason} (${systemCode})`
  return new RaftError(code, `cannot ${attempted} ${path}: ${reason}; ${advice.remedy}`, {
    cause,
    retryable: advice.passing ?? false,
    details: { path, ...(systemCode === undefined ? {} : { systemCode }) },
  })
}

/** An error about a snapshot whose files are not what was written. */
export function corrupt(path: string, reason: string, cause?: unknown): RaftError {
  return new RaftError(
    'RAFT_SNAPSHOT_CORRUPT',
    `the snapshot in ${path} is damaged: ${reason}; an older one may be used, and the disk should be checked`,
    { details: { path, reason }, ...(cause === undefined ? {} : { cause }) },
  )
}

/**
 * True when a failure says that this snapshot is damaged, rather than that no file can be read at all. Only then
 * may it be passed over: "no snapshot" for want of file descriptors would be a lie.
 */
export function isDamage(error: unknown): boolean {
  if (RaftError.is(error, 'RAFT_SNAPSHOT_CORRUPT')) return true
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'EIO'
}

/** What to throw when reading the snapshot in `path` failed: damage, or a disk that cannot be read at all. */
export function readFailure(path: string, error: unknown): RaftError {
  if (RaftError.is(error)) return error
  if (isDamage(error)) return corrupt(path, messageOf(error), error)
  return diskFailure('RAFT_SNAPSHOT_FAILED', 'read the snapshot in', path, error)
}
