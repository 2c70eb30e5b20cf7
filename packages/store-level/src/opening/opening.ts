import { join, resolve } from 'node:path'
import { messageOf } from '@raftkit/interface'
import { BoundaryFile, STORE_FORMAT } from '../boundary/boundary-file.ts'
import type { StoreIdentity } from '../boundary/boundary-file.ts'
import { closingOnError } from './closing.ts'
import type { Database } from '../database/database.ts'
import type { Disk } from '../database/disk.ts'
import { IDENTITY_KEY, REVISION_KEY } from '../database/keys.ts'
import { BOUNDARY, boundaryMissing, DATABASE } from './layout.ts'
import { makeStore } from './making.ts'
import type { ResolvedOptions } from '../options.ts'
import { DamagedRecord, sealFields, textIn, unsealFields } from '../database/record.ts'
import { sealRevision } from '../stable/stable-records.ts'
import type { Revision } from '../stable/stable-records.ts'
import {
  corruptError,
  deepestCause,
  foreignError,
  hasCode,
  missingError,
  openingError,
  unusableError,
} from '../store-errors.ts'
import { verifyContents } from './verification.ts'
import type { StoreContents } from './verification.ts'

/** An open store that has been checked. */
export interface OpenedStore {
  readonly directory: string
  readonly database: Database
  readonly boundaryFile: BoundaryFile
  readonly contents: StoreContents
}

/** Opens the store in a directory, or makes one; every error is a `RaftError`. */
export async function openStore(
  path: string,
  options: ResolvedOptions,
  disk: Disk,
): Promise<OpenedStore> {
  const directory = resolve(path)
  try {
    // In this order: where another process is making a store, data follows the boundary file.
    const databaseHoldsData = await holdsData(disk, join(directory, DATABASE))
    const names = await disk.list(directory)
    const database = names.includes(BOUNDARY)
      ? await openExisting(directory, options, disk)
      : await makeStore(directory, names, databaseHoldsData, options, disk)
    return await closingOnError(database, () => checkStore(directory, database, options, disk))
  } catch (error) {
    throw openingError(directory, error)
  }
}

async function openExisting(
  directory: string,
  options: ResolvedOptions,
  disk: Disk,
): Promise<Database> {
  const location = join(directory, DATABASE)
  if (!(await disk.list(location)).includes('CURRENT'))
    throw missingError(directory, `the file '${DATABASE}/CURRENT' is not there`)
  try {
    return await disk.openDatabase(location, { ...options, createIfMissing: false })
  } catch (error) {
    if (messageOf(deepestCause(error)).includes('No such file'))
      throw missingError(directory, `a file of its database is not there`, error)
    throw error
  }
}

async function checkStore(
  directory: string,
  database: Database,
  options: ResolvedOptions,
  disk: Disk,
): Promise<OpenedStore> {
  const boundaryFile = await openBoundaryFile(directory, disk)
  return closingOnError(boundaryFile, async () => {
    const { identity, found: boundary } = boundaryFile
    checkIdentity(directory, identity, options)
    const { storeId } = identity
    const isMarked = await isMarkedAs(storeId, directory, database)
    const found = await verifyContents(database, { directory, storeId, boundary })
    const contents = isMarked ? found : { ...found, revision: await mark(database, storeId) }
    await disk.syncDirectory(join(directory, DATABASE))
    return { directory, database, boundaryFile, contents }
  })
}

async function openBoundaryFile(directory: string, disk: Disk): Promise<BoundaryFile> {
  try {
    return await BoundaryFile.open(disk, join(directory, BOUNDARY))
  } catch (error) {
    if (error instanceof DamagedRecord)
      throw corruptError(directory, `the file '${BOUNDARY}': ${error.message}`, error)
    if (hasCode(error, 'ENOENT')) throw boundaryMissing(directory)
    throw error
  }
}

function checkIdentity(
  directory: string,
  { format, serverId }: StoreIdentity,
  options: ResolvedOptions,
): void {
  if (format !== STORE_FORMAT)
    throw unusableError(
      directory,
      new Error(`its format is ${format}, this version of raftkit reads ${STORE_FORMAT}`),
    )
  if (serverId !== undefined && options.serverId !== undefined && serverId !== options.serverId)
    throw foreignError(
      directory,
      `it was made for server '${serverId}', and '${options.serverId}' opens it`,
      { serverId, expectedServerId: options.serverId },
    )
}

/** Whether the database says that it is of this store; false when it is empty. */
async function isMarkedAs(
  storeId: string,
  directory: string,
  database: Database,
): Promise<boolean> {
  const record = await database.get(IDENTITY_KEY)
  if (record === undefined) {
    if (await isEmpty(database)) return false
    throw foreignError(directory, 'its database does not say which store it is of')
  }
  const found = storeIdIn(directory, record)
  if (found === storeId) return true
  throw foreignError(directory, `its database is that of another store`, {
    storeId: found,
    expectedStoreId: storeId,
  })
}

/** Has a new database say which store it is of, and raises the revision: from now on an empty one has lost it. */
async function mark(database: Database, storeId: string): Promise<Revision> {
  const revision = { revision: 1, valuesChecksum: 0 }
  await database.write({
    puts: [
      [IDENTITY_KEY, sealFields('identity', { storeId })],
      [REVISION_KEY, sealRevision(revision)],
    ],
  })
  return revision
}

function storeIdIn(directory: string, record: Uint8Array): string {
  try {
    return textIn(unsealFields('identity', record), 'storeId')
  } catch (error) {
    throw corruptError(directory, `the database's record of its store: ${messageOf(error)}`, error)
  }
}

/** Whether a folder has what LevelDB keeps data in: a table, or a write-ahead log that is not empty. */
async function holdsData(disk: Disk, location: string): Promise<boolean> {
  for (const name of await disk.list(location)) {
    if (/\.(ldb|sst)$/.test(name)) return true
    if (name.endsWith('.log') && (await disk.sizeOf(join(location, name))) > 0) return true
  }
  return false
}

async function isEmpty(database: Database): Promise<boolean> {
  for await (const records of database.scan({ from: new Uint8Array(0) }, { count: 1, maxBytes: 0 }))
    return records.length === 0
  return true
}
