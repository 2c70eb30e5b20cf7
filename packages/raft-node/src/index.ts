export {
  defineStateMachine,
  type CommandPosition,
  type SnapshotParts,
  type StateMachineDefinition,
} from './define-state-machine.ts'
export type { NodeStateMachine } from './state-machine.ts'
export { messagePackCodec, MAX_VALUE_DEPTH, type Codec } from './message-pack.ts'
