import { messageOf, RaftError } from '@raftkit/interface'

/**
 * The errors of a store: each names the directory, what is wrong and what to do.
 */
const REPLACE =
  'Do not delete files to get it started: this server would vote and acknowledge without what it promised. ' +
  'Remove it from the cluster and add a new one with a new id and an empty directory'

/** Something is there, but not what was written. */
export function corruptError(directory: string, what: string, cause?: unknown): RaftError {
  return new RaftError(
    'RAFT_STORE_CORRUPT',
    `the store in '${directory}' is damaged: ${what}. ${REPLACE}.`,
    { cause, details: { path: directory } },
  )
}

/** The database holds less than it once acknowledged. */
export function lostDataError(
  directory: string,
  what: string,
  details: Readonly<Record<string, unknown>>,
): RaftError {
  return new RaftError(
    'RAFT_STORE_LOST_DATA',
    `the store in '${directory}' has lost data that was durable: ${what}. ${REPLACE}.`,
    { details: { path: directory, ...details } },
  )
}

/** A part of a used store is not there. */
export function missingError(directory: string, what: string, cause?: unknown): RaftError {
  return new RaftError(
    'RAFT_STORE_MISSING',
    `the store in '${directory}' is incomplete: ${what}. Check that the disk is mounted and the path is right. ${REPLACE}.`,
    { cause, details: { path: directory } },
  )
}

/** The directory belongs to someone else. */
export function foreignError(
  directory: string,
  what: string,
  details: Readonly<Record<string, unknown>> = {},
): RaftError {
  return new RaftError(
    'RAFT_STORE_FOREIGN',
    `the directory '${directory}' is not this server's: ${what}. Give this server its own directory, or start the server that the directory belongs to.`,
    { details: { path: directory, ...details } },
  )
}

/** The directory cannot be used at all, for a reason outside the store. */
export function unusableError(directory: string, cause: unknown): RaftError {
  return new RaftError(
    'RAFT_STORE_UNUSABLE',
    `the directory '${directory}' cannot be used: ${messageOf(cause)}. Check the path, its permissions, free space and limits of the process, then start again.`,
    { cause, details: { path: directory } },
  )
}

/** Another open store holds the directory. */
function lockedError(directory: string, cause: unknown): RaftError {
  return new RaftError(
    'RAFT_STORE_LOCKED',
    `the store in '${directory}' is open elsewhere, in this process or another: stop the other server, or give each its own directory.`,
    { cause, details: { path: directory } },
  )
}

/** A read, write or sync failed; the handle is dead. */
export function failedError(directory: string, cause: unknown): RaftError {
  return new RaftError(
    'RAFT_STORE_FAILED',
    `the store in '${directory}' failed and takes no further call: ${messageOf(cause)}. What failed may or may not be stored. Mend the disk, then open the store again: opening checks what is there.`,
    { cause, details: { path: directory } },
  )
}

/** What LevelDB or the file system said while a store was being opened, as an error of this package. */
export function openingError(directory: string, error: unknown): RaftError {
  if (RaftError.is(error)) return error
  if (hasCode(error, 'LEVEL_LOCKED')) return lockedError(directory, error)
  if (hasCode(error, 'LEVEL_CORRUPTION'))
    return corruptError(directory, messageOf(deepestCause(error)), error)
  return unusableError(directory, deepestCause(error))
}

/** Whether an error or one of its causes has this code. */
export function hasCode(error: unknown, code: string): boolean {
  for (let link = error; link instanceof Error; link = link.cause)
    if ('code' in link && link.code === code) return true
  return false
}

/** The last link of the chain of causes. */
export function deepestCause(error: unknown): unknown {
  let link = error
  while (link instanceof Error && link.cause instanceof Error) link = link.cause
  return link
}
