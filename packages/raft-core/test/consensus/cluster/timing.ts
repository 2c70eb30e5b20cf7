import type { ConsensusTiming } from '@raftkit/raft-core/consensus'

/** Short, round times, so that a reader can follow them. */
export const testTiming: ConsensusTiming = {
  heartbeatTimeoutMs: 100,
  electionTimeoutMs: 100,
  leaderLeaseTimeoutMs: 100,
  commitTimeoutMs: 5,
  maxAppendEntries: 64,
  maxAppendBytes: 65_536,
  maxInflightAppends: 4,
  maxInflightBytes: 1_048_576,
  trailingLogs: 10,
  preVote: true,
  maxLeaderStallMs: 200,
}
