// The follower's side of AppendEntries (§5.3), rule by rule.
import { expect, test } from 'vitest'
import type { AppendEntriesAnswer, Effect } from '@raftkit/raft-core/consensus'
import { all, indexed, LoneServer, only, type AppendInShort } from '../lone-server.ts'

function answerOf(effects: readonly Effect[]): AppendEntriesAnswer {
  const { answer } = only(effects, 'answer')
  if (answer.type !== 'append-entries') throw new Error(`answered with ${answer.type}`)
  return answer
}

/** A follower with the log, and what it has to say. */
function after(
  log: readonly number[],
  request: AppendInShort,
): {
  readonly server: LoneServer
  readonly effects: readonly Effect[]
  readonly answer: AppendEntriesAnswer
} {
  const server = new LoneServer({ log, hardState: { term: 5 } })
  const effects = server.append(request)
  return { server, effects, answer: answerOf(effects) }
}

const done = (effects: readonly Effect[]): unknown =>
  effects
    .filter(({ type }) => ['truncate-log', 'append-received', 'commit'].includes(type))
    .map(({ type, ...effect }) => {
      if (type === 'append-received' && 'to' in effect)
        return ['append', 'from' in effect && effect.from, effect.to]
      if ('from' in effect) return ['truncate', effect.from]
      return ['commit', 'index' in effect && effect.index]
    })

test('what a request does to a log', () => {
  const cases: readonly [string, readonly number[], AppendInShort, boolean, unknown][] = [
    ['appends', [1, 1], { term: 5, prev: [2, 1], entries: [5, 5] }, true, [['append', 3, 4]]],
    ['probes', [1, 1], { term: 5, prev: [2, 1] }, true, []],
    ['is too far ahead', [1, 1], { term: 5, prev: [3, 1], entries: [5] }, false, []],
    ['differs before', [1, 1], { term: 5, prev: [2, 2], entries: [5] }, false, []],
    ['repeats', [1, 1, 2], { term: 5, prev: [1, 1], entries: [1, 2] }, true, []],
    [
      'repeats a part and leaves the rest',
      [1, 1, 2],
      { term: 5, prev: [1, 1], entries: [1] },
      true,
      [],
    ],
    [
      'repeats and appends',
      [1, 1, 2],
      { term: 5, prev: [2, 1], entries: [2, 3] },
      true,
      [['append', 4, 4]],
    ],
    [
      'replaces from the first conflict on',
      [1, 1, 2, 2],
      { term: 5, prev: [1, 1], entries: [1, 3] },
      true,
      [
        ['truncate', 3],
        ['append', 3, 3],
      ],
    ],
    [
      'starts at the beginning',
      [1, 1],
      { term: 5, prev: [0, 0], entries: [1, 1, 4] },
      true,
      [['append', 3, 3]],
    ],
    [
      'commits what it proves',
      [1, 1, 2],
      { term: 5, prev: [1, 1], entries: [1], commit: 3 },
      true,
      [['commit', 2]],
    ],
    [
      'commits what the leader says',
      [1, 1, 2],
      { term: 5, prev: [3, 2], commit: 1 },
      true,
      [['commit', 1]],
    ],
    ['is of an old term', [1, 1], { term: 4, prev: [2, 1], entries: [4], commit: 2 }, false, []],
  ]
  for (const [name, log, request, isSuccess, effects] of cases) {
    const outcome = after(log, request)
    expect([name, outcome.answer.success, done(outcome.effects)]).toEqual([
      name,
      isSuccess,
      effects,
    ])
  }
})

test('a success waits for the last entry that the request proved', () => {
  const server = new LoneServer()
  const first = server.append({ term: 1, prev: [1, 1], entries: [1, 1] })
  expect(only(first, 'answer').after).toEqual({ entry: { index: 3, term: 1 } })
  // The same entries again are not durable either, and a bare probe proves the entry before it.
  const again = server.append({ term: 1, prev: [1, 1], entries: [1] })
  expect(only(again, 'answer').after).toEqual({ entry: { index: 2, term: 1 } })
  const probe = server.append({ term: 1, prev: [3, 1] })
  expect(only(probe, 'answer').after).toEqual({ entry: { index: 3, term: 1 } })
  server.step({ type: 'entries-durable', index: 2, term: 1 })
  const durable = server.append({ term: 1, prev: [1, 1], entries: [1] })
  expect(only(durable, 'answer').after).toBeUndefined()
})

