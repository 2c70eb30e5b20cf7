import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { RaftError } from '@raftkit/interface'
import { BoundaryFile, identityFits, STORE_FORMAT } from '../boundary/boundary-file.ts'
import type { StoreIdentity } from '../boundary/boundary-file.ts'
import { closingOnError } from './closing.ts'
import type { Database } from '../database/database.ts'
import type { Disk } from '../database/disk.ts'
import { BOUNDARY, boundaryMissing, DATABASE, UNFINISHED } from './layout.ts'
import type { ResolvedOptions } from '../options.ts'
import { foreignError, missingError } from '../store-errors.ts'

/** Makes a store in a directory that has none; gives its empty database, open. */
export async function makeStore(
  directory: string,
  names: readonly string[],
  databaseHoldsData: boolean,
  options: ResolvedOptions,
  disk: Disk,
): Promise<Database> {
  const identity: StoreIdentity = {
    format: STORE_FORMAT,
    storeId: randomUUID(),
    ...(options.serverId !== undefined && { serverId: options.serverId }),
  }
  if (!identityFits(identity))
    throw new RaftError('RAFT_INVALID_ARGUMENT', 'the serverId is too long: keep it below 1 KiB')
  if (databaseHoldsData) throw boundaryMissing(directory)
  if (options.mustExist) throw missingError(directory, 'there is none, and one must exist')
  if (names.includes('CURRENT'))
    throw foreignError(directory, 'it holds a LevelDB database that raftkit did not make')
  const location = join(directory, DATABASE)
  await disk.makeDirectory(directory)
  await makeDatabase(directory, options, disk)
  const database = await disk.openDatabase(location, { ...options, createIfMissing: false })
  // From here the database's lock keeps others out; one of them may have been here first.
  return closingOnError(database, async () => {
    const present = await disk.list(directory)
    if (present.includes(BOUNDARY)) return database
    await disk.syncDirectory(location)
    await BoundaryFile.create(disk, join(directory, BOUNDARY), identity)
    await disk.syncDirectory(directory)
    for (const name of present)
      if (UNFINISHED.test(name)) await disk.removeDirectory(join(directory, name))
    return database
  })
}

/**
 * Makes an empty database under another name and renames it when it is durable: LevelDB does not sync the first
 * files that it makes, and would refuse what a power cut leaves of them.
 */
async function makeDatabase(
  directory: string,
  options: ResolvedOptions,
  disk: Disk,
): Promise<void> {
  const location = join(directory, DATABASE)
  const isThere = async () => (await disk.list(location)).includes('CURRENT')
  if (await isThere()) return
  const unfinished = join(directory, `${DATABASE}.${randomUUID()}`)
  try {
    await disk.makeDirectory(unfinished)
    const database = await disk.openDatabase(unfinished, { ...options, createIfMissing: true })
    await database.close()
    await disk.syncDirectory(unfinished)
    await disk.rename(unfinished, location)
    await disk.syncDirectory(directory)
  } catch (error) {
    await disk.removeDirectory(unfinished).catch(() => {}) // The first error is the one that matters.
    // Another may have been quicker: a database that is there is not replaced.
    if (!(await isThere())) throw error
  }
}
