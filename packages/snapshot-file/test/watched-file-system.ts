// Node's file system, with a look at what is open and a hand on each write.
import { nodeFileSystem, type FileSystem } from '../src/index.ts'

export interface WatchedFileSystem extends FileSystem {
  /** Paths of the files that are open now. */
  readonly open: Set<string>
  /** Bytes of each write to a state.bin. */
  readonly stateWrites: number[]
  /** Called before each write; may throw. */
  beforeWrite: () => void | Promise<void>
}

export function watchedFileSystem(): WatchedFileSystem {
  const open = new Set<string>()
  const stateWrites: number[] = []
  const watched: WatchedFileSystem = {
    ...nodeFileSystem,
    open,
    stateWrites,
    beforeWrite: () => {},
    async createFile(path) {
      const file = await nodeFileSystem.createFile(path)
      open.add(path)
      return {
        write: async (bytes) => {
          await watched.beforeWrite()
          if (path.endsWith('state.bin')) stateWrites.push(bytes.byteLength)
          await file.write(bytes)
        },
        sync: () => file.sync(),
        close: () => {
          open.delete(path)
          return file.close()
        },
      }
    },
    async openFile(path) {
      const file = await nodeFileSystem.openFile(path)
      open.add(path)
      return {
        ...file,
        close: () => {
          open.delete(path)
          return file.close()
        },
      }
    },
  }
  return watched
}
