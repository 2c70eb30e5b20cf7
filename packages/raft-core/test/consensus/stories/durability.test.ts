// Slow disks as stories. The transcripts are the documentation.
import { expect, test } from 'vitest'
import { Story } from './story.ts'

const three = { voters: ['n1', 'n2', 'n3'] } as const

test('the disk of the leader is slow', () => {
  const story = new Story("The leader's disk is slow (dissertation §10.2.1)", three)
  story.lead('n1')
  story.slowDisk('n1')
  story.say(
    'n1 sends an entry while it is still writing it. Two followers are a majority without it.',
  )
  story.propose('n1', 'x')
  story.settle()
  story.show()
  story.say('One follower is not: the entry waits until the disk of n1 has it.')
  story.cut('n3')
  story.propose('n1', 'y')
  story.settle()
  story.show()
  story.write('n1')
  story.show()
  const { told, written } = story.end('slow-leader-disk')
  expect(told).toBe(written)
})

test('the disk of a follower is slow', () => {
  const story = new Story('A follower acknowledges what is durable, and nothing else', three)
  story.lead('n1')
  story.cut('n3')
  story.slowDisk('n2')
  story.propose('n1', 'x')
  story.settle()
  story.say('n2 has the entry in memory. The answer waits; n1 does not commit.')
  story.show()
  story.say('n2 crashes: the entry is gone, and nobody counted on it.')
  story.crash('n2')
  story.restart('n2')
  story.show()
  story.say('The leader finds out and sends it again; this time it becomes durable.')
  story.pass(40)
  story.write('n2')
  story.settle()
  story.show()
  const { told, written } = story.end('slow-follower-disk')
  expect(told).toBe(written)
})

test('a late acknowledgement of the disk', () => {
  const story = new Story('A late acknowledgement of the disk confirms nothing (ABA)', three)
  story.lead('n1')
  story.say(
    'n1 begins to write entry 3 of term 2; its messages are slow. n2 leads term 3 and has another entry 3.',
  )
  story.slowDisk('n1')
  for (const other of ['n2', 'n3']) story.hold('n1', other)
  for (const other of ['n2', 'n3']) story.hold(other, 'n1')
  story.propose('n1', 'lost')
  story.settle()
  story.elect('n2')
  story.settle()
  story.say(
    'n1 hears of it, and its entry 3 is replaced in memory. Its disk is still busy with the old one.',
  )
  story.release('n2', 'n1')
  story.settle()
  story.show()
  story.say(
    'The disk reports entry 3 of term 2. Entry 3 is of term 3 now, so that says nothing, and no answer leaves.',
  )
  story.write('n1', 1)
  story.show()
  story.say('Only when the new entry 3 is durable does n1 answer.')
  story.release('n1', 'n2')
  story.write('n1')
  story.settle()
  story.show()
  const { told, written } = story.end('late-durability')
  expect(told).toBe(written)
})
