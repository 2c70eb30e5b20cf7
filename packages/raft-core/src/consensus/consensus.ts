import type { Index, Term } from '@raftkit/interface/protocol'
import { requestBootstrap } from './membership/bootstrap.ts'
import { commitTo, entriesDurable } from './replication/commitment.ts'
import { snapshotSaved } from './replication/compaction.ts'
import { stalled, turnEnded } from './deadlines.ts'
import type { Effect } from './effects.ts'
import { countOwnVote } from './election/election.ts'
import type { ConsensusEvent, Moment } from './events.ts'
import { hardStateDurable } from './state/hard-state.ts'
import { answered, received, sendFailed } from './incoming.ts'
import { checkOrder } from './invariant.ts'
import { progressOf } from './election/leadership.ts'
import { requestTransfer } from './leadership/leadership-transfer.ts'
import { requestChange, withdrawChange } from './membership/membership-change.ts'
import type { ConsensusStart, ConsensusStatus, ConsensusTiming } from './options.ts'
import { applied, propose } from './calls/proposals.ts'
import { requestRead } from './leadership/read-index.ts'
import { entriesRead, entriesUnavailable } from './replication/replication.ts'
import {
  requestRestore,
  restoreInstalled,
  restoreReceived,
  withdrawRestore,
} from './calls/restore.ts'
import { snapshotInstalled, snapshotInstallFailed } from './replication/snapshot-installation.ts'
import { snapshotOpened } from './replication/snapshot-transfer.ts'
import { createState, type State } from './state/state.ts'
import { statusOf } from './state/status.ts'
import { fail, refuseWhenStopped } from './stopping.ts'
import { storageFailed, storageRecovered, storageStalled } from './storage.ts'
import { timingChanged } from './timing-change.ts'

/**
 * One server's part in Raft: events in, effects out, nothing else. Pure and synchronous; time and chance come with
 * each event. Carry the effects of a step out in their order, and step `turn-ended` after everything that arrived
 * together, also once at the start: only then do deadlines act and entries leave.
 */
export class Consensus {
  readonly #state: State

  /** Throws when entries are missing between the snapshot and the log. */
  constructor(start: ConsensusStart, timing: ConsensusTiming) {
    const state = createState(start, timing)
    if (start.commitIndex !== undefined && start.commitIndex > state.commitIndex) {
      commitTo(state, start.commitIndex)
      state.appliedIndex = start.commitIndex
    }
    this.#state = state
  }

  /**
   * Takes one event and says what must be done now. Never throws: an invariant that fails, or any other error,
   * gives effects that end in `fatal`. From then on the server is stopped and refuses everything.
   */
  step(event: ConsensusEvent, moment: Moment): readonly Effect[] {
    const state = this.#state
    if (state.role === 'stopped') refuseWhenStopped(state, event)
    else {
      try {
        take(state, event, moment)
      } catch (error) {
        fail(state, event, error)
      }
    }
    const { effects } = state
    state.effects = []
    return effects
  }

  /** A read-only look, for statistics and tests. */
  status(): ConsensusStatus {
    return statusOf(this.#state)
  }

  /** Term of the entry at `index`; undefined when it is compacted away or does not exist. */
  termAt(index: Index): Term | undefined {
    return this.#state.log.termAt(index)
  }
}

/** One event, and the invariants that cost nothing to check after each. */
function take(state: State, event: ConsensusEvent, { now, random }: Moment): void {
  checkOrder(state.now, now, 'last time, time')
  state.now = now
  state.random = random
  dispatch(state, event)
  checkOrder(state.log.snapshot.index, state.appliedIndex, 'snapshot index, applied index')
  checkOrder(state.appliedIndex, state.commitIndex, 'applied index, commit index')
  checkOrder(state.commitIndex, state.log.lastIndex, 'commit index, last index')
  checkOrder(state.durableIndex, state.log.lastIndex, 'durable index, last index')
}

function dispatch(state: State, event: ConsensusEvent): void {
  switch (event.type) {
    case 'turn-ended':
      return turnEnded(state)
    case 'stalled':
      return stalled(state, event.forMs)
    case 'received':
      return received(state, event.requestId, event.request)
    case 'answered':
      return answered(state, event)
    case 'send-failed':
      return sendFailed(state, event.peer, event.sendId, event.failure)
    case 'proposed':
      return propose(state, event.count)
    case 'hard-state-durable':
      hardStateDurable(state, event.sequence)
      return countOwnVote(state)
    case 'entries-durable':
      return entriesDurable(state, event.index, event.term)
    case 'applied':
      return applied(state, event.index)
    case 'entries-read':
    case 'entries-unavailable':
    case 'snapshot-opened':
      return replicationEvent(state, event)
    case 'snapshot-saved':
      return snapshotSaved(state, event.snapshot)
    case 'snapshot-installed':
      return snapshotInstalled(state, event.requestId)
    case 'snapshot-install-failed':
      return snapshotInstallFailed(state, event.requestId, event.message)
    case 'read-requested':
      return requestRead(state, event.readId, event.needsIndex, event.onLease)
    case 'transfer-requested':
      return requestTransfer(state, event.transferId, event.target)
    case 'change-requested':
      return requestChange(state, event)
    case 'change-withdrawn':
      return withdrawChange(state, event.changeId)
    case 'restore-requested':
    case 'restore-received':
    case 'restore-installed':
    case 'restore-withdrawn':
      return restoreEvent(state, event)
    case 'bootstrap-requested':
      return requestBootstrap(state, event.bootstrapId, event.configuration)
    case 'timing-changed':
      return timingChanged(state, event.timing)
    case 'storage-stalled':
      return storageStalled(state)
    case 'storage-recovered':
      return storageRecovered(state)
    case 'storage-failed':
      return storageFailed(state, event.message)
  }
}

function restoreEvent(
  state: State,
  event: Extract<ConsensusEvent, { type: `restore-${string}` }>,
): void {
  switch (event.type) {
    case 'restore-requested':
      return requestRestore(state, event.restoreId, event.index)
    case 'restore-received':
      return restoreReceived(state, event.restoreId)
    case 'restore-installed':
      return restoreInstalled(state, event.restoreId)
    case 'restore-withdrawn':
      return withdrawRestore(state, event.restoreId)
  }
}

/** News for the replication to one peer; void when this server does not lead or the peer is gone. */
function replicationEvent(
  state: State,
  event: Extract<
    ConsensusEvent,
    { type: 'entries-read' | 'entries-unavailable' | 'snapshot-opened' }
  >,
): void {
  const { leadership } = state
  const peer = leadership && progressOf(leadership, event.peer)
  if (leadership === undefined || peer === undefined) return
  switch (event.type) {
    case 'entries-read':
      return entriesRead(state, leadership, peer, event)
    case 'entries-unavailable':
      return entriesUnavailable(state, leadership, peer, event.readId, event.reason)
    case 'snapshot-opened':
      return snapshotOpened(peer, event.sendId, event.index)
  }
}
