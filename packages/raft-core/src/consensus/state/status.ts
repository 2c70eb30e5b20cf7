// What others may see of the state.
import type { ConsensusStatus, PeerStatus } from '../options.ts'
import type { Progress } from './progress.ts'
import type { State } from './state.ts'

/** A copy of what is known now. */
export function statusOf(state: State): ConsensusStatus {
  const { log, membership } = state
  return {
    role: state.role,
    term: state.hardState.term,
    leader: state.leader,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    commitIndex: state.commitIndex,
    appliedIndex: state.appliedIndex,
    durableIndex: state.durableIndex,
    snapshot: log.snapshot,
    latest: membership.latest,
    committed: membership.committed,
    lastContact: state.lastContact,
    peers: state.leadership?.peers.map(peerStatusOf) ?? [],
  }
}

function peerStatusOf(peer: Progress): PeerStatus {
  return {
    id: peer.server.id,
    suffrage: peer.departure === undefined ? peer.server.suffrage : 'removed',
    state: peer.state,
    matchIndex: peer.matchIndex,
    nextIndex: peer.nextIndex,
    inflightAppends: peer.inflight.length,
    inflightBytes: peer.inflightBytes,
    lastContact: peer.lastContact,
    isRaftkit: peer.isRaftkit,
  }
}
