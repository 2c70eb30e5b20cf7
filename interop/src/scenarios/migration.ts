import { join } from 'node:path'
import { carryOver } from '../carry-over.ts'
import { ClusterServer } from '../cluster-server.ts'
import type { Cluster } from '../cluster.ts'
import { addServer, removeServer } from '../membership.ts'
import { otherFamily, type Scenario } from '../scenario.ts'
import type { Family, ServerKind } from '../server-kind.ts'

/** Three servers of the other family become three of the variant's, one by one under load: one joins, one leaves. */
export const migrationByRejoin: Scenario = {
  name: 'migration-rejoin',
  variants: ['node', 'go'],
  kinds: (goKind, variant) => three(otherFamily(variant) === 'go' ? goKind : 'node'),
  async run({ cluster, workload, goKind, note }, variant) {
    const kind = variant === 'go' ? goKind : 'node'
    await workload.during(async () => {
      for (const old of cluster.servers) {
        await addServer(cluster, kind)
        await workload.progress(100)
        await removeServer(cluster, old)
        await workload.progress(100)
      }
    })
    checkAll(cluster, variant)
    note('longestGapMs', workload.ledger.longestGapMs)
  },
}

/**
 * Three Go servers become three Node servers with the same ids and addresses, one by one under load: each is stopped,
 * its data directory carried over, and started as a Node server. The membership never changes.
 */
export const migrationInPlace: Scenario = {
  name: 'migration-in-place',
  variants: ['node'],
  kinds: (goKind) => three(goKind),
  // Snapshots are carried over too, and the log does not begin with entry 1.
  config: () => ({ trailingLogs: 50 }),
  async run({ cluster, workload, note }, variant) {
    await workload.write(300)
    for (const server of cluster.servers) await server.call('snapshot')
    let longestDownMs = 0
    await workload.during(async () => {
      for (const old of cluster.servers) {
        await workload.progress(100)
        const stopped = performance.now()
        await becomeNode(cluster, old)
        longestDownMs = Math.max(longestDownMs, performance.now() - stopped)
      }
      await workload.progress(100)
    })
    checkAll(cluster, variant)
    note('longestGapMs', workload.ledger.longestGapMs)
    note('longestDownMs', longestDownMs)
  },
}

async function becomeNode(cluster: Cluster, old: ClusterServer): Promise<void> {
  const { id, address, config } = old
  const directory = join(old.directory, '..', `${id}-as-node`)
  const successor = new ClusterServer('node', { id, address, config, directory })
  await old.stop()
  await carryOver({ from: old.directory, to: directory, serverId: id })
  await successor.restart()
  cluster.replace(old, successor)
  const { commitIndex } = await (await cluster.leader()).status()
  await successor.until('what was committed', (status) => status.appliedIndex >= commitIndex)
}

function three(kind: ServerKind): readonly ServerKind[] {
  return [kind, kind, kind]
}

function checkAll(cluster: Cluster, variant: Family): void {
  if (cluster.servers.length !== 3 || cluster.servers.some(({ family }) => family !== variant))
    throw new Error(`the cluster is not three ${variant} servers`)
}
