/**
 * What is known of a command when its call failed.
 * `not-committed`: it will never take effect, so it is safe to send it again. `unknown`: it may or may not have
 * taken effect, or may do so later; only an idempotent (or session-protected) command may be sent again.
 * `committed`: it took effect, but its response is not to be had.
 */
export type Outcome = 'not-committed' | 'unknown' | 'committed'

/** Every `code` of a {@link RaftError}. Stable: programs may compare them. */
export type RaftErrorCode =
  // leadership and admission
  | 'RAFT_NOT_LEADER'
  | 'RAFT_NOT_VOTER'
  | 'RAFT_LEADERSHIP_LOST'
  | 'RAFT_ABORTED_BY_RESTORE'
  | 'RAFT_LEADERSHIP_TRANSFER_IN_PROGRESS'
  | 'RAFT_LEADERSHIP_TRANSFER_FAILED'
  | 'RAFT_NO_LEADER'
  | 'RAFT_SHUTDOWN'
  | 'RAFT_STOPPED'
  | 'RAFT_TIMEOUT'
  | 'RAFT_ABORTED'
  | 'RAFT_OVERLOADED'
  | 'RAFT_COMMAND_TOO_LARGE'
  | 'RAFT_INVALID_ARGUMENT'
  | 'RAFT_INVALID_CONFIG'
  | 'RAFT_INVALID_CONFIGURATION'
  // membership
  | 'RAFT_CONFIGURATION_CHANGED'
  | 'RAFT_UNKNOWN_SERVER'
  | 'RAFT_DUPLICATE_ADDRESS'
  | 'RAFT_NO_VOTER_LEFT'
  | 'RAFT_JOINT_UNSUPPORTED'
  | 'RAFT_REMOVED'
  | 'RAFT_UNSUPPORTED_PROTOCOL'
  | 'RAFT_CANT_BOOTSTRAP'
  | 'RAFT_CANT_RECOVER'
  | 'RAFT_READ_FAILED'
  | 'RAFT_STATE_MACHINE_FAILED'
  | 'RAFT_INVARIANT_VIOLATED'
  // client sessions
  | 'RAFT_SESSION_EXPIRED'
  | 'RAFT_SESSION_SEQUENCE'
  // snapshots
  | 'RAFT_NOTHING_NEW_TO_SNAPSHOT'
  | 'RAFT_SNAPSHOT_FAILED'
  | 'RAFT_SNAPSHOT_NOT_FOUND'
  | 'RAFT_SNAPSHOT_CORRUPT'
  // stores
  | 'RAFT_LOG_NOT_FOUND'
  | 'RAFT_LOG_GAP'
  | 'RAFT_STORE_CORRUPT'
  | 'RAFT_STORE_FAILED'
  | 'RAFT_STORE_LOCKED'
  | 'RAFT_STORE_MISSING'
  | 'RAFT_STORE_UNUSABLE'
  | 'RAFT_STORE_INCOMPATIBLE'
  | 'RAFT_STORE_FOREIGN'
  | 'RAFT_STORE_LOST_DATA'
  | 'RAFT_STORE_CLOSED'
  | 'RAFT_STORE_STALLED'
  // transports
  | 'RAFT_INVALID_ADDRESS'
  | 'RAFT_LISTEN_FAILED'
  | 'RAFT_DIAL_FAILED'
  | 'RAFT_CONNECTION_LOST'
  | 'RAFT_RPC_TIMEOUT'
  | 'RAFT_RPC_UNSUPPORTED'
  | 'RAFT_REMOTE_ERROR'
  | 'RAFT_PIPELINE_CLOSED'
  | 'RAFT_TRANSPORT_CLOSED'
  | 'RAFT_DECODE_FAILED'
  | 'RAFT_LIMIT_EXCEEDED'
