import type { Index, Term } from '@raftkit/interface'
import type { Boundary } from '../boundary/boundary-file.ts'
import { numberIn, sealFields, unsealFields } from '../database/record.ts'

/** Where the log begins, as the database holds it. */
export interface LogAnchor {
  /** Entries up to this one have been removed. Blocks that end at or before it are leftovers. */
  readonly removedThrough: Index
  /** Checksum of the block in front of the first one kept. */
  readonly checksum: number
}

/** Where the log ends: its last entry and the checksum of the block that this entry closes. */
export interface LogEnd {
  readonly index: Index
  readonly term: Term
  readonly checksum: number
}

/** A log as it was read from the database. */
export interface LogContents {
  readonly anchor: LogAnchor
  readonly end: LogEnd | undefined
  /** The commit index as it was written; 0 when none was. It may be above the end of the log. */
  readonly writtenCommit: Index
}

const NAME = 'anchor'

export function sealAnchor({ removedThrough, checksum }: LogAnchor): Uint8Array {
  return sealFields(NAME, { removedThrough, checksum })
}

/** The anchor in these bytes; throws `DamagedRecord`. */
export function unsealAnchor(bytes: Uint8Array): LogAnchor {
  const fields = unsealFields(NAME, bytes)
  return {
    removedThrough: numberIn(fields, 'removedThrough'),
    checksum: numberIn(fields, 'checksum'),
  }
}

/** What the boundary file says of a log that ends there. */
export function promiseOf(
  end: LogEnd | undefined,
): Pick<Boundary, 'lastIndex' | 'lastTerm' | 'logChecksum'> {
  return {
    lastIndex: end?.index ?? 0,
    lastTerm: end?.term ?? 0,
    logChecksum: end?.checksum ?? 0,
  }
}
