// The errors around a restore.
import { type Outcome, RaftError } from '@raftkit/interface'
import type { KnownLeader, RestoreRefusal } from '../../consensus/effects.ts'
import { leadershipLost, refusalError, withOutcome } from './refusals.ts'

/** What a restore made of everything that waited for the state before it. */
export function abortedByRestore(outcome: Outcome | undefined): RaftError {
  const advice =
    outcome === 'committed'
      ? 'the command took effect before it, and its effect is gone'
      : 'the command may or may not take effect before it'
  return new RaftError(
    'RAFT_ABORTED_BY_RESTORE',
    `snapshot restored while committing log: ${outcome === undefined ? 'ask again' : advice}`,
    { retryable: outcome === undefined, ...(outcome === undefined ? {} : { outcome }) },
  )
}

/** What the refusal of a restore means to its caller; `hasBegun` when it may take effect all the same. */
export function restoreRefused(
  refusal: RestoreRefusal,
  hasBegun: boolean,
  leader: KnownLeader | undefined,
): RaftError {
  const outcome = hasBegun ? 'unknown' : 'not-committed'
  switch (refusal) {
    case 'leadership-lost':
      return hasBegun
        ? new RaftError(
            'RAFT_LEADERSHIP_LOST',
            'leadership was lost during the restore: look at the state machine of the next leader before it is tried again',
            { outcome },
          )
        : leadershipLost(outcome)
    case 'configuration-pending':
      return new RaftError(
        'RAFT_CONFIGURATION_CHANGED',
        'cannot restore snapshot now, wait until the latest configuration is committed',
        { retryable: true, outcome },
      )
    default:
      return withOutcome(refusalError(refusal, 'the restore', leader), outcome)
  }
}
