// Linearizable reads as stories. The transcripts are the documentation.
import { expect, test } from 'vitest'
import { Story } from './story.ts'

const three = { voters: ['n1', 'n2', 'n3'], heartbeats: true } as const

test('a read before the first commit of the term', () => {
  const story = new Story(
    'A read waits for the first commit of the term (dissertation §6.4)',
    three,
  )
  story.slowDisk('n2')
  story.slowDisk('n3')
  story.timeout('n1')
  story.settle()
  story.write('n2')
  story.settle()
  story.say(
    'n1 leads, but its no-op is not committed: it cannot know yet what earlier leaders committed.',
  )
  story.read('n1')
  story.settle()
  story.say('Once it is, the read takes the commit index, and a round of heartbeats confirms it.')
  story.write('n2')
  story.settle()
  const { told, written } = story.end('read-before-first-commit')
  expect(told).toBe(written)
})

test('a stale confirmation', () => {
  const story = new Story('An answer to an older heartbeat confirms no read (etcd #20418)', three)
  story.lead('n1')
  story.say('A heartbeat is under way to both followers; their answers are slow.')
  story.hold('n2', 'n1')
  story.hold('n3', 'n1')
  story.pass(12)
  story.say('Then a read comes. It begins a round of its own.')
  story.hold('n1', 'n2')
  story.hold('n1', 'n3')
  story.read('n1')
  story.settle()
  story.say(
    'The old answers arrive. They were given before the read was asked for: they confirm nothing.',
  )
  story.release('n2', 'n1')
  story.release('n3', 'n1')
  story.settle()
  story.say('The new ones do, and one is enough: with n1 itself that is a majority.')
  story.release('n1', 'n2')
  story.settle()
  const { told, written } = story.end('stale-read-confirmation')
  expect(told).toBe(written)
})

test('a read on a leader that has been replaced', () => {
  const story = new Story('A leader that is cut off confirms no read', {
    ...three,
    heartbeats: false,
  })
  story.lead('n1')
  story.cut('n1')
  story.say('n1 is cut off. A read on n1 finds no quorum, and fails when n1 steps down.')
  story.pass(50)
  story.read('n1')
  story.settle()
  story.pass(60)
  const { told, written } = story.end('read-on-old-leader')
  expect(told).toBe(written)
})
