// Everything that consensus knows, in one record. The other files of consensus are sets of functions over it; each of
// them reads beside Figure 2 of the paper. Nobody outside of consensus sees it.
import type { HardState, Index, ServerId, Term } from '@raftkit/interface/protocol'
import type { ConfigurationChange, MembershipPlan } from '../configuration/configuration-change.ts'
import type { Effect, KnownLeader, Role } from '../effects.ts'
import { Membership } from '../configuration/membership.ts'
import type { SnapshotPoint } from '../messages.ts'
import type { ConsensusStart, ConsensusTiming } from '../options.ts'
import type { Progress } from './progress.ts'
import type { VoterSet } from '../configuration/quorum.ts'
import { TermLog } from './term-log.ts'

/** One round of a campaign: pre-votes or votes. */
export interface Election {
  readonly phase: 'pre-vote' | 'vote'
  /** Whom each request went to. An answer counts once, and only in the round that asked. */
  readonly asked: Map<number, ServerId>
  /** Distinct voters that said yes. */
  readonly granted: Set<ServerId>
  /** The voters when the round began; those of both halves of a joint configuration. */
  readonly voters: readonly (readonly ServerId[])[]
  /** The own vote counts when this `save-hard-state` is durable. */
  readonly ownVoteSequence: number
}

/** A read that waits for proof of leadership (dissertation §6.4). */
export interface PendingRead {
  readonly readId: number
  readonly index: Index
  /** A quorum must confirm this heartbeat round, which began after the read was asked for. */
  readonly round: number
}

/** A hand-over under way (dissertation §3.10). Belongs to one leadership and ends with it. */
export interface Transfer {
  readonly transferId: number
  readonly target: ServerId
  readonly deadline: number
  /** The TimeoutNow; undefined while the target is still catching up. */
  sendId: number | undefined
}

/** A change of the membership that somebody asked for. */
export interface MembershipCall {
  readonly changeId: number
  readonly change: ConfigurationChange
  readonly prevIndex: Index
}

/** A call that asks for a change of several members. */
export type PlanCall = MembershipCall & { readonly change: MembershipPlan }

/** A change of several members that waits for servers to catch up. */
export interface Plan {
  readonly call: PlanCall
  /** It was found possible, and its new servers taken in: what keeps it from being made now is another change. */
  hasBegun: boolean
}

/** What only a leader has. Made anew for each leadership; nothing of it outlives the term. */
export interface Leadership {
  readonly term: Term
  /** Index of the no-op that this leader appended first in its term, or after a restore. Nothing before it proves much. */
  firstIndex: Index
  peers: Progress[]
  voters: VoterSet<Progress>
  heartbeatAt: number
  /** Heartbeat rounds begun. */
  round: number
  /** When to look at the lease again. */
  leaseCheckAt: number
  /** Time added to the lease because this server was stalled and could hear nobody. */
  leaseExtensionMs: number
  /** When the last stall ended. */
  stalledAt: number
  /** Reads that wait for the first commit of the term. */
  readsBeforeCommit: number[]
  /** Reads that wait for a quorum, in the order of their rounds. */
  reads: PendingRead[]
  transfer: Transfer | undefined
  restore: Restore | undefined
  /** A TimeoutNow left in this leadership. */
  hasAskedToCampaign: boolean
  /** Changes that wait for the one before them, oldest first. */
  changes: MembershipCall[]
  /** The change in the one configuration that is not committed yet. */
  appendedChange: MembershipCall | undefined
  /** Changes whose server is catching up, by server. */
  stagedChanges: Map<ServerId, MembershipCall>
  /** Changes of several members whose servers are catching up, oldest first. */
  plans: Plan[]
}

/** A snapshot that is given to this leader from outside, and takes the place of everything up to `index`. */
export interface Restore {
  readonly restoreId: number
  readonly index: Index
  phase: 'receiving' | 'installing' | 'committing'
}

/** A snapshot that is being received and restored. */
export interface Installation {
  readonly requestId: number
  readonly snapshot: SnapshotPoint
  readonly keepLogAfter: boolean
}

/** What a server remembers of the hand-overs that it made by itself; outlives its leaderships. */
export interface Preference {
  /** When it made the last one. */
  at: number
  /** Those that were made, each not long after the one before. */
  offers: number
  /** How often leadership was handed back to it soon after. */
  returned: number
  /** It campaigns because the leader asked it to. */
  wasAsked: boolean
}

/** The state of one server (Figure 2). */
export interface State {
  readonly self: ConsensusStart['self']
  timing: ConsensusTiming
  now: number
  random: number
  /** Where a step puts its effects. */
  effects: Effect[]

