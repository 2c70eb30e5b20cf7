export { LevelStore } from './level-store.ts'
export type { LevelStoreOptions } from './options.ts'
