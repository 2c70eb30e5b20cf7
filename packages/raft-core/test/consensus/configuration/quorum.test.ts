import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isElected,
  quorumSize,
  tally,
  VoterSet,
  votersOf,
} from '../../../src/consensus/configuration/quorum.ts'

test('a quorum is more than half', () => {
  expect([1, 2, 3, 4, 5, 6, 7].map(quorumSize)).toEqual([1, 2, 2, 3, 3, 4, 4])
})

test('what a quorum has reached is what the slow way says', () => {
  const values = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 8 })
  fc.assert(
    fc.property(values, fc.boolean(), fc.integer({ min: 0, max: 20 }), (peers, selfVotes, own) => {
      const voters = new VoterSet(peers, selfVotes)
      const all = selfVotes ? [...peers, own] : peers
      // The slow way: try every value, count who has reached it.
      let expected = -Infinity
      for (const value of all)
        if (2 * all.filter((other) => other >= value).length > all.length)
          expected = Math.max(expected, value)
      expect(voters.reached(own, (value) => value)).toBe(expected)
      // Asked again, it has forgotten the last question.
      expect(voters.reached(own, () => 0)).toBe(
        all.length === 0 ? -Infinity : 2 * (selfVotes ? 1 : 0) > all.length ? own : 0,
      )
    }),
  )
})

test('a leader outside of its configuration does not count itself', () => {
  const voters = new VoterSet([5, 3, 1], false)
  expect(voters.reached(100, (value) => value)).toBe(3)
})

test('in the joint state, what a quorum of each half has reached', () => {
  const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(values, values, fc.boolean(), fc.integer({ min: 0, max: 9 }), (a, b, both, own) => {
      const half = new VoterSet(a, true)
      const other = new VoterSet(b, both)
      const joint = new VoterSet(a, true, new VoterSet(b, both))
      const alone = [half, other].map((voters) => voters.reached(own, (value) => value))
      expect(joint.reached(own, (value) => value)).toBe(Math.min(...alone))
      expect(joint.selfVotes).toBe(true)
    }),
  )
  expect(new VoterSet([1], false, new VoterSet([1], true)).selfVotes).toBe(true)
  expect(new VoterSet([1], false, new VoterSet([1], false)).selfVotes).toBe(false)
})

test('the voters of each half elect', () => {
  const server = (id: string, suffrage: 'voter' | 'nonvoter' = 'voter') =>
    ({ suffrage, id, address: id }) as const
  const halves = votersOf({
    servers: [server('a'), server('b'), server('c', 'nonvoter')],
    next: [server('b'), server('c'), server('d')],
  })
  expect(halves).toEqual([
    ['a', 'b'],
    ['b', 'c', 'd'],
  ])
  expect(isElected(halves, new Set(['a', 'b']))).toBe(false)
  expect(isElected(halves, new Set(['b', 'c', 'd']))).toBe(false)
  expect(isElected(halves, new Set(['a', 'b', 'd']))).toBe(true)
  expect(tally(halves, new Set(['a', 'b', 'd']))).toBe('2 of 2 and 2 of 3')
  expect(votersOf({ servers: [server('a')] })).toEqual([['a']])
})
