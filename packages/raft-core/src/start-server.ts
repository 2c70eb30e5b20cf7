import { messageOf, RaftError, silentLogger } from '@raftkit/interface'
import { defaultConfig, type RaftConfig } from './config.ts'
import { validateConfig } from './config-validation.ts'
import { checkOptions, type RaftOptions } from './raft-options.ts'
import { loadDiskId } from './runtime/disk-id.ts'
import { Server } from './runtime/server.ts'
import { load } from './runtime/start-up.ts'
import { realClock } from './system/real-clock.ts'
import { realRandom } from './system/real-random.ts'

/** Checks the options, loads what the server remembers and lets it take part. */
export async function startServer<R>(options: RaftOptions<R>): Promise<Server<R>> {
  const config: RaftConfig = { ...defaultConfig(), ...options.config }
  checkOptions(options)
  validateConfig(config)
  const { id, transport, stateMachine, logStore, stableStore, snapshotStore } = options
  const { logger = silentLogger, clock = realClock(), random = realRandom() } = options
  const storage = { logStore, stableStore, snapshotStore, stateMachine }
  const { onForward } = options
  try {
    const diskId = config.verifyDisks ? await loadDiskId(stableStore, random) : undefined
    const parts = { id, diskId, config, storage, transport, logger, clock, random, onForward }
    const server = new Server<R>(parts, await load(storage, config.logTailBytes, logger))
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
