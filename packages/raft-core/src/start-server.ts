import { messageOf, RaftError, silentLogger } from '@raftkit/interface'
import { defaultConfig, type RaftConfig } from './config.ts'
import { validateConfig } from './config-validation.ts'
import { checkOptions, type RaftOptions } from './raft-options.ts'
import { namedLogger } from './named-logger.ts'
import { Meter } from './metrics/meter.ts'
import { loadDiskId } from './runtime/start/disk-id.ts'
import { replay } from './runtime/start/replay.ts'
import { Server } from './runtime/server.ts'
import { throwIfAborted } from './runtime/start-abortion.ts'
import { checkKeepsCommitIndex, load } from './runtime/start/start-up.ts'
import { statsOf } from './stats.ts'
import { realClock } from './system/real-clock.ts'
import { realRandom } from './system/real-random.ts'

/** Checks the options, loads what the server remembers and lets it take part. */
export async function startServer<R>(options: RaftOptions<R>): Promise<Server<R>> {
  const asked: RaftConfig = { ...defaultConfig(), ...options.config }
  checkOptions(options)
  validateConfig(asked)
  // Its owner may change the object later.
  const config = { ...asked, leaderPriorities: { ...asked.leaderPriorities } }
  const { id, transport, stateMachine, logStore, stableStore, snapshotStore } = options
  const { clock = realClock(), random = realRandom() } = options
  const logger = namedLogger(options.logger ?? silentLogger, () => ({ id }))
  if (config.restoreCommittedLogs) checkKeepsCommitIndex(logStore)
  const given = { logStore, stableStore, snapshotStore, stateMachine }
  const { onForward, metrics, signal } = options
  const meter = metrics && new Meter(metrics, id, logStore, clock, logger)
  const storage = meter?.storage(given) ?? given
  try {
    throwIfAborted(signal)
    const diskId = config.verifyDisks ? await loadDiskId(stableStore, random) : undefined
    const parts = {
      id,
      diskId,
      config,
      storage,
      transport: meter?.transport(transport) ?? transport,
      logger,
      clock,
      random,
      onForward,
      meter,
    }
    const loaded = await load(storage, { ...config, logger, clock, signal })
    const replayed = await replay({ ...parts, signal }, loaded)
    throwIfAborted(signal)
    const server = new Server<R>(parts, replayed)
    if (meter !== undefined) watch(id, server, meter)
    server.start()
    return server
  } catch (cause) {
    if (RaftError.is(cause)) throw cause
    throw new RaftError(
      'RAFT_STORE_FAILED',
      `what this server remembers cannot be loaded, so it does not start: ${messageOf(cause)}`,
      { cause },
    )
  }
}

function watch<R>(id: string, server: Server<R>, meter: Meter): void {
  meter.watch(() => statsOf(id, server))
  server.events.on('replication-started', ({ peer }) => meter.peerFollowed(peer))
  server.events.on('replication-stopped', ({ peer }) => meter.peerDropped(peer))
  server.events.on('stopped', () => meter.close())
}
