// Elections as stories. The transcripts are the documentation; UPDATE_TRANSCRIPTS=1 writes them anew.
import { expect, test } from 'vitest'
import { Story } from './story.ts'

const three = { voters: ['n1', 'n2', 'n3'] } as const

test('a first election', () => {
  const story = new Story('A first election (§5.2, dissertation §9.6)', three)
  story.say(
    'Nobody has heard from a leader, and the election timeout of n1 is the shortest. It asks who would vote for it,\nthen campaigns in a new term, then leads with a no-op of its own.',
  )
  story.timeout('n1')
  story.settle()
  story.say(
    'Followers hear of the commit index with the next entries, or after the commit timeout.',
  )
  story.pass(10)
  story.show()
  const { told, written } = story.end('first-election')
  expect(told).toBe(written)
})

test('a single server', () => {
  const story = new Story('A single server (§5.2)', { voters: ['n1'] })
  story.slowDisk('n1')
  story.say('It needs nobody, but its own vote must be durable before it counts.')
  story.timeout('n1')
  story.write('n1')
  story.say(
    'Nor is anything committed before it is durable, although one server is a majority of one.',
  )
  story.propose('n1', 'x')
  story.show()
  story.write('n1')
  story.show()
  const { told, written } = story.end('single-server')
  expect(told).toBe(written)
})

test('a pre-vote is refused while a leader is heard', () => {
  const story = new Story(
    'A pre-vote is refused because a leader is known (dissertation §9.6)',
    three,
  )
  story.lead('n1')
  story.say(
    'n2 no longer hears n1; n3 does. n2 asks for pre-votes and gets none. No term changes anywhere.',
  )
  story.hold('n1', 'n2')
  story.pass(160)
  story.show()
  story.say('The way is free again: n2 follows as if nothing had happened.')
  story.release('n1', 'n2')
  story.settle()
  story.show()
  const { told, written } = story.end('pre-vote-refused')
  expect(told).toBe(written)
})

test('a split vote', () => {
  const story = new Story('A split vote (§5.2)', {
    voters: ['n1', 'n2', 'n3', 'n4'],
    timing: { preVote: false },
  })
  story.say(
    'n1 and n2 campaign in the same term before they hear of each other. Each gets two votes of four.',
  )
  for (const from of ['n1', 'n2']) for (const to of ['n3', 'n4']) story.hold(from, to)
  story.hold('n1', 'n2')
  story.timeout('n1')
  story.timeout('n2')
  story.release('n1', 'n3')
  story.release('n2', 'n4')
  story.settle()
  for (const from of ['n1', 'n2']) for (const to of ['n2', 'n3', 'n4']) story.release(from, to)
  story.settle()
  story.show()
  story.say('The round of n1 ends first. Its next term is a new vote.')
  story.timeout('n1')
  story.settle()
  story.show()
  const { told, written } = story.end('split-vote')
  expect(told).toBe(written)
})

test('a leader without a quorum steps down', () => {
  const story = new Story('A leader without a quorum steps down (dissertation §6.2)', three)
  story.lead('n1')
  story.say('n1 is cut off. Within its lease it notices that no quorum answers, and stops leading.')
  story.cut('n1')
  story.propose('n1', 'lost')
  story.settle()
  story.pass(105)
  story.say('The others have elected n2 by then, or soon do.')
  story.pass(60)
  story.show()
  story.say('When n1 is back it follows, and its entry gives way.')
  story.heal()
  story.pass(40)
  story.show()
  const { told, written } = story.end('check-quorum')
  expect(told).toBe(written)
})

test('a lagging term is learned from a refused pre-vote', () => {
  const story = new Story('A server that lags behind in terms can still win (faults A8)', {
    voters: ['n1', 'n2', 'n3'],
    logs: { n1: [2, 2], n2: [2, 2], n3: [2] },
    terms: { n1: 2, n2: 2, n3: 5 },
  })
  story.cut('n2')
  story.say(
    'n2 is down. n3 went through many elections that nobody heard of: its term is higher, its log shorter. Only n1 can\nwin. Its pre-vote for term 3 is refused, and the refusal tells it of term 5.',
  )
  story.timeout('n1')
  story.settle()
  story.say('In its next round it asks for term 6.')
  story.timeout('n1')
  story.settle()
  story.show()
  const { told, written } = story.end('term-skew')
  expect(told).toBe(written)
})

test('a vote survives a crash', () => {
  const story = new Story('A vote survives a crash (§5.2)', {
    ...three,
    timing: { preVote: false },
  })
  story.slowDisk('n2')
  story.say('n3 asks n2 for its vote. As long as the vote is not durable, no answer leaves.')
  story.hold('n3', 'n1')
  story.timeout('n3')
  const request = story.copy('n3', 'n2')
  story.settle()
  story.say(
    'n2 crashes before that. Nobody knows of its vote, so it is free to vote for n1, and answers when that is\ndurable.',
  )
  story.crash('n2')
  story.restart('n2')
  story.hold('n1', 'n3')
  story.timeout('n1')
  story.settle()
  story.write('n2')
  story.hold('n1', 'n2')
  story.settle()
  story.say(
    'Another crash, and the request of n3 arrives once more. The vote was durable, so n2 remembers it.',
  )
  story.crash('n2')
  story.restart('n2')
  // For a heartbeat timeout it would refuse anyone: it may have heard a leader before the crash.
  story.cluster.now += 100
  story.deliverCopy(request)
  story.show()
  const { told, written } = story.end('vote-survives')
  expect(told).toBe(written)
})
