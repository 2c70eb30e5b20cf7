import { expect, test } from 'vitest'
import { addressOf } from '../cluster/entries.ts'
import { Story } from './story.ts'

test('a server is added', () => {
  const story = new Story('A server is added, and has its vote when it has caught up (§4.2.1)', {
    voters: ['n1', 'n2'],
    blank: ['n3'],
  })
  story.lead('n1')
  story.change('n1', { type: 'stage-voter', id: 'n3', address: addressOf('n3') })
  story.settle()
  story.pass(10)
  story.tellConfigurations()
  const { told, written } = story.end('staged-voter')
  expect(told).toBe(written)
})

test('a server is removed', () => {
  const story = new Story('A removed server is told, and does not campaign any more (§4.2.2)', {
    voters: ['n1', 'n2', 'n3'],
  })
  story.lead('n1')
  story.change('n1', { type: 'remove-server', id: 'n3' })
  story.pass(300)
  story.tellConfigurations()
  const { told, written } = story.end('removed-server')
  expect(told).toBe(written)
})

test('a leader removes itself', () => {
  const story = new Story('A leader that removes itself hands over when that is committed', {
    voters: ['n1', 'n2', 'n3'],
  })
  story.lead('n1')
  story.change('n1', { type: 'remove-server', id: 'n1' })
  story.propose('n1', 'refused')
  story.settle()
  story.pass(10)
  story.show()
  story.tellConfigurations()
  const { told, written } = story.end('removed-leader')
  expect(told).toBe(written)
})

test('a server whose removal is not committed is needed', () => {
  const story = new Story('A server whose removal is not committed may be needed (§4.2.2)', {
    voters: ['n1', 'n2'],
  })
  story.lead('n1')
  story.say(
    'n1 takes its own vote away and crashes. n2 has not heard of that, and lacks the entry.',
  )
  story.cut('n2')
  story.change('n1', { type: 'demote-voter', id: 'n1' })
  story.settle()
  story.crash('n1')
  story.restart('n1')
  story.heal()
  story.say('n2 cannot win: its log is shorter. n1 can, with the vote of n2 alone.')
  story.timeout('n2')
  story.settle()
  story.pass(250)
  story.show()
  story.tellConfigurations()
  const { told, written } = story.end('demoted-and-needed')
  expect(told).toBe(written)
})

test('a server is replaced', () => {
  const story = new Story('A server is replaced in one change: learner, joint state, end (§6)', {
    voters: ['n1', 'n2', 'n3'],
    blank: ['n4'],
  })
  story.lead('n1')
  story.say('n3 is dead. n4 is to take its place, and nobody else loses or wins a vote.')
  story.crash('n3')
  story.change('n1', {
    type: 'replace-server',
    id: 'n3',
    by: { id: 'n4', address: addressOf('n4') },
  })
  story.settle()
  story.pass(30)
  story.tellConfigurations()
  const { told, written } = story.end('replaced-server')
  expect(told).toBe(written)
})

const swap = {
  type: 'change-membership',
  add: [],
  promote: ['n4', 'n5'],
  demote: [],
  remove: ['n2', 'n3'],
} as const

test('a leader is lost in the joint state', () => {
  const story = new Story('A leader that is lost in the joint state: the next one ends it (§6)', {
    voters: ['n1', 'n2', 'n3'],
    nonvoters: ['n4', 'n5'],
  })
  story.lead('n1')
  story.pass(20)
  story.change('n1', swap)
  story.say('n2 does not get the joint configuration; n3 has it, but n1 does not learn that.')
  story.cut('n2')
  story.hold('n3', 'n1')
  story.pass(15)
  story.crash('n1')
  story.release('n3', 'n1')
  story.heal()
  story.say('n2 and n3 are a majority of the old members, but n3 knows more than n2 and refuses.')
  story.timeout('n2')
  story.settle()
  story.say(
    'n3 wins with a majority of each half. It ends the joint state when it has committed something, and hands over: it is ' +
      'not among the new members.',
  )
  story.timeout('n3')
  story.settle()
  story.pass(20)
  story.show()
  story.tellConfigurations()
  const { told, written } = story.end('joint-leader-lost')
  expect(told).toBe(written)
})

test('a joint state is rolled back', () => {
  const story = new Story('A joint configuration that is not committed is rolled back (§5.3, §6)', {
    voters: ['n1', 'n2', 'n3'],
    nonvoters: ['n4', 'n5'],
  })
  story.lead('n1')
  story.pass(20)
  story.change('n1', swap)
  story.say('n1 is cut off with a joint configuration that nobody else has.')
  story.cut('n1')
  story.pass(15)
  story.tellConfigurations()
  story.say('The others elect n2 with the old configuration. n1 comes back.')
  story.timeout('n2')
  story.settle()
  story.heal()
  story.pass(50)
  story.tellConfigurations()
  const { told, written } = story.end('joint-rolled-back')
  expect(told).toBe(written)
})
