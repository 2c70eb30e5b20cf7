import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  guardedMetrics,
  type LogStore,
  type Logger,
  type Metrics,
  type SnapshotStore,
  type StableStore,
  type Transport,
  withLabels,
} from '@raftkit/interface'
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
  /** Takes the place of the node's own: guarded already. */
  readonly metrics?: Metrics
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
export function openOnDisk(
  tls: TcpTransportOptions['tls'],
  metrics: Metrics | undefined,
): OpenParts {
  return async (options, keep, logger) => {
    const { id } = options
    // Guarded once, so that metrics that fail are logged once.
    const guarded = metrics && guardedMetrics(metrics, logger)
    const measured = guarded && { metrics: withLabels(guarded, { server: id }) }
    await mkdir(options.dataDir, { recursive: true })
    const store = await LevelStore.open(join(options.dataDir, 'log'), { serverId: id, ...measured })
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
      ...measured,
      ...(tls !== undefined && { tls }),
    })
    keep(transport)
    const parts = { logStore: store, stableStore: store, snapshotStore, transport }
    return guarded === undefined ? parts : { ...parts, metrics: guarded }
  }
}
