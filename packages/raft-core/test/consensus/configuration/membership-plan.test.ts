// What a plan makes of a configuration, and whether that needs the joint state.
import { describe, expect, test } from 'vitest'
import { membersOf, type Configuration, type Server } from '@raftkit/interface/protocol'
import type { MembershipPlan } from '@raftkit/raft-core/consensus'
import {
  configurationTo,
  newVoters,
  serversAfter,
  withLearners,
} from '../../../src/consensus/configuration/membership-plan.ts'
import { configurationOf } from '../cluster/entries.ts'

type Lists = Extract<MembershipPlan, { type: 'change-membership' }>

const plan = (lists: Partial<Omit<Lists, 'type'>>): Lists => ({
  type: 'change-membership',
  add: [],
  promote: [],
  demote: [],
  remove: [],
  ...lists,
})
const added = (id: string, suffrage: 'voter' | 'nonvoter' = 'voter', address = `${id}:1`) => ({
  id,
  address,
  suffrage,
})
const replaced = (id: string, by: string): MembershipPlan => ({
  type: 'replace-server',
  id,
  by: { id: by, address: `${by}:1` },
})
const before = configurationOf(['n1', 'n2', 'n3'], ['n4'])

function told(servers: readonly Server[]): string {
  return servers
    .map(({ id, suffrage, address }) => {
      const place = address === `${id}:1` ? '' : `@${address}`
      return `${suffrage === 'voter' ? id : `(${id})`}${place}`
    })
    .join(' ')
}

function after(change: MembershipPlan, configuration: Configuration = before): string {
  const result = serversAfter(configuration, change)
  return 'servers' in result ? told(result.servers) : `unknown ${result.unknownServer}`
}

describe('the members after a plan', () => {
  test.each([
    [
      'new servers come last',
      plan({ add: [added('n6'), added('n5', 'nonvoter')] }),
      'n1 n2 n3 (n4) n6 (n5)',
    ],
    ['a nonvoter that is added wins its vote', plan({ add: [added('n4')] }), 'n1 n2 n3 n4'],
    [
      'a voter that is added as a nonvoter keeps its vote',
      plan({ add: [added('n1', 'nonvoter')] }),
      'n1 n2 n3 (n4)',
    ],
    [
      'a member that is added may have another address',
      plan({ add: [added('n2', 'voter', 'x:2')] }),
      'n1 n2@x:2 n3 (n4)',
    ],
    ['promoted', plan({ promote: ['n4'] }), 'n1 n2 n3 n4'],
    ['demoted', plan({ demote: ['n1', 'n4'] }), '(n1) n2 n3 (n4)'],
    ['removed', plan({ remove: ['n1', 'n4'] }), 'n2 n3'],
    [
      'all at once',
      plan({ add: [added('n5')], promote: ['n4'], demote: ['n2'], remove: ['n1'] }),
      '(n2) n3 n4 n5',
    ],
    ['a voter is replaced by a voter', replaced('n2', 'n5'), 'n1 n3 (n4) n5'],
    ['a nonvoter is replaced by a nonvoter', replaced('n4', 'n5'), 'n1 n2 n3 (n5)'],
    ['a voter is replaced by a member', replaced('n2', 'n4'), 'n1 n3 n4'],
    ['nobody knows who is promoted', plan({ promote: ['n9'] }), 'unknown n9'],
    ['nobody knows who is demoted', plan({ demote: ['n9'] }), 'unknown n9'],
    ['nobody knows who is removed', plan({ remove: ['n9'] }), 'unknown n9'],
    ['nobody knows who is replaced', replaced('n9', 'n5'), 'unknown n9'],
    ['who is added is no member yet', plan({ add: [added('n5')], promote: ['n5'] }), 'unknown n5'],
  ] as const)('%s', (_, change, expected) => {
    expect(after(change)).toBe(expected)
  })

  test('keep their disks', () => {
    const [first, ...others] = before.servers
    const known = { servers: [{ ...first!, diskId: 7 }, ...others] }
    const result = serversAfter(known, plan({ add: [added('n1', 'voter', 'x:2')], remove: ['n2'] }))
    expect('servers' in result && result.servers[0]).toEqual({
      suffrage: 'voter',
      id: 'n1',
      address: 'x:2',
      diskId: 7,
    })
  })
})

describe('the learners of a plan', () => {
  test('are taken in without a vote, and without the rest of the plan', () => {
    const change = plan({ add: [added('n5'), added('n6', 'nonvoter')], remove: ['n1'] })
    expect(told(withLearners(before, change)!.servers)).toBe('n1 n2 n3 (n4) (n5) (n6)')
    expect(told(withLearners(before, replaced('n1', 'n5'))!.servers)).toBe('n1 n2 n3 (n4) (n5)')
  })

  test('are nonvoters, not staged: a later leader must not give them votes without the rest', () => {
    const change = plan({ add: [added('n5')], remove: ['n1'] })
    expect(withLearners(before, change)!.servers.at(-1)).toEqual({
      suffrage: 'nonvoter',
      id: 'n5',
      address: 'n5:1',
    })
  })

  test('are none when all are members', () => {
    expect(withLearners(before, plan({ add: [added('n4')], remove: ['n1'] }))).toBeUndefined()
    expect(withLearners(before, replaced('n1', 'n4'))).toBeUndefined()
  })

  test('have their new address', () => {
    const change = plan({ add: [added('n4', 'voter', 'x:2'), added('n1', 'voter', 'y:2')] })
    expect(told(withLearners(before, change)!.servers)).toBe('n1@y:2 n2 n3 (n4)@x:2')
  })
})

describe('the joint state', () => {
  const isJoint = (change: MembershipPlan): boolean => {
    const result = serversAfter(before, change)
    return 'servers' in result && configurationTo(before, result.servers).next !== undefined
  }

  test.each([
    ['nothing', plan({ promote: ['n1'] }), false],
    ['one vote won', plan({ promote: ['n4'] }), false],
    ['one vote lost', plan({ remove: ['n1'] }), false],
    [
      'one vote lost, and nonvoters',
      plan({ demote: ['n1'], remove: ['n4'], add: [added('n5', 'nonvoter')] }),
      false,
    ],
    ['one won and one lost', plan({ promote: ['n4'], demote: ['n1'] }), true],
    ['two won', plan({ promote: ['n4'], add: [added('n5')] }), true],
    ['two lost', plan({ remove: ['n1', 'n2'] }), true],
    ['a voter replaced', replaced('n1', 'n5'), true],
    ['a nonvoter replaced', replaced('n4', 'n5'), false],
  ] as const)('of %s', (_, change, expected) => {
    expect(isJoint(change)).toBe(expected)
  })

  test('has every member once, with a vote when it has one in a half, where it will be', () => {
    const next = [
      { suffrage: 'nonvoter', id: 'n1', address: 'n1:1' },
      { suffrage: 'voter', id: 'n4', address: 'x:2' },
      { suffrage: 'voter', id: 'n5', address: 'n5:1' },
    ] as const
    expect(told(membersOf({ ...before, next }))).toBe('n1 n2 n3 n4@x:2 n5')
    expect(membersOf(before)).toBe(before.servers)
  })

  test('lets those catch up who win a vote', () => {
    const change = plan({ promote: ['n4'], add: [added('n5')], remove: ['n1'] })
    const result = serversAfter(before, change)
    expect('servers' in result && newVoters(before, result.servers)).toEqual(['n4', 'n5'])
  })
})
