// A cluster's first moments: what is written before a server of a new cluster is started for the first time.
import {
  type Configuration,
  type IndexedConfiguration,
  type LogStore,
  LogType,
  RaftError,
  type SnapshotStore,
  type StableStore,
} from '@raftkit/interface'
import { encodeConfiguration, encodeEntries } from '@raftkit/wire'
import { checkedConfiguration } from './configuration-check.ts'
import { scanLog } from './runtime/log/log-scan.ts'

/** The stores of a server that is not running. */
export interface BootstrapStores {
  readonly logStore: LogStore
  readonly stableStore: StableStore
  readonly snapshotStore: SnapshotStore
}

/** What {@link bootstrapCluster} needs. */
export interface BootstrapOptions extends BootstrapStores {
  /** The first members. Give every one of them the same. */
  readonly configuration: Configuration
}

/**
 * Writes the first configuration of a new cluster as entry 1 of term 1, as hashicorp/raft does. Do it once, before the
 * first start, on one server or with the same configuration on several. Rejects with `RAFT_CANT_BOOTSTRAP` when there
 * is any state, and with `RAFT_INVALID_CONFIGURATION`. A bootstrap cut short by a crash may be done again.
 */
export async function bootstrapCluster(options: BootstrapOptions): Promise<void> {
  const { logStore, stableStore } = options
  const configuration = checkedConfiguration(options.configuration)
  if (await hasExistingState(options))
    throw new RaftError(
      'RAFT_CANT_BOOTSTRAP',
      'bootstrap only works on new clusters: this server has state already, start it as it is',
    )
  if ((await logStore.bounds()).lastIndex > 0) await logStore.truncateSuffix(1)
  const entry = { type: LogType.configuration, data: encodeConfiguration(configuration) }
  await logStore.append([encodeEntries(1, 1, [entry])])
  // Last: until the term is saved, the server is new.
  await stableStore.saveHardState({ term: 1 })
}

/** True when a server ever ran, or was bootstrapped, with these stores. */
export async function hasExistingState(stores: BootstrapStores): Promise<boolean> {
  const { logStore, stableStore, snapshotStore } = stores
  const hardState = await stableStore.loadHardState()
  if ((await snapshotStore.list()).length > 0) return true
  const { firstIndex, lastIndex } = await logStore.bounds()
  // The first term or the first entry alone is what a crash in the middle of a bootstrap leaves: that of a running server
  // saves the term first, that of one that does not run saves it last. Nothing was promised yet.
  if (lastIndex === 0)
    return hardState !== undefined && (hardState.term > 1 || hardState.votedFor !== undefined)
  if (hardState !== undefined || firstIndex !== 1 || lastIndex !== 1) return true
  const batch = await logStore.read(1, 1, { maxBytes: 1 })
  return batch.termAt(1) !== 1 || batch.typeAt(1) !== LogType.configuration
}

/** The newest configuration in the stores of a server that is not running; index 0 and no servers when there is none. */
export async function getConfiguration(
  stores: Pick<BootstrapStores, 'logStore' | 'snapshotStore'>,
): Promise<IndexedConfiguration> {
  const { logStore, snapshotStore } = stores
  const { configurations } = await scanLog(logStore, await logStore.bounds(), () => {})
  const [snapshot] = await snapshotStore.list()
  const fromLog = configurations.at(-1) ?? { configuration: { servers: [] }, index: 0 }
  if (snapshot === undefined || snapshot.configurationIndex <= fromLog.index) return fromLog
  return { configuration: snapshot.configuration, index: snapshot.configurationIndex }
}
