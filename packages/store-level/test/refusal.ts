import { RaftError } from '@raftkit/interface'
import { LevelStore } from '@raftkit/store-level'
import type { LevelStoreOptions } from '@raftkit/store-level'
import { localDisk } from '../src/database/disk.ts'

/** The RaftError with which a promise rejects. */
export async function rejectionOf(promise: Promise<unknown>): Promise<RaftError> {
  const error = await promise.then(
    () => new Error('it resolved'),
    (reason: unknown) => reason,
  )
  if (!RaftError.is(error)) throw new Error('not rejected with a RaftError', { cause: error })
  return error
}

/** The error with which a store is refused, which must name the directory in text and details. */
export async function refusalOf(
  directory: string,
  options: LevelStoreOptions = {},
  disk = localDisk,
): Promise<RaftError> {
  const opening = LevelStore.open(directory, options, disk)
  const error = await rejectionOf(
    opening.then(async (store) => {
      await store.close()
    }),
  )
  if (error.details['path'] !== directory || !error.message.includes(`'${directory}'`))
    throw new Error('the error does not name the directory', { cause: error })
  return error
}
