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
