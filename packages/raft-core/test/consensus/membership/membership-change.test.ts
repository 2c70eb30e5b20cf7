// Changing the membership, one server at a time (§6, dissertation §4).
import { describe, expect, test } from 'vitest'
import type { Effect } from '@raftkit/raft-core/consensus'
import { all, type EffectOf, LoneServer, only, success } from '../lone-server.ts'
import {
  acknowledge,
  add,
  ask,
  demote,
  leader,
  lease,
  members,
  refusals,
  remove,
  stage,
} from '../membership-steps.ts'

describe('a change', () => {
  test('is in force when it is appended, and done when it is committed', () => {
    const server = leader()
    const effects = ask(server, add('n4'))
    const { index, configuration } = only(effects, 'append-configuration')
    expect(configuration).toEqual(server.status.latest.configuration)
    expect(server.status).toMatchObject({ latest: { index }, committed: { index: 1 } })
    expect(all(effects, 'change-ended')).toEqual([])
    // A quorum is three of four now.
    const two = acknowledge(server, effects, ['n3', 'n4'])
    expect(all(two, 'change-ended')).toEqual([])
    const three = acknowledge(server, server.turnAt(server.now + 20), ['n4'])
    expect([...two, ...three].filter(({ type }) => type === 'change-ended')).toEqual([])
  })

  test('ends with the index of its configuration', () => {
    const server = leader()
    const effects = ask(server, demote('n3'))
    const { index } = only(effects, 'append-configuration')
    expect(all(acknowledge(server, effects), 'change-ended')).toEqual([
      { type: 'change-ended', changeId: 1, index },
    ])
  })

  test('waits until the change before it is committed', () => {
    const server = leader()
    const first = ask(server, demote('n3'), 1)
    expect(all(ask(server, add('n4'), 2), 'append-configuration')).toEqual([])
    const done = acknowledge(server, first)
    expect(only(done, 'change-ended').changeId).toBe(1)
    expect(only(done, 'append-configuration').changeId).toBe(2)
  })

  test('waits until an entry of the own term is committed (regression list, 8)', () => {
    // The configuration is committed already, in a snapshot.
    const server = new LoneServer({ timing: lease, snapshot: { index: 2, term: 1 }, log: [] })
    const sent = server.lead()
    expect(server.status).toMatchObject({ latest: { index: 1 }, committed: { index: 1 } })
    expect(all(ask(server, add('n4')), 'append-configuration')).toEqual([])
    for (const append of sent) server.answered(append, success(server.status.term))
    expect(all(server.turn(), 'append-configuration')).toHaveLength(1)
  })

  test('needs a quorum, also one that removes a dead server (regression list, 14)', () => {
    const server = leader()
    const effects = ask(server, remove('n3'))
    expect(all(acknowledge(server, effects, ['n2', 'n3']), 'change-ended')).toEqual([])
    expect(server.status.committed.index).toBe(1)
  })

  test('comes after the proposals of its turn', () => {
    const server = leader()
    const effects = server.turn(
      { type: 'proposed', count: 2 },
      { type: 'change-requested', changeId: 1, change: demote('n3'), prevIndex: 0 },
    )
    const { firstIndex } = only(effects, 'append-proposals')
    expect(only(effects, 'append-configuration').index).toBe(firstIndex + 2)
  })
})

