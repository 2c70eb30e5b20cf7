// Which role a server is in, and whom it takes for the leader (§5.1, §5.2).
import type { Term } from '@raftkit/interface/protocol'
import type { KnownLeader, Role } from '../effects.ts'
import { saveHardState } from '../state/hard-state.ts'
import { violated } from '../invariant.ts'
import { orphanChanges } from '../calls/membership-calls.ts'
import type { Sender } from '../messages.ts'
import { answerError } from '../state/outgoing.ts'
import { orphanRestore } from '../calls/restore.ts'
import { randomDeadline, type State } from '../state/state.ts'

/** Who a sender is: its id, or its address when an old peer sends none. */
export function identityOf(sender: Pick<Sender, 'id' | 'address'>): string {
  return sender.id === '' ? sender.address : sender.id
}

/** Takes up a role and says so. */
export function enterRole(state: State, role: Role, reason: string): void {
  state.role = role
  state.effects.push({ type: 'role-changed', role, term: state.hardState.term, reason })
}

/** Notes the leader, or that none is known. */
export function setLeader(state: State, leader: KnownLeader | undefined): void {
  const known = state.leader
  if (known?.id === leader?.id && known?.address === leader?.address) return
  state.leader = leader
  const { term } = state.hardState
  state.effects.push(
    leader === undefined
      ? { type: 'leader-changed', term }
      : { type: 'leader-changed', leader, term },
  )
}

/**
 * Goes on as a follower of `term`. Whatever the server was, ends first: a term higher than the own is stronger
 * than any role (§5.1).
 */
export function becomeFollower(
  state: State,
  term: Term,
  reason: string,
  leader?: KnownLeader,
): void {
  const isHigher = term > state.hardState.term
  if (isHigher) saveHardState(state, { term })
  const role = state.role
  if (role !== 'follower') {
    endCampaignOrLeadership(state, isHigher, 'leadership-lost')
    state.electionDeadline = randomDeadline(state, state.timing.heartbeatTimeoutMs)
    enterRole(state, 'follower', reason)
  }
  if (!isHigher && role !== 'leader') return
  // The leader of an earlier term is none now, even when it won again.
  if (leader !== undefined) state.leader = undefined
  setLeader(state, leader)
}

/** A message of a legitimate leader came (§5.2): follow it, and wait for the next one from now on. */
export function followLeader(state: State, from: Sender, term: Term): void {
  const identity = identityOf(from)
  if (term > state.hardState.term || state.role !== 'follower') {
    if (term === state.hardState.term && state.role === 'leader')
      violated(`a term has one leader (§5.2): ${identity} and this server in term ${term}`)
    becomeFollower(state, term, `${identity} leads term ${term}`, toKnown(from))
  }
  if (state.leaderOfTerm !== undefined && state.leaderOfTerm !== identity)
    violated(`a term has one leader (§5.2): ${identity} and ${state.leaderOfTerm} in term ${term}`)
  state.leaderOfTerm = identity
  state.lastContact = state.now
  state.isWanted = false
  state.electionDeadline = randomDeadline(state, state.timing.heartbeatTimeoutMs)
  if (state.leader?.id !== from.id || state.leader.address !== from.address)
    setLeader(state, toKnown(from))
}

function toKnown({ id, address }: Sender): KnownLeader {
  return { id, address }
}

/** Takes no further part (an invariant or the disk failed). Everyone who waits is told. */
export function stop(state: State, reason: string): void {
  endCampaignOrLeadership(state, false, 'stopped')
  if (state.installation !== undefined)
    answerError(state, state.installation.requestId, `this server has stopped: ${reason}`)
  state.installation = undefined
  enterRole(state, 'stopped', reason)
  setLeader(state, undefined)
}

function endCampaignOrLeadership(
  state: State,
  toHigherTerm: boolean,
  refusal: 'leadership-lost' | 'stopped',
): void {
  state.election = undefined
  const leadership = state.leadership
  if (leadership === undefined) return
  state.leadership = undefined
  const { effects } = state
  for (const peer of leadership.peers) effects.push({ type: 'drop-sends', peer: peer.server.id })
  effects.push({ type: 'proposals-orphaned', term: leadership.term })
  for (const readId of leadership.readsBeforeCommit)
    effects.push({ type: 'read-refused', readId, reason: refusal })
  for (const { readId } of leadership.reads)
    effects.push({ type: 'read-refused', readId, reason: refusal })
  orphanChanges(state, leadership, refusal)
  orphanRestore(state, leadership, refusal)
  if (leadership.transfer !== undefined) {
    const { transferId, sendId } = leadership.transfer
    const isHandedOver = toHigherTerm && sendId !== undefined
    effects.push(
      isHandedOver
        ? { type: 'transfer-ended', transferId }
        : { type: 'transfer-ended', transferId, refusal },
    )
  }
}
