import type { Scenario } from '../scenario.ts'

/** Commands, barriers and confirmations through a leader of the variant's family. */
export const commands: Scenario = {
  name: 'commands',
  variants: ['go', 'node'],
  async run({ cluster, workload }, variant) {
    const leader = await cluster.lead(variant)
    await workload.write(300)
    await leader.call('barrier')
    await leader.call('verify')
    // Longer than any length that fits a small MessagePack form.
    for (const length of [31, 32, 255, 256, 65_535, 65_536, 300_000])
      await workload.put(`long-${length}`, 'v'.repeat(length))
  },
}