describe('a change is refused, and nothing changes', () => {
  test.each([
    ['an unknown server is removed', remove('n9'), 'unknown-server'],
    ['an unknown server is demoted', demote('n9'), 'unknown-server'],
    [
      'an address is taken',
      { type: 'add-nonvoter', id: 'n4', address: 'n2:1' },
      'duplicate-address',
    ],
  ] as const)('when %s', (_, change, reason) => {
    const server = leader()
    const effects = ask(server, change)
    expect(refusals(effects)).toEqual([[1, reason, false]])
    expect(server.status.latest.index).toBe(1)
    expect(all(effects, 'append-configuration')).toEqual([])
  })

  test.each([remove('n1'), demote('n1')])('when no voter would be left: $type', (change) => {
    const server = leader({ voters: ['n1'], nonvoters: ['n2'] })
    expect(refusals(ask(server, change))).toEqual([[1, 'no-voter', false]])
  })

  test('when prevIndex is not that of the configuration in force', () => {
    const server = leader()
    expect(refusals(ask(server, add('n4'), 1, 7))).toEqual([[1, 'configuration-changed', false]])
    expect(all(ask(server, add('n4'), 2, 1), 'append-configuration')).toHaveLength(1)
  })

  test('when prevIndex is overtaken by the change before it', () => {
    const server = leader()
    const first = ask(server, demote('n3'), 1, 1)
    ask(server, add('n4'), 2, 1)
    expect(refusals(acknowledge(server, first))).toEqual([[2, 'configuration-changed', false]])
  })

  test('by a server that does not lead', () => {
    expect(refusals(ask(new LoneServer(), add('n4')))).toEqual([[1, 'not-leader', false]])
  })

  test('during a transfer', () => {
    const server = leader()
    const sent = server.turn({ type: 'proposed', count: 1 })
    server.turn({ type: 'transfer-requested', transferId: 1, target: 'n2' })
    expect(sent.length).toBeGreaterThan(0)
    expect(refusals(ask(server, add('n4')))).toEqual([[1, 'transfer-in-progress', false]])
  })

  test('by a stopped server', () => {
    const server = leader()
    server.step({ type: 'storage-failed', message: 'gone' })
    expect(refusals(ask(server, add('n4')))).toEqual([[1, 'stopped', false]])
  })
})

test('a leader that is deposed leaves open what it appended and refuses the rest', () => {
  const server = leader()
  ask(server, add('n4'), 1)
  ask(server, add('n5'), 2)
  const effects = server.append({ from: 'n2', term: 9, prev: [1, 1] })
  expect(refusals(effects)).toEqual([
    [2, 'leadership-lost', false],
    [1, 'leadership-lost', true],
  ])
})

