import { addServer, demoteAndPromote, removeServer } from '../membership.ts'
import type { Scenario } from '../scenario.ts'
import { CallError } from '../server-process.ts'

/**
 * A leader of the variant's family adds a server of each kind, demotes and promotes both, refuses a change to an old
 * configuration, removes both, and last itself. Everyone follows.
 */
export const membership: Scenario = {
  name: 'membership',
  variants: ['go', 'node'],
  async run({ cluster, workload, goKind, note }, variant) {
    await workload.during(async () => {
      for (const kind of [goKind, 'node'] as const) {
        await cluster.lead(variant)
        const added = await addServer(cluster, kind)
        await workload.progress(50)
        await cluster.lead(variant)
        await demoteAndPromote(cluster, added)
        await workload.progress(50)
        const leader = await cluster.lead(variant)
        await refusesOldIndex(leader.call('demote-voter', { id: added.id, prevIndex: 1 }))
        await removeServer(cluster, added)
        await workload.progress(50)
      }
      await removeServer(cluster, await cluster.lead(variant))
      await cluster.leader()
      await workload.progress(50)
    })
    note('longestGapMs', workload.ledger.longestGapMs)
  },
}

async function refusesOldIndex(changing: Promise<unknown>): Promise<void> {
  const error = await changing.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof CallError) || !error.message.includes('configuration'))
    throw new Error('a change to an old configuration was not refused', { cause: error })
}