  role: Role
  hardState: HardState
  /** Sequence of the newest `save-hard-state`, and of the newest one that is durable. */
  savedSequence: number
  durableSequence: number
  readonly log: TermLog
  readonly membership: Membership
  commitIndex: Index
  appliedIndex: Index
  /** The own log is durable up to here. */
  durableIndex: Index

  leader: KnownLeader | undefined
  /** Who leads the current term, kept when the leader falls silent: a term has one leader (§5.2). */
  leaderOfTerm: ServerId | undefined
  lastContact: number | undefined
  electionDeadline: number
  /** Until then this server may have promised its vote to a leader that it heard before it was started anew. */
  quietUntil: number
  election: Election | undefined
  /** It has no vote, and was asked for one by a server that has less of the log; until a leader is heard. */
  isWanted: boolean
  leadership: Leadership | undefined
  /** The hand-overs to preferred leaders that this server made. */
  readonly preference: Preference
  installation: Installation | undefined
  /** The restore whose snapshot is taking the place of log and state; ends with that, not with the leadership. */
  restoring: Pick<Restore, 'restoreId' | 'index'> | undefined
  /** The TimeoutNow of a leader that left the membership, until it is answered. */
  handOver: { readonly sendId: number; readonly isRemoved: boolean } | undefined
  isStorageStalled: boolean
  /** The latest configuration knows this server with another disk. */
  isDiskLost: boolean
  /** Voters that do not know the pre-vote RPC; they are taken to grant it. */
  readonly peersWithoutPreVote: Set<ServerId>
  nextSendId: number
  /** The time last asked for by `wake-at`; Infinity when none is outstanding. */
  wakeAt: number
}

/** It made no hand-over yet. */
export function newPreference(): Preference {
  return { at: -Infinity, offers: 0, returned: 0, wasAsked: false }
}

/** The state of a server that has just started: a follower that knows no leader (§5.2). */
export function createState(start: ConsensusStart, timing: ConsensusTiming): State {
  const { snapshot, lastIndex, runs } = start
  const effects: Effect[] = []
  let log = new TermLog(snapshot, start.logFirstIndex, lastIndex, runs)
  if (lastIndex < snapshot.index || log.termAt(snapshot.index) !== snapshot.term) {
    // A crash between a snapshot's arrival and the log's removal: the log goes now (§7, rule 7).
    if (runs.length > 0) effects.push({ type: 'truncate-log', from: start.logFirstIndex })
    log = new TermLog(snapshot, 0, snapshot.index, [])
  }
  const hardState = liftTerm(start.hardState, log.lastTerm)
  const isLifted = hardState !== start.hardState
  // Before any entry of that term is: a log beyond the saved term would look like a lost vote at the next start.
  if (isLifted) effects.push({ type: 'save-hard-state', sequence: 1, hardState })
  return {
    self: start.self,
    timing,
    now: start.now,
    random: start.random,
    effects,
    role: 'follower',
    hardState,
    savedSequence: isLifted ? 1 : 0,
    durableSequence: 0,
    log,
    membership: new Membership(
      start.configurations.filter((known) => known.index <= log.lastIndex),
      snapshot.index,
    ),
    commitIndex: snapshot.index,
    appliedIndex: snapshot.index,
    durableIndex: log.lastIndex,
    leader: undefined,
    leaderOfTerm: undefined,
    lastContact: undefined,
    quietUntil: start.mayHaveHeardLeader ? start.now + timing.heartbeatTimeoutMs : -Infinity,
    electionDeadline: start.now + timing.heartbeatTimeoutMs * (1 + start.random),
    election: undefined,
    isWanted: false,
    leadership: undefined,
    preference: newPreference(),
    installation: undefined,
    restoring: undefined,
    handOver: undefined,
    isStorageStalled: false,
    isDiskLost: false,
    peersWithoutPreVote: new Set(),
    nextSendId: 1,
    wakeAt: Infinity,
  }
}

/**
 * A crash can leave an entry or a snapshot on disk and not the term that was saved beside it. No answer has left in
 * that term then, and no vote was given in it, so it is taken up without one.
 */
function liftTerm(hardState: HardState, lastTerm: Term): HardState {
  return hardState.term < lastTerm ? { term: lastTerm } : hardState
}

/** A random time in [timeout, 2 × timeout) from now, so that servers do not act in step (§5.2, §9.3). */
export function randomDeadline(state: State, timeoutMs: number): number {
  return state.now + timeoutMs * (1 + state.random)
}
