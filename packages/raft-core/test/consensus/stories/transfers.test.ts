// Leadership transfer as stories. The transcripts are the documentation.
import { expect, test } from 'vitest'
import { Story } from './story.ts'

const three = { voters: ['n1', 'n2', 'n3'] } as const

test('leadership is handed over', () => {
  const story = new Story('Leadership is handed over (dissertation §3.10)', three)
  story.lead('n1')
  story.say(
    'n2 lacks an entry when the transfer begins. It is brought up to date first; new proposals are refused.',
  )
  story.hold('n1', 'n2')
  story.propose('n1', 'x')
  story.settle()
  story.transfer('n1', 'n2')
  story.propose('n1', 'y')
  story.release('n1', 'n2')
  story.settle()
  story.show()
  const { told, written } = story.end('transfer')
  expect(told).toBe(written)
})

test('a transfer that takes too long', () => {
  const story = new Story('A transfer that takes too long ends, and proposals go on', three)
  story.lead('n1')
  story.cut('n2')
  story.propose('n1', 'x')
  story.settle()
  story.transfer('n1', 'n2')
  story.propose('n1', 'refused')
  story.pass(101)
  story.propose('n1', 'y')
  story.settle()
  story.show()
  const { told, written } = story.end('transfer-timeout')
  expect(told).toBe(written)
})

test('a transfer ends with the leadership that began it', () => {
  const story = new Story(
    'A transfer ends with the leadership that began it (hashicorp/raft #696)',
    three,
  )
  story.lead('n1')
  story.cut('n2')
  story.propose('n1', 'x')
  story.settle()
  story.transfer('n1', 'n2')
  story.say(
    'n1 steps down while n2 is catching up. When it leads again later it takes proposals as ever.',
  )
  story.server('n1').turn({ type: 'stalled', forMs: 500 })
  story.heal()
  story.settle()
  story.timeout('n1')
  story.settle()
  story.propose('n1', 'y')
  story.settle()
  story.show()
  const { told, written } = story.end('transfer-cancelled')
  expect(told).toBe(written)
})

test('a preferred server is given leadership', () => {
  const story = new Story('A server of higher priority is given leadership when it is steady', {
    ...three,
    timing: { leaderPriorities: { n3: 5 } },
  })
  story.say(
    'n1 is elected. It hands over when n3 has answered it and kept up for ten election timeouts.',
  )
  story.lead('n1')
  story.cut('n3')
  story.pass(90)
  story.heal()
  story.say('n3 was away for a while: its time began anew.')
  story.pass(950)
  story.show()
  story.pass(300)
  story.show()
  const { told, written } = story.end('preferred-leader')
  expect(told).toBe(written)
})
