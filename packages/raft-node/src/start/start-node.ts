// A node on whatever parts it is given: nothing here touches a disk, a socket, or the platform's time and chance.
import { messageOf, silentLogger, type Logger } from '@raftkit/interface'
import { bootstrapCluster, hasExistingState, Raft } from '@raftkit/raft-core'
import { checkOptions, type CheckedOptions, type FindProblems } from './check-options.ts'
import { LeaderService } from '../forwarding/leader-service.ts'
import type { RaftNodeOptions } from '../node-options.ts'
import type { NodeParts, OpenParts } from './node-parts.ts'
import { RaftNode } from '../raft-node.ts'
import { sessionMachine } from '../sessions/session-machine.ts'
import { systemClock, systemRandom } from '../system.ts'

/**
 * `createRaftNode` on parts of your own: stores, a transport, a clock, chance. Options that say where and how the parts
 * are opened (`dataDir`, `bind`, `tls`, `maxPool`, ...) are for `openParts` to use or to ignore. Default logger: none.
 * `findProblems` looks at `dataDir` before anything is opened. Default: nobody looks.
 */
export async function startNode<Command, Response, Query, Answer>(
  options: RaftNodeOptions<Command, Response, Query, Answer>,
  openParts: OpenParts,
  findProblems?: FindProblems,
): Promise<RaftNode<Command, Response, Query, Answer>> {
  const checked = await checkOptions(options, findProblems)
  const logger = options.logger ?? silentLogger
  const open = new OpenList(logger)
  try {
    const parts = await openParts(checked, (part) => open.add(part), logger)
    const { aroundMachine, ...below } = parts
    const { clock = systemClock, random = systemRandom } = below
    if (checked.bootstrap) await bootstrapWhenNew(checked, parts)
    const machine = sessionMachine(options.stateMachine, clock)
    const { stateMachine } = options
    let started: Raft<Uint8Array> | undefined
    const service = new LeaderService(() => started, stateMachine, logger)
    const raft = await Raft.start<Uint8Array>({
      id: checked.id,
      config: checked.config,
      stateMachine: aroundMachine?.(machine) ?? machine,
      ...(options.metrics !== undefined && { metrics: options.metrics }),
      ...(options.signal !== undefined && { signal: options.signal }),
      ...below,
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
      clock,
      random,
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
