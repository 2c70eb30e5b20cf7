import { constants, mkdir, open, readdir, rename, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { openDatabase } from './database.ts'
import type { Database, DatabaseOptions } from './database.ts'
import { hasCode } from './store-errors.ts'

/** An open file: the part of Node's file handle that the store uses. */
export type DiskFile = Pick<FileHandle, 'read' | 'write' | 'datasync' | 'close'>

/** A name in a directory. */
export interface DirectoryItem {
  readonly name: string
  readonly size: number
}

/** Everything that the store does with the disk: the seam at which tests let it fail or stop it half-way. */
export interface Disk {
  openDatabase(path: string, options: DatabaseOptions): Promise<Database>
  /** Opens a file for reading and writing; `create` makes it, or empties the one that is there. */
  openFile(path: string, mode: 'existing' | 'create'): Promise<DiskFile>
  /** Makes a directory and those above it, durably. */
  makeDirectory(path: string): Promise<void>
  /** What is in a directory; undefined when there is no such directory. */
  list(path: string): Promise<readonly DirectoryItem[] | undefined>
  rename(from: string, to: string): Promise<void>
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>
}

/** The disk of this machine. */
export const localDisk: Disk = {
  openDatabase,
  openFile,
  makeDirectory,
  list,
  rename,
  syncDirectory,
}

function openFile(path: string, mode: 'existing' | 'create'): Promise<DiskFile> {
  const creating = mode === 'create' ? constants.O_CREAT | constants.O_TRUNC : 0
  return open(path, constants.O_RDWR | creating, 0o644)
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

async function list(path: string): Promise<readonly DirectoryItem[] | undefined> {
  try {
    const names = await readdir(path)
    return await Promise.all(
      names.map(async (name) => ({ name, size: (await stat(`${path}/${name}`)).size })),
    )
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
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