describe('a staged server', () => {
  test('has its vote only when it has caught up', () => {
    const server = leader()
    const effects = ask(server, stage('n4'))
    const held: EffectOf<'send-entries'>[] = []
    const done = acknowledge(server, effects, ['n4'], held)
    expect(members(server)).toContain('n4 staging')
    expect(all(done, 'change-ended')).toEqual([])
    // n4 answers: it has everything that there was when its round began.
    for (const sent of held) server.answered(sent, success(server.status.term))
    const later = server.turn()
    expect(members(server)).toContain('n4 voter')
    expect(only(acknowledge(server, later), 'change-ended').changeId).toBe(1)
  })

  test('is not waited for: the quorum does not widen', () => {
    const server = leader({ voters: ['n1'] })
    const effects = ask(server, stage('n2'))
    acknowledge(server, effects, ['n2'])
    const write = server.turn({ type: 'proposed', count: 1 })
    const { firstIndex } = only(write, 'append-proposals')
    acknowledge(server, write, ['n2'])
    expect(server.status.commitIndex).toBe(firstIndex)
  })

  test('that took longer than an election timeout for a round starts another', () => {
    const server = leader()
    const held: EffectOf<'send-entries'>[] = []
    acknowledge(server, ask(server, stage('n4')), ['n4'], held)
    server.now += 1000
    for (const append of held) server.answered(append, success(server.status.term))
    server.turn()
    expect(members(server)).toContain('n4 staging')
    // The next round is over at once: there is nothing new.
    server.turn()
    expect(members(server)).toContain('n4 voter')
  })

  test('has its vote from a later leader: the wish is in the log', () => {
    const configuration = {
      servers: [
        { suffrage: 'voter', id: 'n1', address: 'n1:1' },
        { suffrage: 'staging', id: 'n2', address: 'n2:1' },
      ],
    } as const
    const server = leader({ configurations: [{ index: 1, configuration }] })
    server.turn()
    expect(members(server)).toContain('n2 voter')
  })

  test('stays a nonvoter when nobody waits for it any more', () => {
    const server = leader()
    acknowledge(server, ask(server, stage('n4')), ['n4'])
    const effects = server.turn({ type: 'change-withdrawn', changeId: 1 })
    expect(only(effects, 'append-configuration').changeId).toBe(0)
    expect(members(server)).toContain('n4 nonvoter')
    const done = acknowledge(server, effects, ['n4'])
    expect(all(done, 'append-configuration')).toEqual([])
  })

  test('whose staging is withdrawn before it is committed stays a nonvoter too', () => {
    const server = leader()
    const effects = ask(server, stage('n4'))
    server.turn({ type: 'change-withdrawn', changeId: 1 })
    acknowledge(server, effects, ['n4'])
    expect(members(server)).toContain('n4 nonvoter')
  })

  test('stays a nonvoter although its caller gave up during a transfer that came to nothing', () => {
    const server = leader()
    const held: EffectOf<'send-entries'>[] = []
    acknowledge(server, ask(server, stage('n4')), ['n4'], held)
    const sent = server.turn({ type: 'transfer-requested', transferId: 1, target: 'n2' })
    server.turn({ type: 'change-withdrawn', changeId: 1 })
    server.failed(only(sent, 'send'))
    const effects = server.turn()
    expect(only(effects, 'append-configuration').changeId).toBe(0)
    for (const append of held) server.answered(append, success(server.status.term))
    acknowledge(server, effects)
    expect(members(server)).toContain('n4 nonvoter')
  })

  test('that is added as a nonvoter meanwhile gets its vote, and its caller is told of that', () => {
    const server = leader()
    const held: EffectOf<'send-entries'>[] = []
    acknowledge(server, ask(server, stage('n4'), 1), ['n4'], held)
    const change = { type: 'add-nonvoter', id: 'n4', address: 'n4:1' } as const
    const done = acknowledge(server, ask(server, change, 2), ['n4'], held)
    expect(refusals(done)).toEqual([])
    expect(only(done, 'change-ended').changeId).toBe(2)
    const later: Effect[] = []
    for (let turn = 0; turn < 3; turn++) {
      for (const append of held.splice(0))
        later.push(...server.answered(append, success(server.status.term)))
      later.push(...acknowledge(server, [...later, ...server.turn()], [], held))
    }
    expect(members(server)).toContain('n4 voter')
    expect(all(later, 'change-ended').map(({ changeId }) => changeId)).toContain(1)
  })

  test('that is demoted meanwhile ends the wait of its caller', () => {
    const server = leader()
    acknowledge(server, ask(server, stage('n4'), 1), ['n4'])
    const effects = ask(server, demote('n4'), 2)
    const done = acknowledge(server, effects, ['n4'])
    expect(refusals(done)).toEqual([[1, 'superseded', false]])
    expect(only(done, 'change-ended').changeId).toBe(2)
  })
})

test('a change that waits and is withdrawn is never begun', () => {
  const server = leader()
  const first = ask(server, demote('n3'), 1)
  ask(server, add('n4'), 2)
  server.turn({ type: 'change-withdrawn', changeId: 2 })
  expect(all(acknowledge(server, first), 'append-configuration')).toEqual([])
})

describe('a removed server', () => {
  /** n3 is removed and that is committed; what the leader then does. */
  function removed(): { readonly server: LoneServer; readonly effects: readonly Effect[] } {
    const server = leader()
    const first = ask(server, remove('n3'))
    const { index } = only(first, 'append-configuration')
    const effects = acknowledge(server, first)
    expect(server.status.commitIndex).toBe(index)
    return { server, effects }
  }

  test('is told that its removal is committed, and then left alone', () => {
    const { server, effects } = removed()
    const notice = server.read(effects).find(({ to }) => to.id === 'n3')
    expect(notice).toMatchObject({ leaderCommit: server.status.commitIndex })
    server.answered(notice!, success(server.status.term))
    expect(all(server.turn(), 'drop-sends')).toEqual([{ type: 'drop-sends', peer: 'n3' }])
    expect(server.status.peers.map(({ id }) => id)).toEqual(['n2'])
  })

  test('that does not answer is left alone after an election timeout', () => {
    const { server } = removed()
    expect(server.status.peers.map(({ id, suffrage }) => [id, suffrage])).toEqual([
      ['n2', 'voter'],
      ['n3', 'removed'],
    ])
    server.turnAt(server.now + 100)
    expect(server.status.peers.map(({ id }) => id)).toEqual(['n2'])
  })

  test('that is added again starts from nothing: it may have another disk', () => {
    const { server } = removed()
    expect(server.status.peers[1]!.matchIndex).toBeGreaterThan(0)
    const effects = ask(server, add('n3'))
    expect(all(effects, 'drop-sends').map(({ peer }) => peer)).toEqual(['n3'])
    const found = server.status.peers.filter(({ id }) => id === 'n3')
    expect(found).toMatchObject([{ suffrage: 'voter', matchIndex: 0 }])
  })
})

