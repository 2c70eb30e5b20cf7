import type { RaftError } from '@raftkit/interface'
import { missingError } from '../store-errors.ts'

/**
 * What is where. A store is a directory with two things in it: the database, in a folder of its own, and the boundary file. The
 * boundary file is made last and only in a directory whose database holds nothing; nothing is put into the database
 * before it is there. So where it is, the database must be, and is never made again; where it is not, a database
 * that holds data has lost it, and one that holds nothing was being made when a crash came.
 */
export const DATABASE = 'db'
/** The boundary file. */
export const BOUNDARY = 'boundary'
/** Names of databases whose making has not ended. */
export const UNFINISHED: RegExp = /^db\.[0-9a-f-]{36}$/

/** The boundary file is gone from a store that was used. */
export function boundaryMissing(directory: string): RaftError {
  return missingError(directory, `its file '${BOUNDARY}' is not there, its database is`)
}
