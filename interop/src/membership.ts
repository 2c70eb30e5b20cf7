import type { Cluster } from './cluster.ts'
import type { ClusterServer } from './cluster-server.ts'
import type { MemberChange } from './protocol.ts'
import type { ServerKind } from './server-kind.ts'
import { CallError } from './server-process.ts'
import { until } from './waiting.ts'

type Change = 'add-voter' | 'add-nonvoter' | 'demote-voter' | 'remove-server'

/** Has the leader change the membership, whichever server that is by then. */
async function change(cluster: Cluster, op: Change, args: MemberChange): Promise<void> {
  await until(`${op} ${args.id}`, async () => {
    const leader = await cluster.leader()
    try {
      await leader.call(op, args)
      return true
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      // Leadership was lost on the way. These changes may be made twice, but nobody is removed who is not there.
      const { members } = await (await cluster.leader()).status()
      const isGone = !members.some(({ id }) => id === args.id)
      return op === 'remove-server' && isGone ? true : undefined
    }
  })
}

/** Starts a new server, which first catches up as a nonvoter and then votes. */
export async function addServer(cluster: Cluster, kind: ServerKind): Promise<ClusterServer> {
  const server = cluster.add(kind)
  await server.launch()
  await server.join()
  const { id, address } = server
  await change(cluster, 'add-nonvoter', { id, address })
  const { commitIndex } = await (await cluster.leader()).status()
  await server.until('what was committed', (status) => status.appliedIndex >= commitIndex)
  await change(cluster, 'add-voter', { id, address })
  await allKnow(cluster, id, 'voter')
  return server
}

/** Takes a vote away and gives it back. */
export async function demoteAndPromote(cluster: Cluster, server: ClusterServer): Promise<void> {
  const { id, address } = server
  await change(cluster, 'demote-voter', { id })
  await allKnow(cluster, id, 'nonvoter')
  await change(cluster, 'add-voter', { id, address })
  await allKnow(cluster, id, 'voter')
}

/** Removes a server, which may be the leader, and ends its process. */
export async function removeServer(cluster: Cluster, server: ClusterServer): Promise<void> {
  await change(cluster, 'remove-server', { id: server.id })
  // Until it is off the list, clients would ask it in vain.
  cluster.forget(server)
  await allKnow(cluster, server.id, 'absent')
  await server.kill()
}

/** Waits until every server has the member's suffrage in its configuration. */
async function allKnow(
  cluster: Cluster,
  id: string,
  wanted: 'voter' | 'nonvoter' | 'absent',
): Promise<void> {
  for (const server of cluster.up)
    await server.until(`${id} is ${wanted}`, ({ members }) => {
      const found = members.find((member) => member.id === id)
      return (found?.suffrage ?? 'absent') === wanted
    })
}
