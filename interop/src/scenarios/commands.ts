import type { Scenario } from '../scenario.ts'
import { CallError } from '../server-process.ts'
import { until } from '../waiting.ts'

/** Commands, barriers and confirmations through a leader of the variant's family. */
export const commands: Scenario = {
  name: 'commands',
  variants: ['go', 'node'],
  async run({ cluster, workload }, variant) {
    await cluster.lead(variant)
    await workload.write(300)
    await until('a leader to confirm itself', async () => {
      const leader = await cluster.lead(variant)
      try {
        await leader.call('barrier')
        await leader.call('verify')
        return true
      } catch (error) {
        // It may lose its leadership on a machine that is busy.
        if (error instanceof CallError) return undefined
        throw error
      }
    })
    // Longer than any length that fits a small MessagePack form.
    for (const length of [31, 32, 255, 256, 65_535, 65_536, 300_000])
      await workload.put(`long-${length}`, 'v'.repeat(length))
  },
}
