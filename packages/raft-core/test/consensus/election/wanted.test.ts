// A server without a vote that somebody counts on. A leader gave it a vote in an entry that only the leader has; the next
// leader, which knows nothing of that, sent it more of the log and is gone for good. The old leader needs its vote and cannot
// have it, since its log has less; and nobody else can be elected (simulator, lease profile, seed 539).
import { describe, expect, test } from 'vitest'
import type { ServerId, Term } from '@raftkit/interface/protocol'
import type { Effect, ReceivedRequest } from '@raftkit/raft-core/consensus'
import { all, LoneServer, only, sender, success, type LoneOptions } from '../lone-server.ts'

/** The learner n4, with an entry of term 2 that no voter has. */
const learner = (options: LoneOptions = {}): LoneServer =>
  new LoneServer({ id: 'n4', nonvoters: ['n4'], log: [1, 2], ...options })

function asks(
  type: 'request-pre-vote' | 'request-vote',
  lastLogTerm: Term,
  from: ServerId = 'n1',
): ReceivedRequest {
  const asked = { from: sender(from), term: 3, lastLogIndex: 2, lastLogTerm }
  return type === 'request-vote'
    ? { type, ...asked, leadershipTransfer: false }
    : { type, ...asked }
}

const askedFor = (effects: readonly Effect[]): readonly string[] =>
  all(effects, 'send').map(({ to, request }) => `${request.type} ${to.id}`)

describe('a server without a vote', () => {
  test.each(['request-pre-vote', 'request-vote'] as const)(
    'asks the voters that it knows after a %s of one that has less of the log',
    (type) => {
      const server = learner()
      server.receive(asks(type, 1))
      expect(askedFor(server.turnAt(400))).toEqual([
        'request-pre-vote n1',
        'request-pre-vote n2',
        'request-pre-vote n3',
      ])
    },
  )

  test('asks for pre-votes even where nobody else does: a new term would disturb the voters', () => {
    const server = learner({ timing: { preVote: false } })
    server.receive(asks('request-vote', 1))
    const { term } = server.status
    expect(askedFor(server.turnAt(400))).toContain('request-pre-vote n1')
    expect(server.status.term).toBe(term)
  })

  test('does not count itself: a quorum of the voters has to elect it', () => {
    const server = learner()
    server.receive(asks('request-pre-vote', 1))
    const [first, second] = all(server.turnAt(400), 'send')
    const term = server.status.term + 1
    server.answered(first!, { type: 'request-pre-vote', term, granted: true })
    expect(server.status.role).toBe('pre-candidate')
    const campaign = server.answered(second!, { type: 'request-pre-vote', term, granted: true })
    server.sync(campaign)
    const [third, fourth] = all(campaign, 'send')
    server.answered(third!, { type: 'request-vote', term, granted: true })
    expect(server.status.role).toBe('candidate')
    server.answered(fourth!, { type: 'request-vote', term, granted: true })
    expect(server.status.role).toBe('leader')
  })

  test.each([
    ['nobody asks it', undefined],
    ['who asks has as much of the log', asks('request-pre-vote', 2)],
    ['who asks is no member, and cannot know more', asks('request-pre-vote', 1, 'n9')],
  ])('does not campaign when %s', (_, request) => {
    const server = learner()
    if (request !== undefined) server.receive(request)
    expect(askedFor(server.turnAt(400))).toEqual([])
    expect(server.status.role).toBe('follower')
  })

  test('lets it be once a leader is heard', () => {
    const server = learner()
    server.receive(asks('request-pre-vote', 1))
    server.heartbeat(3, 'n1')
    expect(askedFor(server.turnAt(1000))).toEqual([])
  })

  test('does not campaign when it is no member at all: it was removed', () => {
    const server = learner({ nonvoters: [] })
    server.receive(asks('request-pre-vote', 1))
    expect(askedFor(server.turnAt(400))).toEqual([])
  })
})

test('a leader without a vote takes no commands, and hands over when a quorum has its log', () => {
  const server = learner({ commitIndex: 1, timing: { leaderLeaseTimeoutMs: 100_000 } })
  server.receive(asks('request-pre-vote', 1))
  const sent = server.lead()
  const { term } = server.status
  expect(only(server.turn({ type: 'proposed', count: 1 }), 'proposals-refused').reason).toBe(
    'transfer-in-progress',
  )
  const effects: Effect[] = []
  for (const append of sent)
    if (append.to.id !== 'n3') effects.push(...server.answered(append, success(term)))
  expect(server.status).toMatchObject({ role: 'follower', commitIndex: 3 })
  expect(only(effects, 'send').request).toEqual({ type: 'timeout-now', term })
  expect(all(effects, 'removed')).toEqual([])
})
