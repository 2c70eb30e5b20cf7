import { otherFamily, type Scenario } from '../scenario.ts'

/** Leadership goes from the variant's family to the other and back, twice, under load. */
export const transfer: Scenario = {
  name: 'transfer',
  variants: ['go', 'node'],
  async run({ cluster, workload, note }, variant) {
    await workload.during(async () => {
      for (let round = 0; round < 2; round += 1)
        for (const family of [variant, otherFamily(variant)]) {
          await cluster.lead(family)
          await workload.progress(50)
        }
    })
    note('longestGapMs', workload.ledger.longestGapMs)
  },
}
