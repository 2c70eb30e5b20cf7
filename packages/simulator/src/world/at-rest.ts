// What servers say of themselves, and what must be empty when nothing happens any more.
import type { StateMachine } from '@raftkit/interface'
import type { RaftStats } from '@raftkit/raft-core'
import { VAULT_ADDRESS } from '../network/vault.ts'
import type { World } from './world.ts'

/** What every server says of itself, one line each. */
export function describeServers<M extends StateMachine<R>, R>(world: World<M, R>): string {
  return world.servers
    .map(({ id, raft, isUp, run }) => {
      if (raft === undefined) return `${id} is ${isUp ? 'starting' : 'down'}`
      const stats = raft.stats()
      const peers = stats.peers.map(
        ({ id: peer, state, matchIndex, nextIndex, inflightAppends }) =>
          `${peer}: ${state} match ${matchIndex} next ${nextIndex} inflight ${inflightAppends}`,
      )
      return (
        `${id} ${stats.state}${run?.process.isPaused === true ? ' (paused)' : ''} term ${stats.term} leader ${raft.leader?.id} last ${stats.lastLogIndex}/${stats.lastLogTerm} ` +
        `commit ${stats.commitIndex} applied ${stats.appliedIndex} durable ${stats.durableIndex} snapshot ${stats.lastSnapshotIndex}` +
        `${peers.length > 0 ? `; ${peers.join('; ')}` : ''}`
      )
    })
    .join('\n')
}

/** Queues that must be empty on a server at rest. */
type RestingQueue =
  | 'pendingProposals'
  | 'pendingProposalBytes'
  | 'pendingReads'
  | 'pendingWrites'
  | 'heldMessages'

const AT_REST: readonly RestingQueue[] = [
  'pendingProposals',
  'pendingProposalBytes',
  'pendingReads',
  'pendingWrites',
  'heldMessages',
]

/** The part of a server's statistics that must be empty at rest. */
interface RestingStats extends Pick<RaftStats, RestingQueue> {
  readonly peers: readonly Pick<RaftStats['peers'][number], 'id' | 'inflightBytes'>[]
}

/** What {@link leftovers} looks at. */
interface AtRest {
  readonly id: string
  readonly raft: { stats(): RestingStats } | undefined
}

/** After everything has ended, nothing waits anywhere. Says what does. */
export function leftovers(servers: readonly AtRest[]): string[] {
  const found: string[] = []
  for (const { id, raft } of servers) {
    if (raft === undefined) continue
    const stats = raft.stats()
    for (const name of AT_REST)
      if (stats[name] !== 0) found.push(`${id}: ${name} is ${stats[name]}`)
    for (const { id: peer, inflightBytes } of stats.peers)
      if (inflightBytes !== 0 && servers.some((server) => server.id === peer))
        found.push(`${id}: ${inflightBytes} bytes are under way to ${peer}`)
  }
  return found
}

/** After every server was shut down, no connection is open and no address taken. Says what is. */
export function openEnds({
  openStreams,
  addresses,
}: {
  readonly openStreams: number
  readonly addresses: readonly string[]
}): string[] {
  const found = openStreams > 0 ? [`${openStreams} connections are still open`] : []
  // Old requests that come again have an address of their own, which outlives the servers.
  for (const address of addresses)
    if (address !== VAULT_ADDRESS) found.push(`${address} is still taken`)
  return found
}
