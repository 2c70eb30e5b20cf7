// The file operations that the store uses, and Node's implementation of them.
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'

/** A new file. */
export interface WritableFile {
  /** Appends all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>
  /** Makes content and size durable (fsync). */
  sync(): Promise<void>
  /** Idempotent. */
  close(): Promise<void>
}

/** An existing file. */
export interface ReadableFile {
  /** Bytes in the file. */
  size(): Promise<number>
  /** Fills `target` from `position` on and returns how many bytes there were: fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>
  /** Idempotent. */
  close(): Promise<void>
}

/**
 * What the store needs of a disk. Failures are Node's, with a `code` such as `ENOSPC`. Replace it to delay or fail
 * operations in a test.
 */
export interface FileSystem {
  /** Makes one directory, whose parent must exist. False when something of that name is there already. */
  createDirectory(path: string): Promise<boolean>
  /** Names of the directories inside a directory, in any order. */
  listDirectories(path: string): Promise<readonly string[]>
  /** Makes a file that must not exist yet. */
  createFile(path: string): Promise<WritableFile>
  openFile(path: string): Promise<ReadableFile>
  rename(from: string, to: string): Promise<void>
  /** Removes a file, or a directory with all it holds. Does nothing when it is not there. */
  remove(path: string): Promise<void>
  /** Makes the names in a directory durable (fsync on the directory). */
  syncDirectory(path: string): Promise<void>
}

/** Node's `fs`. */
export const nodeFileSystem: FileSystem = {
  async createDirectory(path) {
    try {
      await mkdir(path, { mode: 0o755 })
      return true
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false
      throw error
    }
  },
  async listDirectories(path) {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  },
  async createFile(path) {
    return writable(await open(path, 'wx'))
  },
  async openFile(path) {
    return readable(await open(path, 'r'))
  },
  rename,
  async remove(path) {
    await rm(path, { recursive: true, force: true })
  },
  async syncDirectory(path) {
    // Windows opens no directory; its file systems log renames by themselves.
    if (process.platform === 'win32') return
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

function writable(handle: FileHandle): WritableFile {
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.byteLength;) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.byteLength - at, null)
        at += bytesWritten
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  }
}

function readable(handle: FileHandle): ReadableFile {
  return {
    async size() {
      return (await handle.stat()).size
    },
    async read(target, position) {
      let filled = 0
      while (filled < target.byteLength) {
        const wanted = target.byteLength - filled
        const { bytesRead } = await handle.read(target, filled, wanted, position + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return filled
    },
    close: () => handle.close(),
  }
}

/** The `code` of a failed system call, such as `ENOSPC`; undefined for any other thrown value. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
