import { addServer } from '../membership.ts'
import type { Cluster } from '../cluster.ts'
import type { ClusterServer } from '../cluster-server.ts'
import type { Scenario } from '../scenario.ts'
import { CallError } from '../server-process.ts'

/**
 * Node servers replace one of them in one change, through a joint configuration, which a Go server must never see. One
 * joins after that: it is given a snapshot in place of the log that still has it, and follows. From then on no such change
 * is begun.
 */
export const replacement: Scenario = {
  name: 'replacement',
  variants: ['node'],
  kinds: () => ['node', 'node', 'node'],
  async run({ cluster, workload, goKind, note }) {
    await workload.during(async () => {
      await workload.progress(50)
      const leader = await cluster.leader()
      const old = cluster.one('node', leader)
      await replace(cluster, old)
      await workload.progress(50)
      // All of them, for the case that leadership moves on a machine that is busy.
      for (const server of cluster.up) await server.call('snapshot')
      const added = await addServer(cluster, goKind)
      const { snapshotsInstalled } = await added.status()
      if (snapshotsInstalled === 0)
        throw new Error('it was sent the log with the joint configuration')
      await workload.progress(50)
      const last = await cluster.lead('node')
      await refuses(last, cluster.one('node', last))
      await workload.progress(50)
    })
    note('longestGapMs', workload.ledger.longestGapMs)
  },
}

async function replace(cluster: Cluster, old: ClusterServer): Promise<void> {
  const server = cluster.add('node')
  await server.launch()
  await server.join()
  const { id, address } = server
  await (await cluster.leader()).call('replace-server', { id: old.id, by: { id, address } })
  cluster.forget(old)
  await old.kill()
  await server.until('its vote', ({ members }) =>
    members.some((member) => member.id === id && member.suffrage === 'voter'),
  )
}

async function refuses(leader: ClusterServer, old: ClusterServer): Promise<void> {
  const by = { id: 'another', address: '127.0.0.1:1' }
  const error = await leader.call('replace-server', { id: old.id, by }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof CallError) || !error.message.includes('raftkit'))
    throw new Error('a change of several votes with a Go member was not refused', { cause: error })
}
