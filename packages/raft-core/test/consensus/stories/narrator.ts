// Says in plain words what servers do and what they say to each other.
import type { Configuration, Index, Term } from '@raftkit/interface/protocol'
import type {
  Answer,
  ConfigurationChange,
  Effect,
  ReceivedRequest,
} from '@raftkit/raft-core/consensus'
import type { Message } from '../cluster/messages.ts'
import type { Write } from '../cluster/simulated-disk.ts'
import type { SimulatedServer } from '../cluster/simulated-server.ts'

/** What `server` does by this effect; undefined for what a reader does not need. */
export function tellEffect(server: SimulatedServer, effect: Effect): string | undefined {
  const deed = deedOf(server, effect)
  return deed === undefined ? undefined : `${server.id} ${deed}`
}

/** Who says what to whom. */
export function tellMessage(message: Message): string {
  const { from, to } = message
  switch (message.type) {
    case 'request':
      return `${from} → ${to}: ${tellRequest(message.request)}`
    case 'answer':
      return `${from} → ${to}: ${tellAnswer(message.answer)}`
    case 'failure':
      return `${to} hears that ${from} does not answer`
  }
}

/** True for a bare heartbeat and its answer, given what was asked. */
export function isHeartbeat(message: Message): boolean {
  return (
    message.type === 'request' &&
    message.request.type === 'append-entries' &&
    message.request.heartbeat
  )
}

/** What has become durable. */
export function tellWrite(server: SimulatedServer, write: Write): string {
  return `the disk of ${server.id} has ${nounOf(write)}`
}

/** One line per server: role, log by terms, commit index. */
export function tellServer(server: SimulatedServer): string {
  if (!server.isUp) return `${server.id} is down`
  const { role, term, commitIndex, durableIndex, lastIndex } = server.consensus.status()
  const terms: string[] = []
  for (let index = 1; index <= lastIndex; index++) {
    const at = server.log.get(index)?.term
    terms.push(at === undefined ? '·' : String(at))
  }
  const durable = durableIndex < lastIndex ? `, durable ${durableIndex}` : ''
  return `${server.id} ${role} in term ${term}, log [${terms.join(' ')}], commit ${commitIndex}${durable}`
}

function deedOf(server: SimulatedServer, effect: Effect): string | undefined {
  switch (effect.type) {
    case 'save-hard-state': {
      const { term, votedFor } = effect.hardState
      return votedFor === undefined
        ? `saves term ${term}`
        : `saves term ${term} and its vote for ${votedFor.id}`
    }
    case 'append-noop':
      return `appends its no-op ${entry(effect.index, effect.term)}`
    case 'append-proposals':
      return `appends ${range(effect.firstIndex, effect.firstIndex + effect.count - 1)} in term ${effect.term}`
    case 'append-configuration':
      return `appends configuration ${entry(effect.index, effect.term)}: ${tellMembers(effect.configuration)}`
    case 'append-received':
      return `appends ${range(effect.from, effect.to)}`
    case 'truncate-log':
      return `removes its log from ${effect.from} on`
    case 'compact-log':
      return `drops its log up to ${effect.to}`
    case 'commit':
      return `commits up to ${effect.index}`
    case 'install-snapshot':
      return effect.keepLogAfter
        ? 'installs the snapshot and keeps the log after it'
        : 'installs the snapshot in place of its log'
    case 'proposals-refused':
      return `refuses ${effect.count} proposals: ${effect.reason}`
    case 'proposals-orphaned':
      return `no longer knows what becomes of its proposals of term ${effect.term}`
    case 'read-confirmed':
      return `confirms read ${effect.readId} at index ${effect.index}`
    case 'read-refused':
      return `refuses read ${effect.readId}: ${effect.reason}`
    case 'transfer-ended':
      return `ends transfer ${effect.transferId}: ${effect.refusal ?? 'leadership has gone over'}`
    case 'change-ended':
      return `has made change ${effect.changeId}, in configuration ${effect.index}`
    case 'change-refused':
      return `refuses change ${effect.changeId}: ${effect.reason}${effect.isAppended ? ', though it is in the log' : ''}`
    case 'receive-restore':
      return `receives a snapshot to restore at ${effect.index}`
    case 'install-restore':
      return 'restores the snapshot in place of its log'
    case 'restore-ended':
      return `ends the restore: ${effect.refusal ?? 'a quorum has it'}`
    case 'bootstrap-ended':
      return effect.refusal === undefined
        ? 'begins a cluster'
        : `begins no cluster: ${effect.refusal}`
    case 'disk-lost':
      return `notices that ${effect.server} has lost its disk`
    case 'removed':
      return effect.wasLeader ? 'has left the cluster' : 'is not a member any more'
    case 'role-changed':
      return `becomes ${effect.role} in term ${effect.term} (${effect.reason})`
    case 'leader-changed':
      if (effect.leader?.id === server.id) return undefined
      return effect.leader === undefined ? 'knows no leader' : `follows ${effect.leader.id}`
    case 'leadership-offered':
      return `hands over: ${effect.reason}`
    case 'configuration-changed': {
      const members = tellMembers(effect.latest.configuration)
      return `uses configuration ${effect.latest.index} (${members}); committed is ${effect.committed.index}`
    }
    case 'peer-contact-changed':
      return effect.reachable ? `reaches ${effect.peer} again` : `does not reach ${effect.peer}`
    case 'fatal':
      return `stops for good: ${effect.message}`
    case 'answer':
    case 'drop-sends':
    case 'heartbeat-failed':
    case 'read-entries':
    case 'send':
    case 'send-entries':
    case 'send-snapshot':
    case 'wake-at':
      return undefined
  }
}

