export { LevelStore } from './level-store.ts'
export type { LevelStoreOptions } from './options.ts'
export { importLog } from './import-log.ts'
export type { ImportedLog, ImportLogOptions } from './import-log.ts'
