import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { guardedMetrics, type Metrics, withLabels } from '@raftkit/interface'
import { FileSnapshotStore } from '@raftkit/snapshot-file'
import { LevelStore } from '@raftkit/store-level'
import { createTcpTransport, type TcpTransportOptions } from '@raftkit/transport-tcp'
import type { OpenParts } from './node-parts.ts'

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
