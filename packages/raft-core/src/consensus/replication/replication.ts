// The leader's side of AppendEntries (§5.3): what each peer is sent next, and what its answer proves.
import type { Index } from '@raftkit/interface/protocol'
import { advanceCommit } from './commitment.ts'
import { violated } from '../invariant.ts'
import type { AppendEntriesAnswer } from '../messages.ts'
import type { Progress, SentAppend } from '../state/progress.ts'
import { mustSkipEntries, mustSkipSnapshot } from '../leadership/raftkit-peers.ts'
import { confirmReads } from '../leadership/read-index.ts'
import { longestPause, sendSnapshot } from './snapshot-transfer.ts'
import type { Leadership, State } from '../state/state.ts'

/** Plans what `peer` is sent. Called once per turn, so that all proposals of a turn go out together. */
export function replicate(state: State, leadership: Leadership, peer: Progress): void {
  if (peer.state === 'snapshot' || peer.readId !== 0 || state.now < peer.retryAt) return
  // The log is gone and the snapshot in its place is not durable yet.
  if (state.restoring !== undefined) return
  const { log } = state
  const isCompacted =
    peer.nextIndex < log.firstIndex || log.termAt(peer.nextIndex - 1) === undefined
  if (isCompacted || mustSkipEntries(state, peer)) {
    if (!mustSkipSnapshot(state, peer)) sendSnapshot(state, leadership, peer)
    return
  }
  if (peer.state === 'probe') probe(state, leadership, peer)
  else if (peer.nextIndex <= log.lastIndex) readNext(state, peer)
  else if (state.now >= peer.commitNoticeAt && hasSlot(state, peer))
    sendEntries(state, leadership, peer, peer.nextIndex - 1, 0, undefined)
}

/** One request at a time. It carries entries, unless the peer did not answer lately. */
function probe(state: State, leadership: Leadership, peer: Progress): void {
  if (peer.inflight.length > 0) {
    giveUpLostProbe(state, peer)
    return
  }
  if (peer.failures === 0 && peer.nextIndex <= state.log.lastIndex) readNext(state, peer)
  else sendEntries(state, leadership, peer, peer.nextIndex - 1, 0, undefined)
}

/**
 * A network can swallow a request without an error. When the peer has answered heartbeats that were sent after the
 * probe, for a heartbeat timeout, it is probed again after a pause, without entries: a peer that is slow to write what it
 * was sent is not sent it once more. A late answer proves nothing any more.
 */
function giveUpLostProbe(state: State, peer: Progress): void {
  const { sentAt } = peer.inflight[0]!
  const isLost = peer.lastContact > sentAt && state.now - sentAt >= state.timing.heartbeatTimeoutMs
  if (isLost) peer.backOff(state.now, longestPause(state))
}

/** Asks for the next entries, when the window has room. Entries are sent ahead without waiting for the own disk. */
function readNext(state: State, peer: Progress): void {
  const { maxAppendEntries, maxAppendBytes, maxInflightBytes } = state.timing
  const isIdle = peer.inflight.length === 0
  if (!isIdle && !hasSlot(state, peer)) return
  if (!isIdle && peer.inflightBytes + maxAppendBytes > maxInflightBytes) return
  peer.readId = state.nextSendId++
  state.effects.push({
    type: 'read-entries',
    peer: peer.server.id,
    readId: peer.readId,
    from: peer.nextIndex,
    to: Math.min(state.log.lastIndex, peer.nextIndex + maxAppendEntries - 1),
    maxBytes: Math.min(maxAppendBytes, maxInflightBytes),
  })
}

function hasSlot(state: State, peer: Progress): boolean {
  return peer.inflight.length < state.timing.maxInflightAppends
}

/** The entries that `readId` asked for are at hand: they leave now. A read that was given up is ignored. */
export function entriesRead(
  state: State,
  leadership: Leadership,
  peer: Progress,
  read: {
    readonly readId: number
    readonly from: Index
    readonly to: Index
    readonly bytes: number
  },
): void {
  const { readId, from, to, bytes } = read
  if (peer.readId !== readId) return
  if (from !== peer.nextIndex || to < from || to > state.log.lastIndex)
    violated(`read ${readId} was for entries from ${peer.nextIndex} on and brought ${from}..${to}`)
  peer.readId = 0
  if (state.log.termAt(from - 1) !== undefined && !mustSkipEntries(state, peer))
    sendEntries(state, leadership, peer, to, bytes, readId)
  replicate(state, leadership, peer)
}

