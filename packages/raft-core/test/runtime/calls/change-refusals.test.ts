// What callers of membership calls are told, and what is known of their change.
import { expect, it } from 'vitest'
import type { ConfigurationChange, Effect } from '@raftkit/raft-core/consensus'
import { changeRefused } from '../../../src/runtime/calls/change-refusals.ts'

type Refused = Extract<Effect, { type: 'change-refused' }>

const remove: ConfigurationChange = { type: 'remove-server', id: 'b' }
const plan: ConfigurationChange = {
  type: 'change-membership',
  add: [],
  promote: ['c'],
  demote: [],
  remove: ['b'],
}

function told(reason: Refused['reason'], more: Partial<Refused> = {}, change = remove): unknown {
  const error = changeRefused(
    { type: 'change-refused', changeId: 1, reason, isAppended: false, index: 7, ...more },
    change,
    undefined,
  )
  return [error.code, error.outcome]
}

it.each<readonly [Refused['reason'], string]>([
  ['not-leader', 'RAFT_NOT_LEADER'],
  ['leadership-lost', 'RAFT_LEADERSHIP_LOST'],
  ['stopped', 'RAFT_STOPPED'],
  ['transfer-in-progress', 'RAFT_LEADERSHIP_TRANSFER_IN_PROGRESS'],
  ['configuration-changed', 'RAFT_CONFIGURATION_CHANGED'],
  ['superseded', 'RAFT_CONFIGURATION_CHANGED'],
  ['unknown-server', 'RAFT_UNKNOWN_SERVER'],
  ['duplicate-address', 'RAFT_DUPLICATE_ADDRESS'],
  ['no-voter', 'RAFT_NO_VOTER_LEFT'],
  ['not-raftkit', 'RAFT_JOINT_UNSUPPORTED'],
])('%s, before anything was appended: %s', (reason, code) => {
  expect(told(reason)).toEqual([code, 'not-committed'])
})

it.each(['leadership-lost', 'stopped'] as const)('%s, after it was appended', (reason) => {
  expect(told(reason, { isAppended: true })).toMatchObject([expect.any(String), 'unknown'])
})

it('names the server that is the reason, of several', () => {
  const refused = { type: 'change-refused', changeId: 1, isAppended: false, index: 7 } as const
  const named = changeRefused({ ...refused, reason: 'not-raftkit', server: 'c' }, plan, undefined)
  expect(named.message).toContain('c has not shown')
  expect(named.details).toEqual({ server: 'c', index: 7 })
  const unnamed = changeRefused({ ...refused, reason: 'no-voter' }, plan, undefined)
  expect(unnamed.message).not.toContain('undefined')
  expect(unnamed.details).toEqual({ index: 7 })
})
