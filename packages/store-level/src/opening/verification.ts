import { crc32 } from 'node:zlib'
import type { HardState } from '@raftkit/interface'
import { cutBlock } from '../log/block.ts'
import type { Block } from '../log/block.ts'
import type { Boundary } from '../boundary/boundary-file.ts'
import type { Database } from '../database/database.ts'
import {
  ANCHOR_KEY,
  COMMIT_KEY,
  HARD_STATE_KEY,
  nameInKey,
  REVISION_KEY,
  VALUE_RANGE,
} from '../database/keys.ts'
import { unsealCommit } from '../log/commit-record.ts'
import { unsealAnchor } from '../log/log-anchor.ts'
import type { LogAnchor, LogContents, LogEnd } from '../log/log-anchor.ts'
import { scanBlocks } from '../log/log-scan.ts'
import { checksumIn, DamagedRecord, unsealBytes } from '../database/record.ts'
import { replaceChecksum, unsealHardState, unsealRevision } from '../stable/stable-records.ts'
import type { Revision } from '../stable/stable-records.ts'
import { corruptError, lostDataError } from '../store-errors.ts'

const STEP = { count: 512, maxBytes: 1024 * 1024 }

/** What a database holds, once all of it has been read and checked. */
export interface StoreContents extends LogContents {
  readonly hardState: HardState | undefined
  readonly hardStateChecksum: number
  readonly revision: Revision
}

/** What the database must match: the boundary, and the store that it belongs to. */
export interface Expectation {
  readonly directory: string
  readonly storeId: string
  readonly boundary: Boundary
}

/**
 * Reads everything in the database, a step at a time. Throws `RAFT_STORE_CORRUPT` when something is not what was
 * written and `RAFT_STORE_LOST_DATA` when it is less than the boundary says.
 */
export async function verifyContents(
  database: Database,
  expectation: Expectation,
): Promise<StoreContents> {
  const { directory, boundary } = expectation
  const { anchor, end, writtenCommit, checksumAtBoundary } = await damageNamed(directory, () =>
    readLog(database, expectation),
  )
  const stable = await damageNamed(directory, () => readStable(database))
  checkLog(directory, boundary, anchor, end, checksumAtBoundary)
  checkStable(directory, boundary, stable)
  return { anchor, end, writtenCommit, ...stable }
}

/** Checksum that stands in front of the first block of a new store: no block of another store follows it. */
function firstChecksum(storeId: string): number {
  return crc32(storeId)
}

interface LogFound extends LogContents {
  /** Checksum of the log up to the boundary's last entry, when the log holds that entry. */
  readonly checksumAtBoundary: number | undefined
}

async function readLog(database: Database, { storeId, boundary }: Expectation): Promise<LogFound> {
  const record = await database.get(ANCHOR_KEY)
  const anchor =
    record === undefined
      ? { removedThrough: 0, checksum: firstChecksum(storeId) }
      : named('the record of where the log begins', () => unsealAnchor(record))
  let last: Block | undefined
  let checksumAtBoundary: number | undefined
  for await (const blocks of scanBlocks(database, anchor.removedThrough + 1, STEP))
    for (const block of blocks) {
      if (last === undefined && block.previousChecksum !== anchor.checksum)
        throw new DamagedRecord('the first block is not the one that the log begins with')
      const { firstIndex, lastIndex } = block.entries
      if (boundary.lastIndex >= firstIndex && boundary.lastIndex <= lastIndex)
        checksumAtBoundary =
          boundary.lastIndex === lastIndex
            ? block.checksum
            : cutBlock(block, boundary.lastIndex).checksum
      last = block
    }
  const end = last && {
    index: last.entries.lastIndex,
    term: last.entries.lastTerm,
    checksum: last.checksum,
  }
  const commit = await database.get(COMMIT_KEY)
  const writtenCommit =
    commit === undefined ? 0 : named('the record of the commit index', () => unsealCommit(commit))
  return { anchor, end, writtenCommit, checksumAtBoundary }
}

type StableFound = Pick<StoreContents, 'hardState' | 'hardStateChecksum' | 'revision'>

async function readStable(database: Database): Promise<StableFound> {
  const hardStateRecord = await database.get(HARD_STATE_KEY)
  const revisionRecord = await database.get(REVISION_KEY)
  const revision = revisionRecord
    ? named('the record of the revision', () => unsealRevision(revisionRecord))
    : { revision: 0, valuesChecksum: 0 }
  if ((await checksumOfValues(database)) !== revision.valuesChecksum)
    throw new DamagedRecord('a small value is gone or is an old one')
  if (hardStateRecord === undefined) return { hardState: undefined, hardStateChecksum: 0, revision }
  const hardState = named('the record of term and vote', () => unsealHardState(hardStateRecord))
  return { hardState, hardStateChecksum: checksumIn(hardStateRecord), revision }
}

async function checksumOfValues(database: Database): Promise<number> {
  const [from, before] = VALUE_RANGE
  let checksum = 0
  for await (const records of database.scan({ from, before }, STEP))
    for (const [key, value] of records) {
      const name = nameInKey(key)
      named(`the value of '${name}'`, () => unsealBytes(name, value))
      checksum = replaceChecksum(checksum, undefined, value)
    }
  return checksum
}

function checkLog(
  directory: string,
  boundary: Boundary,
  anchor: LogAnchor,
  end: LogEnd | undefined,
  checksumAtBoundary: number | undefined,
): void {
  const { lastIndex, lastTerm, logChecksum } = boundary
  if (lastIndex === 0 || checksumAtBoundary === logChecksum) return
  const promised = `entry ${lastIndex} of term ${lastTerm} was durable`
  const held =
    end === undefined
      ? 'the database holds no entry'
      : checksumAtBoundary === undefined
        ? `the database holds ${anchor.removedThrough + 1}..${end.index}`
        : 'the database holds other entries up to there'
  throw lostDataError(directory, `${promised}, ${held}`, {
    expectedLastIndex: lastIndex,
    expectedLastTerm: lastTerm,
    lastIndex: end?.index ?? 0,
    lastTerm: end?.term ?? 0,
  })
}

function checkStable(directory: string, boundary: Boundary, found: StableFound): void {
  const term = found.hardState?.term ?? 0
  const { revision } = found.revision
  const details = {
    expectedTerm: boundary.term,
    term,
    expectedRevision: boundary.revision,
    revision,
  }
  const isOtherVote =
    revision === boundary.revision && found.hardStateChecksum !== boundary.hardStateChecksum
  if (term < boundary.term || isOtherVote)
    throw lostDataError(
      directory,
      `term ${boundary.term} and its vote were durable, the database holds ${found.hardState ? `those of term ${term}` : 'neither'}`,
      details,
    )
  if (revision < boundary.revision)
    throw lostDataError(
      directory,
      `term, vote and small values had changed ${boundary.revision} times, the database knows of ${revision}`,
      details,
    )
}

async function damageNamed<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DamagedRecord) throw corruptError(directory, error.message, error)
    throw error
  }
}

function named<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error
    throw new DamagedRecord(`${what}: ${error.message}`, { cause: error })
  }
}