describe('a leader that removes itself', () => {
  test('takes no more proposals and leads until that is committed', () => {
    const server = leader()
    const effects = ask(server, remove('n1'))
    const refused = only(server.turn({ type: 'proposed', count: 1 }), 'proposals-refused')
    expect(refused.reason).toBe('transfer-in-progress')
    // Its own disk does not count: one of two voters is not enough.
    const half = acknowledge(server, effects, ['n3'])
    expect(server.status.role).toBe('leader')
    expect(all(half, 'removed')).toEqual([])
  })

  test('hands over when it is, and has left when the successor has answered', () => {
    const server = leader()
    const effects = acknowledge(server, ask(server, remove('n1')))
    expect(server.status.role).toBe('follower')
    const types = effects.map(({ type }) => type)
    const handOver = all(effects, 'send').find(({ request }) => request.type === 'timeout-now')!
    // What is sent to peers is dropped first, or the hand-over would be dropped with it.
    expect(types.lastIndexOf('drop-sends')).toBeLessThan(effects.indexOf(handOver))
    expect(all(effects, 'removed')).toEqual([])
    expect(all(server.answered(handOver, { type: 'timeout-now' }), 'removed')).toEqual([
      { type: 'removed', wasLeader: true },
    ])
  })

  test('has left too when the successor cannot be reached', () => {
    const server = leader()
    const effects = acknowledge(server, ask(server, remove('n1')))
    const handOver = all(effects, 'send').find(({ request }) => request.type === 'timeout-now')!
    expect(all(server.failed(handOver), 'removed')).toHaveLength(1)
  })

  test('stays as a nonvoter when it only demotes itself', () => {
    const server = leader()
    const effects = acknowledge(server, ask(server, demote('n1')))
    const handOver = all(effects, 'send').find(({ request }) => request.type === 'timeout-now')!
    expect(all(server.answered(handOver, { type: 'timeout-now' }), 'removed')).toEqual([])
  })
})

test('a follower learns that it is removed when that is committed', () => {
  const server = new LoneServer()
  const { servers } = server.status.latest.configuration
  const configuration = { servers: servers.filter(({ id }) => id !== 'n1') }
  const configurations = [{ index: 2, configuration }]
  const appended = server.append({ term: 1, prev: [1, 1], entries: [1], configurations })
  expect(all(appended, 'removed')).toEqual([])
  const committed = server.append({ term: 1, prev: [2, 1], commit: 2 })
  expect(all(committed, 'removed')).toEqual([{ type: 'removed', wasLeader: false }])
  // It does not campaign any more.
  expect(all(server.turnAt(10_000), 'send')).toEqual([])
})

test('a server whose removal is not committed campaigns, without a vote of its own (§4.2.2)', () => {
  const server = new LoneServer({ voters: ['n1', 'n2'] })
  const { servers } = server.status.latest.configuration
  const configuration = { servers: servers.filter(({ id }) => id !== 'n1') }
  const configurations = [{ index: 2, configuration }]
  server.sync(server.append({ term: 1, prev: [1, 1], entries: [1], configurations }))
  const [preVote] = all(server.turnAt(10_000), 'send')
  const vote = only(
    server.answered(preVote!, { type: 'request-pre-vote', term: 2, granted: true }),
    'save-hard-state',
  )
  server.step({ type: 'hard-state-durable', sequence: vote.sequence })
  expect(server.status.role).toBe('candidate')
})