test('an answer in a new term waits for the term too', () => {
  const server = new LoneServer()
  const effects = server.append({ term: 2, prev: [1, 1], entries: [2] })
  expect(effects.map(({ type }) => type)).toEqual([
    'save-hard-state',
    'leader-changed',
    'append-received',
    'answer',
  ])
  expect(only(effects, 'answer').after).toEqual({ hardState: 1, entry: { index: 2, term: 2 } })
})

test('the commit index never goes down', () => {
  const server = new LoneServer({ log: [1, 1, 1] })
  server.append({ term: 1, prev: [3, 1], commit: 3 })
  expect(all(server.append({ term: 1, prev: [3, 1], commit: 1 }), 'commit')).toEqual([])
  expect(server.status.commitIndex).toBe(3)
})

test('a mismatch tells raftkit where the conflicting term begins, hashicorp/raft only the end', () => {
  const log = [1, 1, 2, 2, 3, 3]
  const { answer } = after(log, { term: 5, prev: [6, 4] })
  expect(answer).toMatchObject({ success: false, noRetryBackoff: true, lastLogIndex: 6, term: 5 })
  expect(answer.conflict).toEqual({ term: 3, firstIndex: 5 })
  expect(after(log, { term: 5, prev: [9, 4] }).answer.conflict).toEqual({ term: 0, firstIndex: 7 })
  expect(after(log, { term: 5, prev: [9, 4], isRaftkit: false }).answer).not.toHaveProperty(
    'conflict',
  )
})

test('a hint never reaches behind the commit index', () => {
  const server = new LoneServer({ log: [1, 1, 1, 1] })
  server.append({ term: 1, prev: [2, 1], commit: 2 })
  const { answer } = only(server.append({ from: 'n2', term: 1, prev: [4, 0] }), 'answer')
  expect(answer).toMatchObject({ conflict: { term: 1, firstIndex: 3 } })
})

test('entries that a snapshot covers are the same everywhere', () => {
  const server = new LoneServer({ snapshot: { index: 10, term: 2 }, log: [2, 2] })
  const behind = server.append({ term: 3, prev: [4, 1], entries: [1, 1, 2, 2, 2, 2, 2, 2, 3] })
  expect(answerOf(behind).success).toBe(true)
  expect(only(behind, 'append-received')).toMatchObject({ from: 13, to: 13 })
  const within = server.append({ term: 3, prev: [2, 1], entries: [1] })
  expect(answerOf(within).success).toBe(true)
})

test('a bare heartbeat touches neither log nor commit index', () => {
  const server = new LoneServer({ log: [1, 1] })
  const effects = server.heartbeat(3)
  expect(answerOf(effects)).toMatchObject({ success: true, term: 3, lastLogIndex: 2 })
  expect(only(effects, 'answer').after).toEqual({ hardState: 1 })
  expect(server.status).toMatchObject({ commitIndex: 0, lastIndex: 2, leader: { id: 'n2' } })
  expect(answerOf(server.heartbeat(2))).toMatchObject({ success: false, term: 3 })
})

test('an old leader does not keep anyone from campaigning (A13)', () => {
  const server = new LoneServer({ hardState: { term: 3 } })
  server.now = 90
  server.heartbeat(2)
  server.append({ term: 2, prev: [1, 1] })
  expect(only(server.turnAt(100), 'role-changed').role).toBe('pre-candidate')
})

test('configurations are in force when appended and rolled back when truncated', () => {
  const server = new LoneServer()
  const four = indexed(2, ['n1', 'n2', 'n3', 'n4'])
  const appended = server.append({ term: 2, prev: [1, 1], entries: [2], configurations: [four] })
  expect(only(appended, 'configuration-changed')).toMatchObject({
    latest: { index: 2 },
    committed: { index: 0 },
  })
  const replaced = server.append({ from: 'n3', term: 3, prev: [1, 1], entries: [3], commit: 1 })
  expect(all(replaced, 'configuration-changed').at(-1)).toMatchObject({
    latest: { index: 1 },
    committed: { index: 1 },
  })
})

test('a configuration that is there already is not taken up again', () => {
  const server = new LoneServer()
  const configurations = [indexed(2, ['n1', 'n2'])]
  server.append({ term: 2, prev: [1, 1], entries: [2], configurations })
  const again = server.append({ term: 2, prev: [1, 1], entries: [2, 2], configurations })
  expect(only(again, 'append-received')).toMatchObject({ from: 3, to: 3 })
  expect(all(again, 'configuration-changed')).toEqual([])
})

