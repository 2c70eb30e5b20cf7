import { directoryProblems } from './check-options.ts'
import { defaultLogger } from './default-logger.ts'
import { openOnDisk } from './disk-parts.ts'
import type { RaftNodeOptions } from '../node-options.ts'
import type { RaftNode } from '../raft-node.ts'
import { startNode } from './start-node.ts'

/**
 * Starts one node of a cluster on TCP, LevelDB and snapshot files: call it with the same `peers` on every node.
 * A node with an empty data directory becomes a member of a new cluster; one with data takes up where it left off.
 * Resolves when the node runs; it may not have a leader yet (see `whenReady`).
 *
 * Rejects with `RAFT_INVALID_ARGUMENT` naming every problem of the options, before anything is created;
 * `RAFT_STORE_FOREIGN` when the directory belongs to another id; `RAFT_STORE_LOCKED` when another process has it;
 * `RAFT_LISTEN_FAILED` when the address cannot be had; `RAFT_ABORTED` when `signal` says so. Whatever was opened is closed again.
 */
export async function createRaftNode<Command, Response, Query, Answer>(
  options: RaftNodeOptions<Command, Response, Query, Answer>,
): Promise<RaftNode<Command, Response, Query, Answer>> {
  return startNode(
    { ...options, logger: options.logger ?? defaultLogger(options) },
    openOnDisk(options.tls, options.metrics),
    directoryProblems,
  )
}
