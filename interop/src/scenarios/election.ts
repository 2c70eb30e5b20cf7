import type { Scenario } from '../scenario.ts'
import { familyOf } from '../server-kind.ts'

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
    const first = await cluster.leader()
    if (first.family !== variant)
      throw new Error(`${first.id} was elected, where ${variant} servers are quicker`)
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