/** Members; those without a vote in brackets. Of a joint configuration, those before and after. */
export function tellMembers({ servers, next }: Configuration): string {
  const before = servers
    .map(({ id, suffrage }) => (suffrage === 'voter' ? id : `(${id})`))
    .join(' ')
  return next === undefined ? before : `${before} and ${tellMembers({ servers: next })}`
}

/** What a caller wants. */
export function tellChange(change: ConfigurationChange): string {
  if (change.type === 'replace-server') return `${change.by.id} takes the place of ${change.id}`
  if (change.type !== 'change-membership') return `${change.type} ${change.id}`
  const { add, promote, demote, remove } = change
  const wishes = [
    ['add', add.map(({ id, suffrage }) => (suffrage === 'voter' ? id : `(${id})`))],
    ['promote', promote],
    ['demote', demote],
    ['remove', remove],
  ] as const
  return wishes
    .filter(([, ids]) => ids.length > 0)
    .map(([verb, ids]) => `${verb} ${ids.join(' ')}`)
    .join(', ')
}

function tellRequest(request: ReceivedRequest): string {
  switch (request.type) {
    case 'append-entries':
      return tellAppend(request)
    case 'request-vote': {
      const why = request.leadershipTransfer ? ', the leader asked me to' : ''
      return `vote for me in term ${request.term}, my log ends at ${entry(request.lastLogIndex, request.lastLogTerm)}${why}`
    }
    case 'request-pre-vote':
      return `would you vote for me in term ${request.term}? my log ends at ${entry(request.lastLogIndex, request.lastLogTerm)}`
    case 'install-snapshot':
      return `term ${request.term}, snapshot up to ${entry(request.snapshot.index, request.snapshot.term)}`
    case 'timeout-now':
      return 'campaign now'
  }
}

function tellAppend(request: Extract<ReceivedRequest, { type: 'append-entries' }>): string {
  if (request.heartbeat) return `term ${request.term}, heartbeat`
  const { term, prevLogIndex, prevLogTerm, entries, leaderCommit } = request
  const what = entries === undefined ? 'nothing' : range(entries.firstIndex, entries.lastIndex)
  return `term ${term}, after ${entry(prevLogIndex, prevLogTerm)} comes ${what}; commit ${leaderCommit}`
}

function tellAnswer(answer: Answer): string {
  switch (answer.type) {
    case 'append-entries': {
      if (answer.success) return `yes, term ${answer.term}`
      const end = `my log ends at ${answer.lastLogIndex}`
      const { conflict } = answer
      const hint =
        conflict === undefined || conflict.term === 0
          ? end
          : `my term ${conflict.term} begins at ${conflict.firstIndex}`
      return answer.noRetryBackoff
        ? `no match, term ${answer.term}, ${hint}`
        : `no, term ${answer.term}, ${end}`
    }
    case 'request-vote':
    case 'request-pre-vote':
      return `${answer.granted ? 'yes' : 'no'}, term ${answer.term}`
    case 'install-snapshot':
      return `${answer.success ? 'I have it' : 'no'}, term ${answer.term}`
    case 'timeout-now':
      return 'I will'
    case 'error':
      return `error: ${answer.message}`
  }
}

function nounOf(write: Write): string {
  switch (write.type) {
    case 'hard-state':
      return `term ${write.hardState.term}`
    case 'append':
      return `${range(write.entries[0]!.index, write.entries.at(-1)!.index)} of term ${write.entries.at(-1)!.term}`
    case 'truncate':
      return `no entry from ${write.from} on`
    case 'compact':
      return `no entry up to ${write.to}`
    case 'save-snapshot':
    case 'receive-snapshot':
      return `a snapshot up to ${write.state.index}`
    case 'reset-log':
      return write.keepAfter === undefined ? 'no log' : `no entry up to ${write.keepAfter}`
  }
}

function entry(index: Index, term: Term): string {
  return `(${index}, t${term})`
}

function range(from: Index, to: Index): string {
  return from === to ? `entry ${from}` : `entries ${from}..${to}`
}
