import type { Scenario } from '../scenario.ts'

/** kill -9 of a leader and of a follower of the variant's family under load, and their return. */
export const crash: Scenario = {
  name: 'crash',
  variants: ['go', 'node'],
  async run({ cluster, workload, note }, variant) {
    await workload.during(async () => {
      const leader = await cluster.lead(variant)
      await workload.progress(100)
      await leader.kill()
      await workload.progress(100)
      await leader.restart()
      await workload.progress(100)
      const follower = cluster.one(variant, await cluster.leader())
      await follower.kill()
      await workload.progress(100)
      await follower.restart()
      await workload.progress(100)
    })
    note('longestGapMs', workload.ledger.longestGapMs)
  },
}