/** The entries are not to be had: the peer gets a snapshot when one covers them, or waits. */
export function entriesUnavailable(
  state: State,
  leadership: Leadership,
  peer: Progress,
  readId: number,
  reason: 'compacted' | 'failed',
): void {
  if (peer.readId !== readId) return
  peer.readId = 0
  const isCovered = peer.nextIndex <= state.log.snapshot.index && !mustSkipSnapshot(state, peer)
  if (reason === 'compacted' && isCovered) sendSnapshot(state, leadership, peer)
  else peer.backOff(state.now, longestPause(state))
}

/** AppendEntries with the entries after `nextIndex - 1` up to `lastIndex`, or with none. */
function sendEntries(
  state: State,
  leadership: Leadership,
  peer: Progress,
  lastIndex: Index,
  bytes: number,
  readId: number | undefined,
): void {
  const { term, round } = leadership
  const prevLogIndex = peer.nextIndex - 1
  const prevLogTerm = state.log.termAt(prevLogIndex)
  if (prevLogTerm === undefined) violated(`the term of entry ${prevLogIndex} is not known`)
  // hashicorp/raft takes min(leaderCommit, its last index) for committed: never name an entry not proved here.
  const leaderCommit = Math.min(state.commitIndex, lastIndex)
  const sendId = state.nextSendId++
  const lane = peer.state === 'pipeline' ? 'pipeline' : 'probe'
  const type = 'send-entries'
  const to = peer.server
  // Written out twice: a spread would cost more than all the rest of a send.
  state.effects.push(
    readId === undefined
      ? { type, to, sendId, lane, term, prevLogIndex, prevLogTerm, leaderCommit }
      : { type, to, sendId, lane, term, prevLogIndex, prevLogTerm, leaderCommit, readId },
  )
  peer.sent({ sendId, prevLogIndex, lastIndex, bytes, leaderCommit, sentAt: state.now, round })
  if (leaderCommit >= state.commitIndex) peer.commitNoticeAt = Infinity
}

/** The answer to the AppendEntries `sendId`. One that belongs to nothing under way proves nothing. */
export function appendAnswered(
  state: State,
  leadership: Leadership,
  peer: Progress,
  sendId: number,
  answer: AppendEntriesAnswer,
): void {
  const sent = peer.takeAppend(sendId, answer.success)
  if (sent === undefined) return
  peer.contact(sent.sentAt, sent.round)
  confirmReads(state, leadership)
  if (!answer.success) {
    appendRefused(state, peer, sent, answer)
    return
  }
  // A peer that refuses entries may take a request without any: only entries that it took end the growing pauses.
  if (sent.lastIndex > sent.prevLogIndex) peer.clearBackOff()
  peer.matchIndex = Math.max(peer.matchIndex, sent.lastIndex)
  peer.knownCommit = Math.max(peer.knownCommit, sent.leaderCommit)
  if (peer.state !== 'pipeline') peer.enterPipeline()
  if (peer.matchIndex > state.commitIndex) advanceCommit(state, leadership)
}

/** Goes back to the last entry that can match, or waits when the refusal is not about the log. */
function appendRefused(
  state: State,
  peer: Progress,
  sent: SentAppend,
  answer: AppendEntriesAnswer,
): void {
  const next = answer.noRetryBackoff ? nextAfterMismatch(state, sent, answer) : Infinity
  // A peer that refuses what it acknowledged has lost it. Probing it in a tight loop brings nothing back.
  if (next <= peer.matchIndex || next > sent.prevLogIndex) {
    peer.backOff(state.now, longestPause(state))
    return
  }
  peer.clearBackOff()
  peer.enterProbe(next)
}

/**
 * Where to probe next (§5.3). With a hint, one round trip skips a whole term: the leader's last entry of the
 * conflicting term may match; without one, nothing of that term does. hashicorp/raft gives only its last index.
 */
function nextAfterMismatch(state: State, sent: SentAppend, answer: AppendEntriesAnswer): Index {
  const { log } = state
  const { conflict } = answer
  if (conflict === undefined || conflict.term === 0)
    return Math.max(Math.min(sent.prevLogIndex, answer.lastLogIndex + 1), 1)
  const last = log.lastWithTermAtMost(conflict.term, sent.prevLogIndex)
  const mayMatch = last >= conflict.firstIndex && log.termAt(last) === conflict.term
  return Math.max(mayMatch ? last + 1 : Math.min(last + 1, conflict.firstIndex), 1)
}

/** The AppendEntries `sendId` failed: what was sent after it may be lost too, so the peer is probed again. */
export function appendFailed(state: State, peer: Progress, sendId: number): void {
  if (peer.takeAppend(sendId, false) !== undefined) peer.backOff(state.now, longestPause(state))
}
