// The beginning of a leadership, and whom a leader replicates to (§5.2, §5.3).
import { type Configuration, membersOf, type Server } from '@raftkit/interface/protocol'
import { noteLeadership } from '../state/preference.ts'
import { Progress } from '../state/progress.ts'
import { isVoter, VoterSet } from '../configuration/quorum.ts'
import { enterRole, setLeader } from './roles.ts'
import type { Leadership, State } from '../state/state.ts'

/** A quorum has voted for this server. */
export function becomeLeader(state: State, reason: string): void {
  const { term } = state.hardState
  state.election = undefined
  const firstIndex = state.log.lastIndex + 1
  const leadership: Leadership = {
    term,
    firstIndex,
    peers: [],
    voters: new VoterSet<Progress>([], false),
    heartbeatAt: state.now,
    round: 0,
    leaseCheckAt: state.now,
    leaseExtensionMs: 0,
    stalledAt: -Infinity,
    readsBeforeCommit: [],
    reads: [],
    transfer: undefined,
    restore: undefined,
    hasAskedToCampaign: false,
    changes: [],
    appendedChange: undefined,
    stagedChanges: new Map(),
    plans: [],
  }
  state.leadership = leadership
  noteLeadership(state)
  state.leaderOfTerm = state.self.id
  enterRole(state, 'leader', reason)
  setLeader(state, state.self)
  followConfiguration(state, leadership)
  // Entries of earlier terms commit only together with one of the own term (§5.4.2, dissertation §6.4).
  state.log.append(1, term)
  state.effects.push({ type: 'append-noop', index: firstIndex, term })
}

/** The latest configuration changed: new servers are probed, removed ones are followed until they know (§6). */
export function followConfiguration(state: State, leadership: Leadership): void {
  const before = new Map(leadership.peers.map((peer) => [peer.server.id, peer]))
  const { configuration, index } = state.membership.latest
  const servers = membersOf(configuration)
  leadership.peers = servers
    .filter((server) => server.id !== state.self.id)
    .map((server) => followServer(state, server, before.get(server.id)))
  for (const server of servers) before.delete(server.id)
  for (const removed of before.values()) {
    removed.server = { ...removed.server, suffrage: 'nonvoter' }
    removed.departure ??= { index, deadline: Infinity }
    leadership.peers.push(removed)
  }
  leadership.voters = voterSetOf(state, leadership, configuration)
  // Another quorum may have another lease.
  leadership.leaseCheckAt = state.now
}

/** Whose acknowledgements count: in the joint state, a quorum of each half is needed (§6). */
function voterSetOf(
  { self }: State,
  { peers }: Leadership,
  { servers, next }: Configuration,
): VoterSet<Progress> {
  const half = (members: readonly Server[], other?: VoterSet<Progress>): VoterSet<Progress> => {
    const voters = new Set(members.filter(isVoter).map(({ id }) => id))
    return new VoterSet(
      peers.filter((peer) => voters.has(peer.server.id)),
      voters.has(self.id),
      other,
    )
  }
  return next === undefined ? half(servers) : half(servers, half(next))
}

function followServer(state: State, server: Server, known: Progress | undefined): Progress {
  // A server that comes back after its removal may have come back with another disk: nothing about it is known.
  if (known?.departure !== undefined) state.effects.push({ type: 'drop-sends', peer: server.id })
  if (known === undefined || known.departure !== undefined)
    return new Progress(server, state.log.lastIndex + 1, state.now)
  if (known.server.address !== server.address) {
    state.effects.push({ type: 'drop-sends', peer: server.id })
    known.enterProbe(known.matchIndex + 1)
    known.clearBackOff()
  }
  known.server = server
  return known
}

/** The leader's record of a peer; undefined for a server that is not followed. */
export function progressOf(leadership: Leadership, id: string): Progress | undefined {
  for (const peer of leadership.peers) if (peer.server.id === id) return peer
  return undefined
}
