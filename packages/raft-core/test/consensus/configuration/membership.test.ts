import { describe, expect, test } from 'vitest'
import { Membership } from '../../../src/consensus/configuration/membership.ts'
import { indexed } from '../lone-server.ts'

const first = indexed(1, ['n1'])
const second = indexed(4, ['n1', 'n2'], ['n3'])
const third = indexed(7, ['n1', 'n2', 'n3'])

test('the latest configuration is in force, the committed one is remembered', () => {
  const membership = new Membership([first, second], 3)
  expect([membership.latest, membership.committed]).toEqual([second, first])
  expect(membership.commit(3)).toBe(false)
  expect(membership.commit(5)).toBe(true)
  expect(membership.committed).toBe(second)
})

test('truncation rolls back to the one before', () => {
  const membership = new Membership([first], 1)
  expect(membership.append([second, third], 4)).toBe(true)
  expect(membership.truncate(8)).toBe(false)
  expect(membership.truncate(5)).toBe(true)
  expect(membership.latest).toBe(second)
  expect(membership.truncate(4)).toBe(true)
  expect(membership.latest).toBe(first)
})

test('only appended configurations are taken up', () => {
  const membership = new Membership([first], 1)
  expect(membership.append([second, third], 5)).toBe(true)
  expect(membership.latest).toBe(third)
  expect(membership.truncate(7)).toBe(true)
  expect(membership.latest).toBe(first)
})

test('a snapshot brings its configuration, later ones of a kept log stay', () => {
  const membership = new Membership([first, second, third], 1)
  const restored = indexed(5, ['n9'])
  membership.install(restored, 5)
  expect([membership.latest, membership.committed]).toEqual([third, restored])
  membership.install(restored, 9)
  expect(membership.latest).toBe(restored)
})

test('without a configuration nobody is a member', () => {
  const membership = new Membership([], 0)
  expect(membership.isEmpty).toBe(true)
  expect(membership.isVoter('n1')).toBe(false)
  expect(membership.latest.index).toBe(0)
})

test('voters vote, nonvoters and staging servers do not', () => {
  const membership = new Membership(
    [
      {
        index: 1,
        configuration: {
          servers: [
            { suffrage: 'voter', id: 'a', address: 'a' },
            { suffrage: 'nonvoter', id: 'b', address: 'b' },
            { suffrage: 'staging', id: 'c', address: 'c' },
          ],
        },
      },
    ],
    0,
  )
  expect(['a', 'b', 'c', 'd'].map((id) => membership.isVoter(id))).toEqual([
    true,
    false,
    false,
    false,
  ])
  expect(membership.isCommittedVoter('a')).toBe(false)
  membership.commit(1)
  expect(membership.isCommittedVoter('a')).toBe(true)
  expect(membership.isCommittedVoter('b')).toBe(false)
})

describe('a joint configuration', () => {
  const joint = {
    index: 4,
    configuration: {
      servers: indexed(4, ['n1', 'n2'], ['n4']).configuration.servers,
      next: indexed(4, ['n2', 'n3', 'n4']).configuration.servers,
    },
  }

  test('has the members and the voters of both halves', () => {
    const membership = new Membership([first, joint], 1)
    expect(membership.isJoint).toBe(true)
    expect(['n1', 'n2', 'n3', 'n4', 'n5'].map((id) => membership.isVoter(id))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ])
    expect(membership.find('n4')?.suffrage).toBe('voter')
    expect(['n1', 'n3'].map((id) => membership.has(id))).toEqual([true, true])
    expect(['n1', 'n3'].map((id) => membership.mayBeVoter(id))).toEqual([true, true])
    expect(['n1', 'n2', 'n3'].map((id) => membership.isLastingVoter(id))).toEqual([
      false,
      true,
      true,
    ])
    membership.commit(4)
    expect(['n1', 'n3', 'n5'].map((id) => membership.isCommittedVoter(id))).toEqual([
      true,
      true,
      false,
    ])
  })

  test('is remembered with where it ends, also when it is committed', () => {
    const membership = new Membership([first, joint], 1)
    expect(membership.lastJoint).toEqual({ from: 4, until: Infinity })
    membership.append([third], 7)
    expect(membership.lastJoint).toEqual({ from: 4, until: 7 })
    membership.commit(7)
    expect(membership.lastJoint).toEqual({ from: 4, until: 7 })
    membership.append([indexed(9, ['n1'])], 9)
    membership.commit(9)
    expect(membership.lastJoint).toEqual({ from: 4, until: 7 })
  })

  test('that is truncated is forgotten, and so is its end', () => {
    const membership = new Membership([first, joint, third], 1)
    membership.truncate(7)
    expect(membership.lastJoint).toEqual({ from: 4, until: Infinity })
    membership.truncate(4)
    expect(membership.lastJoint).toEqual({ from: 0, until: 0 })
  })

  test('in a snapshot lasts until a later configuration', () => {
    const membership = new Membership([first], 1)
    membership.install(joint, 5)
    expect([membership.isJoint, membership.lastJoint.until]).toEqual([true, Infinity])
    membership.install(third, 8)
    // The log before it is gone, and the joint configuration with it.
    expect([membership.isJoint, membership.lastJoint]).toEqual([false, { from: 0, until: 0 }])
  })
})
