import { constants, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { openDatabase } from './database.ts'
import type { Database, DatabaseOptions } from './database.ts'
import { hasCode } from '../store-errors.ts'

/** An open file. */
export interface DiskFile {
  /** Fills `bytes` from `position` on; gives how many bytes there were. */
  read(bytes: Uint8Array, position: number): Promise<number>
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Resolves when what was written is durable. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** Everything that the store does with the disk: the seam at which tests let it fail or stop it half-way. */
export interface Disk {
  openDatabase(path: string, options: DatabaseOptions): Promise<Database>
  /** Opens a file for reading and writing; `create` makes it, or empties the one that is there. */
  openFile(path: string, mode: 'existing' | 'create'): Promise<DiskFile>
  /** Makes a directory and those above it, durably. */
  makeDirectory(path: string): Promise<void>
  /** The names in a directory; none when there is no such directory. */
  list(path: string): Promise<readonly string[]>
  /** Size of a file in bytes; 0 when there is no such file. */
  sizeOf(path: string): Promise<number>
  /** Renames a file, replacing `to`, or a directory unless `to` is one that is not empty. */
  rename(from: string, to: string): Promise<void>
  /** Removes a directory and all that is in it. */
  removeDirectory(path: string): Promise<void>
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>
}

/** The disk of this machine. */
export const localDisk: Disk = {
  openDatabase,
  openFile,
  makeDirectory,
  list,
  sizeOf,
  rename,
  removeDirectory,
  syncDirectory,
}

async function openFile(path: string, mode: 'existing' | 'create'): Promise<DiskFile> {
  const creating = mode === 'create' ? constants.O_CREAT | constants.O_TRUNC : 0
  const file = await open(path, constants.O_RDWR | creating, 0o644)
  return {
    async read(bytes, position) {
      return (await file.read(bytes, 0, bytes.length, position)).bytesRead
    },
    async write(bytes, position) {
      const { bytesWritten } = await file.write(bytes, 0, bytes.length, position)
      if (bytesWritten < bytes.length)
        throw new Error(`'${path}' took only ${bytesWritten} of ${bytes.length} bytes`)
    },
    sync: () => file.datasync(),
    close: () => file.close(),
  }
}

async function makeDirectory(path: string): Promise<void> {
  const highest = await mkdir(path, { recursive: true })
  if (highest === undefined) return
  let made = resolve(path)
  const last = resolve(highest)
  for (;;) {
    await syncDirectory(dirname(made))
    if (made === last) return
    made = dirname(made)
  }
}

function list(path: string): Promise<readonly string[]> {
  return unlessAbsent(readdir(path), [])
}

async function sizeOf(path: string): Promise<number> {
  const found = await unlessAbsent<{ readonly size: number }>(stat(path), { size: 0 })
  return found.size
}

async function unlessAbsent<T>(answer: Promise<T>, ifAbsent: T): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return ifAbsent
    throw error
  }
}

function removeDirectory(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true })
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return // Windows has no handle of a directory to sync.
  const directory = await open(path, constants.O_RDONLY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
