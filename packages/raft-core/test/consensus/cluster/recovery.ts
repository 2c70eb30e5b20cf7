// After the faults: a cluster must get on by itself (liveness), and leave nothing behind.
import type { Cluster } from './cluster.ts'
import { testTiming } from './timing.ts'

const LAST_VALUE = 'the end'

/**
 * All servers are up, disks are fast and nothing is lost any more. Within 50 election timeouts a leader commits
 * something new and every member has applied it.
 */
export function recover(cluster: Cluster): void {
  const until = cluster.now + 50 * testTiming.electionTimeoutMs
  let goal: { readonly index: number; readonly term: number } | undefined
  while (cluster.now < until) {
    for (let count = 0; cluster.messages.length > 0 && count < 1000; count++)
      cluster.deliver(cluster.messages[0]!)
    const leader = cluster.leaders().at(-1)
    if (leader !== undefined && leader.consensus.status().term !== goal?.term) {
      leader.propose(LAST_VALUE)
      const { lastIndex, term } = leader.consensus.status()
      if (leader.log.get(lastIndex)?.value === LAST_VALUE) goal = { index: lastIndex, term }
    }
    // Servers take snapshots by themselves; one that is not raftkit gets one in place of a joint configuration.
    if (cluster.plain.size > 0) leader?.takeSnapshot()
    if (goal !== undefined && haveApplied(cluster, goal.index)) return checkRest(cluster)
    cluster.now += 2
    cluster.wake()
  }
  throw new Error(`no progress after the faults ended:\n${describe(cluster)}`)
}

function haveApplied(cluster: Cluster, index: number): boolean {
  const leader = cluster.leaders().at(-1)
  const configuration = leader?.consensus.status().latest.configuration
  // A joint state ends by itself.
  if (configuration === undefined || configuration.next !== undefined) return false
  const { servers } = configuration
  return servers.length > 0 && servers.every(({ id }) => cluster.server(id).machine.index >= index)
}

/** At rest nothing is left over: no answer is owed, no window is in use. */
function checkRest(cluster: Cluster): void {
  while (cluster.messages.length > 0) cluster.deliver(cluster.messages[0]!)
  for (const server of cluster.servers.values()) {
    if (server.unanswered.size > 0)
      throw new Error(`${server.id} owes ${server.unanswered.size} answers`)
    for (const peer of server.consensus.status().peers)
      if (peer.inflightAppends > 0 || peer.inflightBytes > 0)
        throw new Error(`${server.id} waits for ${peer.id} with nothing under way`)
  }
}

function describe(cluster: Cluster): string {
  return [...cluster.servers.values()]
    .map((server) => {
      const { latest, committed, ...status } = server.consensus.status()
      const { servers, next = [] } = latest.configuration
      const members = [...servers, ...next].map(({ id, suffrage }) => `${id} ${suffrage}`)
      const configurations = `${latest.index} (${members.join(', ')}), committed ${committed.index}`
      return `${server.id} in configuration ${configurations}: ${JSON.stringify(status)}`
    })
    .join('\n')
}
