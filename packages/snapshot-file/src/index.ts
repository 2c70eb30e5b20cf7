export { FileSnapshotStore } from './file-snapshot-store.ts'
export type { FileSnapshotStoreOptions } from './options.ts'
export {
  nodeFileSystem,
  type FileSystem,
  type ReadableFile,
  type WritableFile,
} from './file-system.ts'
