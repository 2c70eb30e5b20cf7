import { type Profile, profileOf } from '@raftkit/simulator'

const everything = profileOf('default')

/**
 * All troubles of the default profile, and more of what sessions are about: calls at any node with time for retries,
 * requests that come twice, snapshots in quick succession.
 */
export const sessionsProfile: Profile = {
  name: 'sessions',
  adjust(drawn, random) {
    const options = everything.adjust(drawn, random)
    const { network, workload } = options
    const beatMs = options.configs[0]!.heartbeatTimeoutMs
    const compacts = random.chance(0.6)
    const compacted = (config: (typeof options.configs)[number]): typeof config =>
      compacts
        ? {
            ...config,
            trailingLogs: Math.min(config.trailingLogs, 3),
            snapshotThreshold: Math.min(config.snapshotThreshold, 20),
            snapshotIntervalMs: Math.min(config.snapshotIntervalMs, 200),
          }
        : config
    return {
      ...options,
      configs: options.configs.map(compacted),
      otherConfigs: options.otherConfigs.map(compacted),
      network: {
        ...network,
        duplication: Math.max(network.duplication ?? 0, random.chance(0.5) ? 0.1 : 0),
      },
      vault: Math.max(options.vault, random.chance(0.5) ? 0.02 : 0),
      workload: {
        ...workload,
        meanPauseMs: Math.max(workload.meanPauseMs, 20),
        timeoutMs: beatMs * random.magnitude(0.5, 12),
        wrongServer: random.between(0.3, 0.9),
        leaseReads: 0,
      },
    }
  },
}
