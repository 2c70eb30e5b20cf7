export { DiscardSnapshotStore } from './discard-snapshot-store.ts'
export { InmemSnapshotStore, type InmemSnapshotStoreOptions } from './snapshot-store.ts'
export { InmemStore } from './store.ts'
