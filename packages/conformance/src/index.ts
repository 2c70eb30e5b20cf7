export { type LogStoreSuite, testLogStore } from './log-store/suite.ts'
export type { StoreManifest } from './manifest.ts'
export type { Runner } from './runner.ts'
export type { StoreHooks } from './store-bench.ts'
export {
  type SnapshotStoreManifest,
  type SnapshotStoreSuite,
  testSnapshotStore,
} from './snapshot-store/suite.ts'
export { type StableStoreSuite, testStableStore } from './stable-store.ts'
export { type TransportManifest, type TransportSuite, testTransport } from './transport/suite.ts'
export {
  type StreamLayerManifest,
  type StreamLayerSuite,
  testStreamLayer,
} from './stream-layer/suite.ts'
export type { StateMachineHooks } from './state-machine/replica.ts'
export {
  type StateMachineManifest,
  type StateMachineSuite,
  testStateMachine,
} from './state-machine/suite.ts'
