// Which servers are raftkit. hashicorp/raft would take a joint configuration for its first half: it would elect and commit
// with that half alone. So the joint state is not entered while a member is known to be something else, and a joint
// configuration is sent to nobody who has not shown this leader that it is raftkit.
import type { Server, ServerId } from '@raftkit/interface/protocol'
import { progressOf } from '../election/leadership.ts'
import type { Progress } from '../state/progress.ts'
import type { Leadership, State } from '../state/state.ts'

/** Whether the joint state may be entered: yes, not yet (an answer may come), or not, because of `obstacle`. */
export type Readiness = 'ready' | 'wait' | { readonly obstacle: ServerId }

/**
 * What is known of the members. One that has not answered for an election timeout is in nobody's way, it may be the dead
 * server that is to be replaced; but for one that is to keep its vote (`staying`), since the new members may need it.
 */
export function readinessOf(
  state: State,
  leadership: Leadership,
  members: readonly Server[],
  staying: ReadonlySet<ServerId>,
): Readiness {
  let isWaiting = false
  for (const server of members) {
    const kind = kindOf(state, leadership, server)
    if (kind === 'hashicorp' || (kind === 'silent' && staying.has(server.id)))
      return { obstacle: server.id }
    if (kind === 'unheard') isWaiting = true
  }
  return isWaiting ? 'wait' : 'ready'
}

function kindOf(
  state: State,
  leadership: Leadership,
  { id, diskId }: Server,
): 'raftkit' | 'hashicorp' | 'unheard' | 'silent' {
  if (id === state.self.id) return 'raftkit'
  const peer = progressOf(leadership, id)
  if (peer?.isHeard === true) return peer.isRaftkit ? 'raftkit' : 'hashicorp'
  // Disks are written down only when everyone has shown one.
  if (diskId !== undefined) return 'raftkit'
  const isSilent =
    peer !== undefined && state.now - peer.lastContact >= state.timing.electionTimeoutMs
  return isSilent ? 'silent' : 'unheard'
}

/** True when the entries that `peer` needs next hold a joint configuration which it must not be sent. */
export function mustSkipEntries({ membership }: State, peer: Progress): boolean {
  return !peer.isRaftkit && peer.nextIndex <= membership.lastJoint.from
}

/** True when the newest snapshot may hold a joint configuration that `peer` must not be sent. */
export function mustSkipSnapshot({ membership, log }: State, peer: Progress): boolean {
  return !peer.isRaftkit && log.snapshot.index < membership.lastJoint.until
}

/**
 * True for a server that must catch up before it has a vote, whatever its caller asks for: the log has, or had, a joint
 * configuration, and nobody knows that this server may be sent it. With a vote it might be needed to commit what only a
 * snapshot could give it, and there is no snapshot of what is not committed.
 */
export function mustCatchUp({ membership }: State, leadership: Leadership, id: ServerId): boolean {
  const { from } = membership.lastJoint
  if (from === 0) return false
  const peer = progressOf(leadership, id)
  if (peer === undefined || peer.departure !== undefined) return true
  return !peer.isRaftkit && peer.matchIndex < from
}
