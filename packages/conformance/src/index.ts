export type { Kill, Killed, KillMoment, KillOrder, KillScript } from './kill.ts'
export { type LogStoreSuite, testLogStore } from './log-store/suite.ts'
export type { LogStoreManifest, StoreManifest } from './manifest.ts'
export type { Runner } from './runner.ts'
export type { StoreHooks } from './store-bench.ts'
export type { SnapshotPart } from './snapshot-store/lifecycle.ts'
export {
  type SnapshotStoreManifest,
  type SnapshotStoreSuite,
  testSnapshotStore,
} from './snapshot-store/suite.ts'
export { type StableStoreSuite, testStableStore } from './stable-store/suite.ts'
export { type TransportManifest, type TransportSuite, testTransport } from './transport/suite.ts'
export {
  type StreamLayerManifest,
  type StreamLayerSuite,
  testStreamLayer,
} from './stream-layer/suite.ts'
export type { StateMachineHooks } from './state-machine/replica.ts'
export type { StateMachineManifest } from './state-machine/case.ts'
export { type StateMachineSuite, testStateMachine } from './state-machine/suite.ts'
export type { Tear, TornEnd } from './torn-end.ts'
