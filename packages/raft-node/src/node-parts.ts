import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogStore, Logger, SnapshotStore, StableStore, Transport } from '@raftkit/interface'
import { FileSnapshotStore } from '@raftkit/snapshot-file'
import { LevelStore } from '@raftkit/store-level'
import { createTcpTransport, type TcpTransportOptions } from '@raftkit/transport-tcp'
import type { CheckedOptions } from './check-options.ts'

/** What a server stands on. */
export interface NodeParts {
  readonly logStore: LogStore
  readonly stableStore: StableStore
  readonly snapshotStore: SnapshotStore
  readonly transport: Transport
}

/** Notes something that must be closed when a later step fails, and when the node stops. */
export type KeepOpen = (part: { close(): Promise<void> }) => void

/** Opens the parts of a node; whatever it has opened it gives to `keep` at once. */
export type OpenParts = (
  options: CheckedOptions,
  keep: KeepOpen,
  logger: Logger,
) => Promise<NodeParts>

/** LevelDB under `dataDir/log`, snapshots under `dataDir/snapshots`, and TCP. */
export function openOnDisk(tls: TcpTransportOptions['tls']): OpenParts {
  return async (options, keep, logger) => {
    await mkdir(options.dataDir, { recursive: true })
    const store = await LevelStore.open(join(options.dataDir, 'log'), { serverId: options.id })
    keep(store)
    const snapshotStore = await FileSnapshotStore.open(options.dataDir, {
      retain: options.snapshotRetain,
      logger,
    })
    const transport = await createTcpTransport({
      bind: options.bind,
      advertise: options.address,
      maxPool: options.maxPool,
      timeoutMs: options.transportTimeoutMs,
      logger,
      ...(tls !== undefined && { tls }),
    })
    keep(transport)
    return { logStore: store, stableStore: store, snapshotStore, transport }
  }
}