test('two leaders in one term stop the server', () => {
  const requests = [
    (server: LoneServer) => server.append({ from: 'n3', term: 2, prev: [1, 1] }),
    (server: LoneServer) => server.heartbeat(2, 'n3'),
  ]
  for (const request of requests) {
    const server = new LoneServer()
    server.heartbeat(2, 'n2')
    const effects = request(server)
    expect(effects.at(-1)).toMatchObject({ type: 'fatal' })
    expect(only(effects, 'answer').answer.type).toBe('error')
    expect(server.status.role).toBe('stopped')
  }
})

test('a leader that hears another leader of its term stops', () => {
  const server = new LoneServer()
  server.lead()
  expect(only(server.heartbeat(2, 'n3'), 'fatal').message).toContain('a term has one leader')
})

test('a leader of the term is remembered when it falls silent', () => {
  const server = new LoneServer()
  server.heartbeat(2, 'n2')
  server.turnAt(200)
  expect(server.status.leader).toBeUndefined()
  expect(all(server.heartbeat(2, 'n3'), 'fatal')).toHaveLength(1)
})

test('a committed entry is never replaced', () => {
  const conflicts: readonly AppendInShort[] = [
    { term: 5, prev: [1, 1], entries: [4], from: 'n3' },
    { term: 5, prev: [2, 4], entries: [5], from: 'n3' },
  ]
  for (const conflict of conflicts) {
    const server = new LoneServer({ log: [1, 1, 1] })
    server.append({ term: 1, prev: [3, 1], commit: 2 })
    const effects = server.append(conflict)
    expect(effects.at(-1)?.type).toBe('fatal')
    expect(all(effects, 'truncate-log')).toEqual([])
  }
})

test('an impossible request is refused as a whole and changes nothing', () => {
  const impossible: readonly AppendInShort[] = [
    { term: 9, prev: [1, 1], entries: [3, 2] },
    { term: 9, prev: [1, 1], entries: [10] },
    { term: 9, prev: [1, 4], entries: [3] },
    { term: 9, prev: [0, 1] },
    { term: 9, prev: [1, 10] },
  ]
  for (const request of impossible) {
    const server = new LoneServer()
    expect(only(server.append(request), 'answer').answer.type).toBe('error')
    expect(server.status).toMatchObject({ role: 'follower', term: 1, leader: undefined })
  }
})

test('a request in the name of this server itself is refused', () => {
  const server = new LoneServer()
  expect(only(server.heartbeat(5, 'n1'), 'answer').answer.type).toBe('error')
  expect(server.status.term).toBe(1)
})

test('a new joiner without a configuration takes entries from whoever leads', () => {
  const server = new LoneServer({ id: 'n4', log: [], configurations: [] })
  const configurations = [indexed(1, ['n1', 'n2', 'n3'], ['n4'])]
  const effects = server.append({ term: 3, prev: [0, 0], entries: [1, 3], configurations })
  expect(answerOf(effects).success).toBe(true)
  expect(server.status.latest.index).toBe(1)
})

test('late durability of replaced entries confirms nothing', () => {
  const server = new LoneServer()
  server.append({ term: 1, prev: [1, 1], entries: [1, 1] })
  server.append({ from: 'n3', term: 2, prev: [1, 1], entries: [2, 2] })
  server.step({ type: 'entries-durable', index: 3, term: 1 })
  expect(server.status.durableIndex).toBe(1)
  server.step({ type: 'entries-durable', index: 9, term: 2 })
  expect(server.status.durableIndex).toBe(1)
  server.step({ type: 'entries-durable', index: 2, term: 2 })
  expect(server.status.durableIndex).toBe(2)
})

test('a leader whose log contradicts the snapshot stops the server: recovered by force, both of them', () => {
  const options = { log: [], snapshot: { index: 12, term: 2 }, hardState: { term: 5 } } as const
  const server = new LoneServer(options)
  const effects = server.append({ term: 6, prev: [10, 3], entries: [6, 6, 6] })
  expect(only(effects, 'fatal').message).toContain('what a snapshot covers is the same everywhere')
  // One that may be the same is taken, as entries that the snapshot covers.
  const same = new LoneServer(options)
  expect(answerOf(same.append({ term: 6, prev: [10, 2] })).success).toBe(true)
})
