export { createRaftNode } from './start/create-raft-node.ts'
export {
  defineStateMachine,
  type CommandPosition,
  type SnapshotParts,
  type StateMachineDefinition,
} from './state-machine/define-state-machine.ts'
export type { NodeStateMachine } from './state-machine/state-machine.ts'
export { messagePackCodec, MAX_VALUE_DEPTH, type Codec } from './message-pack.ts'
export {
  DEFAULT_APPLY_TIMEOUT_MS,
  DEFAULT_MAX_POOL,
  DEFAULT_SNAPSHOT_INTERVAL_MS,
  DEFAULT_SNAPSHOT_RETAIN,
  DEFAULT_TRANSPORT_TIMEOUT_MS,
  type PeerOption,
  type RaftNodeOptions,
} from './node-options.ts'
export {
  DEFAULT_READY_TIMEOUT_MS,
  DEFAULT_STOP_TIMEOUT_MS,
  type QueryOptions,
  type RaftNode,
  type StopOptions,
} from './raft-node.ts'
export type { WaitOptions } from './deadline.ts'
export { DEFAULT_FORWARD_LIMITS, type ForwardLimits } from './forwarding/forward-lane.ts'
export {
  DEFAULT_MEMBERSHIP_TIMEOUT_MS,
  type MembershipOptions,
  type ReplacingServer,
} from './forwarding/membership-request.ts'
export type {
  AddedServer,
  MembershipChange,
  MembershipResult,
  RaftConfiguration,
} from '@raftkit/raft-core'
export type { Leadership, LeadershipCallback } from './leadership/leadership.ts'
export { DEFAULT_SESSION_LIMITS, type SessionLimits } from './sessions/session-limits.ts'
export { sessionMachine } from './sessions/session-machine.ts'
export {
  encodeSessionHeader,
  SESSION_HEADER_BYTES,
  type RegisterHeader,
  type SessionCommandHeader,
  type SessionHeader,
} from './sessions/session-header.ts'
export { openSessionResponse } from './sessions/session-response.ts'
export { stopOnSignals, type StopOnSignalsOptions } from './stop-on-signals.ts'
export { createLeaderElection } from './election/create-leader-election.ts'
export { MAX_LEASE_PART, type LeaderElectionOptions } from './election/election-options.ts'
export type { LeaderElection } from './election/leader-election.ts'
export { readPeersFile } from './start/peers-file.ts'
export { RaftError, silentLogger } from '@raftkit/interface'
export type {
  Configuration,
  Index,
  Logger,
  Outcome,
  RaftErrorCode,
  Server,
  ServerAddress,
  ServerId,
  Term,
} from '@raftkit/interface'
