// The errors that callers get when this server cannot do what they ask.
import { type Outcome, RaftError } from '@raftkit/interface'
import type { KnownLeader, Refusal } from '../../consensus/effects.ts'

/** This server does not lead; the leader, when known, is in `details.leader`. */
export function notLeader(leader: KnownLeader | undefined): RaftError {
  return new RaftError(
    'RAFT_NOT_LEADER',
    leader === undefined
      ? 'node is not the leader, and none is known: try again after an election'
      : `node is not the leader: ask ${leader.id} at ${leader.address}`,
    { retryable: true, outcome: 'not-committed', details: leader === undefined ? {} : { leader } },
  )
}

/** The command was appended, then leadership ended. */
export function leadershipLost(outcome: Outcome): RaftError {
  return new RaftError(
    'RAFT_LEADERSHIP_LOST',
    outcome === 'not-committed'
      ? 'leadership lost while committing log: another entry took the place of the command'
      : 'leadership lost while committing log: the command may or may not take effect',
    { retryable: true, outcome },
  )
}

/** The server was removed from the cluster. */
export function removed(): RaftError {
  return new RaftError(
    'RAFT_REMOVED',
    'this server was removed from the cluster: ask another one, or have it added again',
    { outcome: 'not-committed' },
  )
}

/** The server was shut down. */
export function shutDown(): RaftError {
  return new RaftError('RAFT_SHUTDOWN', 'raft is already shutdown')
}

/** The same refusal for a caller of whose command `outcome` is known. */
export function withOutcome(error: RaftError, outcome: Outcome | undefined): RaftError {
  if (error.outcome === outcome) return error
  return new RaftError(error.code, error.message, {
    retryable: error.retryable,
    details: error.details,
    cause: error.cause ?? error,
    ...(outcome === undefined ? {} : { outcome }),
  })
}

/** What a refusal of consensus means to the caller of `subject`. */
export function refusalError(
  reason: Refusal,
  subject: string,
  leader: KnownLeader | undefined,
): RaftError {
  switch (reason) {
    case 'not-leader':
      return notLeader(leader)
    case 'leadership-lost':
      return new RaftError('RAFT_LEADERSHIP_LOST', `leadership was lost during ${subject}`, {
        retryable: true,
        outcome: 'not-committed',
      })
    case 'transfer-in-progress':
      return new RaftError(
        'RAFT_LEADERSHIP_TRANSFER_IN_PROGRESS',
        `leadership transfer in progress: ${subject} was refused, ask the next leader`,
        { retryable: true, outcome: 'not-committed' },
      )
    case 'restore-in-progress':
      return new RaftError(
        'RAFT_ABORTED_BY_RESTORE',
        `a snapshot is being restored: ${subject} was refused, try again when that is done`,
        { retryable: true, outcome: 'not-committed' },
      )
    case 'stopped':
      return new RaftError(
        'RAFT_STOPPED',
        `this server has stopped after an error: ${subject} was refused`,
        {
          outcome: 'not-committed',
        },
      )
    case 'transfer-timeout':
      return transferFailed(
        reason,
        'leadership transfer timeout: the target did not take over in time',
      )
    case 'no-such-target':
      return transferFailed(reason, 'cannot find peer: no such voter to transfer leadership to')
    case 'target-is-self':
      return transferFailed(reason, 'cannot transfer leadership to itself')
    case 'target-not-voter':
      return transferFailed(reason, 'the target of the leadership transfer is not a voter')
    case 'target-unreachable':
      return transferFailed(reason, 'the target of the leadership transfer cannot be reached')
  }
}

function transferFailed(reason: Refusal, message: string): RaftError {
  return new RaftError('RAFT_LEADERSHIP_TRANSFER_FAILED', message, {
    retryable: reason === 'transfer-timeout' || reason === 'target-unreachable',
    details: { reason },
  })
}
