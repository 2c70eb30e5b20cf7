// The errors of membership calls.
import { RaftError, type RaftErrorCode } from '@raftkit/interface'
import type { ConfigurationChange } from '../../consensus/configuration/configuration-change.ts'
import type { Effect, KnownLeader } from '../../consensus/effects.ts'
import { notLeader, refusalError } from './refusals.ts'

const SUBJECT = 'the membership change'

/** What the refusal of a change means to its caller. */
export function changeRefused(
  { reason, isAppended, index, server }: Extract<Effect, { type: 'change-refused' }>,
  change: ConfigurationChange,
  leader: KnownLeader | undefined,
): RaftError {
  const culprit = server ?? ('id' in change ? change.id : undefined)
  const id = culprit ?? 'a server of it'
  const details = culprit === undefined ? { index } : { server: culprit, index }
  const refused = (code: RaftErrorCode, message: string): RaftError =>
    new RaftError(code, message, { outcome: 'not-committed', details })
  switch (reason) {
    case 'not-leader':
      return notLeader(leader)
    case 'leadership-lost':
      return leadershipLost(isAppended)
    case 'stopped':
      return isAppended ? stoppedMeanwhile() : refusalError(reason, SUBJECT, leader)
    case 'transfer-in-progress':
      return refusalError(reason, SUBJECT, leader)
    case 'configuration-changed':
      return refused(
        'RAFT_CONFIGURATION_CHANGED',
        `the configuration in force is that of entry ${index}, not the one that prevIndex names: look at it, then ask again`,
      )
    case 'superseded':
      return refused(
        'RAFT_CONFIGURATION_CHANGED',
        `another call demoted or removed ${id}, or staged it anew, before the change was made: look at the configuration`,
      )
    case 'not-raftkit':
      return refused(
        'RAFT_JOINT_UNSUPPORTED',
        `${id} has not shown this leader that it is raftkit, and only raftkit can change several voters at once: ` +
          'change them one by one',
      )
    case 'unknown-server':
      return refused('RAFT_UNKNOWN_SERVER', `no server ${id} is in the configuration`)
    case 'duplicate-address':
      return refused(
        'RAFT_DUPLICATE_ADDRESS',
        `another server has the address of ${id}: addresses are unique in a configuration`,
      )
    case 'no-voter':
      return refused(
        'RAFT_NO_VOTER_LEFT',
        culprit === undefined
          ? 'the change would leave no voter, and nobody could lead: add another voter too'
          : `without the vote of ${id} nobody could lead: add another voter first`,
      )
    case 'duplicate-id':
    case 'empty-id':
    case 'empty-address':
      return refused('RAFT_INVALID_CONFIGURATION', `the change makes no configuration: ${reason}`)
  }
}

function leadershipLost(isAppended: boolean): RaftError {
  return new RaftError(
    'RAFT_LEADERSHIP_LOST',
    isAppended
      ? 'leadership was lost during the membership change: it may or may not be made, look at the configuration'
      : 'leadership was lost before the membership change was begun: ask the next leader',
    { retryable: true, outcome: isAppended ? 'unknown' : 'not-committed' },
  )
}

function stoppedMeanwhile(): RaftError {
  return new RaftError(
    'RAFT_STOPPED',
    'this server has stopped after an error during the membership change: it may or may not be made, look at the configuration',
    { outcome: 'unknown' },
  )
}
