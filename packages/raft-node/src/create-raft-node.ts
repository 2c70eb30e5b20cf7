import { messageOf, type Logger } from '@raftkit/interface'
import { bootstrapCluster, hasExistingState, Raft } from '@raftkit/raft-core'
import { pino } from 'pino'
import { checkOptions, type CheckedOptions } from './check-options.ts'
import { LeaderService } from './leader-service.ts'
import type { RaftNodeOptions } from './node-options.ts'
import { openOnDisk, type NodeParts, type OpenParts } from './node-parts.ts'
import { RaftNode } from './raft-node.ts'
import { sessionMachine } from './sessions/session-machine.ts'

/**
 * Starts one node of a cluster on TCP, LevelDB and snapshot files: call it with the same `peers` on every node.
 * A node with an empty data directory becomes a member of a new cluster; one with data takes up where it left off.
 * Resolves when the node runs; it may not have a leader yet (see `whenReady`).
 *
 * Rejects with `RAFT_INVALID_ARGUMENT` naming every problem of the options, before anything is created;
 * `RAFT_STORE_FOREIGN` when the directory belongs to another id; `RAFT_STORE_LOCKED` when another process has it;
 * `RAFT_LISTEN_FAILED` when the address cannot be had; `RAFT_ABORTED` when `signal` says so. Whatever was opened is closed again.
 */
export function createRaftNode<Command, Response, Query, Answer>(
  options: RaftNodeOptions<Command, Response, Query, Answer>,
): Promise<RaftNode<Command, Response, Query, Answer>> {
  return startNode(options, openOnDisk(options.tls, options.metrics))
}

/** {@link createRaftNode} on other parts, for tests. */
export async function startNode<Command, Response, Query, Answer>(
  options: RaftNodeOptions<Command, Response, Query, Answer>,
  openParts: OpenParts,
): Promise<RaftNode<Command, Response, Query, Answer>> {
  const checked = await checkOptions(options)
  const logger = options.logger ?? pino({ name: 'raftkit' }).child({ node: checked.id })
  const open = new OpenList(logger)
  try {
    const parts = await openParts(checked, (part) => open.add(part), logger)
    if (checked.bootstrap) await bootstrapWhenNew(checked, parts)
    const { stateMachine } = options
    let started: Raft<Uint8Array> | undefined
    const service = new LeaderService(() => started, stateMachine, logger)
    const raft = await Raft.start<Uint8Array>({
      id: checked.id,
      config: checked.config,
      stateMachine: sessionMachine(stateMachine),
      ...(options.metrics !== undefined && { metrics: options.metrics }),
      ...(options.signal !== undefined && { signal: options.signal }),
      ...parts,
      logger,
      onForward: service.serve,
    })
    started = raft
    return new RaftNode({
      raft,
      service,
      stateMachine,
      forward: checked.forward,
      sessions: checked.sessions,
      logger,
      closeParts: () => open.close(),
    })
  } catch (error) {
    await open.close()
    throw error
  }
}

/** Every node writes the same first entry, so it does not matter which of them is first. */
async function bootstrapWhenNew(options: CheckedOptions, parts: NodeParts): Promise<void> {
  if (await hasExistingState(parts)) return
  await bootstrapCluster({ ...parts, configuration: options.members })
}

/** What has been opened and is to be closed, last first. */
class OpenList {
  readonly #logger: Logger
  readonly #parts: { close(): Promise<void> }[] = []

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add(part: { close(): Promise<void> }): void {
    this.#parts.push(part)
  }

  async close(): Promise<void> {
    for (const part of this.#parts.splice(0).toReversed()) {
      try {
        await part.close()
      } catch (error) {
        this.#logger.error({ err: error }, `closing failed: ${messageOf(error)}`)
      }
    }
  }
}
