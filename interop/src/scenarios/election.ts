import type { Cluster } from '../cluster.ts'
import type { ClusterServer } from '../cluster-server.ts'
import type { Scenario } from '../scenario.ts'
import { type Family, familyOf } from '../server-kind.ts'
import { until } from '../waiting.ts'

/** Servers of the variant's family are quicker to campaign, so one of them wins; the rest elect after its death. */
export const election: Scenario = {
  name: 'election',
  variants: ['go', 'node'],
  preVotes: ['on', 'off', 'mixed'],
  config: (kind, variant) => {
    const ms = familyOf(kind) === variant ? 300 : 900
    return { heartbeatTimeoutMs: ms, electionTimeoutMs: ms, leaderLeaseTimeoutMs: ms / 2 }
  },
  async run({ cluster, workload, note }, variant) {
    const first = await elected(cluster, variant)
    await workload.write(50)
    await first.kill()
    const killed = performance.now()
    await cluster.leader()
    note('electionMs', performance.now() - killed)
    await workload.write(50)
    await first.restart()
    await workload.write(50)
  },
}

/** Has one of the family win an election: on a machine that is busy, the quicker ones may be late. */
function elected(cluster: Cluster, family: Family): Promise<ClusterServer> {
  return until(`a ${family} server to win an election`, async () => {
    const leader = await cluster.leader()
    if (leader.family === family) return leader
    await leader.kill()
    await cluster.leader()
    await leader.restart()
    return undefined
  })
}
