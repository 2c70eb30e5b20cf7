// Leadership goes to the server that shall have it (preferred-leader.ts).
import type { ServerId } from '@raftkit/interface/protocol'
import type { ConsensusEvent, Effect } from '@raftkit/raft-core/consensus'
import { expect, test } from 'vitest'
import { testTiming } from '../cluster/timing.ts'
import { all, LoneServer, only, sender, success, type LoneOptions } from '../lone-server.ts'

/** Ten election timeouts. */
const STEADY_MS = 1000
const EVERYONE = ['n2', 'n3']

function leader(leaderPriorities: Record<string, number>, options: LoneOptions = {}): LoneServer {
  const timing = { leaderLeaseTimeoutMs: 100_000, leaderPriorities, ...options.timing }
  const server = new LoneServer({ ...options, timing })
  server.leadAndCommit()
  return server
}

/** Lets time pass in steps of a heartbeat; those who `answer` answer everything. Gives all effects. */
function pass(server: LoneServer, ms: number, answer: readonly ServerId[] = EVERYONE): Effect[] {
  const effects: Effect[] = []
  for (const until = server.now + ms; server.now < until;) {
    const step = [...server.turnAt(server.now + 10)]
    const { term, lastIndex } = server.status
    for (const sent of [...all(step, 'send'), ...server.read(step)]) {
      if ('request' in sent && sent.request.type !== 'heartbeat') continue
      if (answer.includes(sent.to.id)) step.push(...server.answered(sent, success(term, lastIndex)))
      else step.push(...server.failed(sent))
    }
    effects.push(...step)
  }
  return effects
}

const offers = (effects: readonly Effect[]): unknown =>
  all(effects, 'leadership-offered').map(({ to, reason }) => [to, reason])

/** Fails the TimeoutNow under way. */
function fail(server: LoneServer, effects: readonly Effect[]): readonly Effect[] {
  const sent = all(effects, 'send').filter(({ request }) => request.type === 'timeout-now')
  return server.failed(sent.at(-1)!)
}

/** Becomes leader because the leader asked for it. */
function asked(server: LoneServer): void {
  const effects = [...server.receive({ type: 'timeout-now', from: sender('n3') })]
  server.sync(effects)
  for (const sent of all(effects, 'send'))
    server.answered(sent, { type: 'request-vote', term: server.status.term, granted: true })
  server.sync([])
  for (const sent of server.read(server.turn())) server.answered(sent, success(server.status.term))
  expect(server.status.role).toBe('leader')
}

test('a voter of higher priority that has been steady for ten election timeouts', () => {
  const server = leader({ n1: 1, n3: 2 })
  expect(offers(pass(server, STEADY_MS - 10))).toEqual([])
  const effects = pass(server, 20)
  expect(offers(effects)).toEqual([['n3', 'n3 has priority 2, this server 1']])
  const sent = only(
    effects.filter((effect) => effect.type === 'send' && effect.request.type === 'timeout-now'),
    'send',
  )
  expect(sent.to.id).toBe('n3')
})

test.each<[what: string, priorities: Record<string, number>, options: LoneOptions]>([
  ['nobody is preferred', {}, {}],
  ['the leader is', { n1: 3, n3: 2 }, {}],
  ['all are alike', { n1: 3, n2: 3, n3: 3 }, {}],
  ['a nonvoter has the highest priority', { n4: 9 }, { nonvoters: ['n4'] }],
  ['a stranger has', { n9: 9 }, {}],
  ['an id is a word of the language', { toString: 0 }, { voters: ['n1', 'n2', 'constructor'] }],
])('nobody, when %s', (_what, priorities, options) => {
  const server = leader(priorities, options)
  expect(offers(pass(server, 3 * STEADY_MS, ['n2', 'n3', 'n4']))).toEqual([])
})

test('the highest of those that are steady', () => {
  const server = leader({ n2: 7, n3: 9 })
  expect(offers(pass(server, STEADY_MS + 50, ['n2', 'n3']))).toEqual([
    ['n3', 'n3 has priority 9, this server 0'],
  ])
  const other = leader({ n2: 7, n3: 9 })
  expect(offers(pass(other, STEADY_MS + 50, ['n2']))).toEqual([
    ['n2', 'n2 has priority 7, this server 0'],
  ])
})

test('an interruption begins the time anew', () => {
  const server = leader({ n3: 2 })
  pass(server, STEADY_MS - 100)
  pass(server, 100, ['n2'])
  expect(offers(pass(server, STEADY_MS - 50))).toEqual([])
  expect(offers(pass(server, 200))).toHaveLength(1)
})

test('a server that is behind is not steady', () => {
  const timing = { maxAppendEntries: 1, maxInflightAppends: 2 }
  const server = leader({ n3: 2 }, { timing })
  // n3 answers heartbeats and takes no entries.
  for (let at = 0; at < 2 * STEADY_MS; at += 10) {
    const step = server.turnAt(server.now + 10)
    const proposed = server.turn({ type: 'proposed', count: 5 })
    server.sync([])
    for (const sent of all([...step, ...proposed], 'send'))
      server.answered(sent, success(server.status.term))
    expect(offers([...step, ...proposed])).toEqual([])
  }
})

test.each<[what: string, event: ConsensusEvent]>([
  ['a transfer', { type: 'transfer-requested', transferId: 7, target: 'n2' }],
  ['a restore', { type: 'restore-requested', restoreId: 1, index: 9 }],
  [
    'a change of the membership',
    {
      type: 'change-requested',
      changeId: 1,
      prevIndex: 0,
      change: { type: 'add-nonvoter', id: 'n4', address: 'n4:1' },
    },
  ],
])('not while %s is under way', (_what, event) => {
  const server = leader({ n3: 2 })
  pass(server, STEADY_MS - 20)
  const began = server.turn(event)
  expect(offers([...began, ...server.turnAt(server.now + 30)])).toEqual([])
})

test('after a hand-over that failed it waits twice as long, each time, up to 64 times as long', () => {
  const server = leader({ n3: 2 })
  const waits: number[] = []
  for (let attempt = 0; attempt < 9; attempt++) {
    const from = server.now
    let effects: Effect[] = []
    while (all(effects, 'leadership-offered').length === 0) effects = pass(server, 10)
    waits.push(Math.round((server.now - from) / STEADY_MS))
    expect(all(fail(server, effects), 'transfer-ended')).toMatchObject([
      { transferId: 0, refusal: 'target-unreachable' },
    ])
    // Commands are taken again.
    const proposed = server.turn({ type: 'proposed', count: 1 })
    expect(all(proposed, 'append-proposals')).toHaveLength(1)
    server.sync([])
    for (const sent of server.read(proposed)) server.answered(sent, success(server.status.term))
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64])
})

test('servers that disagree hand leadership back three times, then it stays', () => {
  const server = leader({ n3: 2 })
  for (let round = 0; round < 3; round++) {
    let effects: Effect[] = []
    while (all(effects, 'leadership-offered').length === 0) effects = pass(server, 10)
    // n3 leads, and hands back.
    const term = server.status.term + 1
    server.append({ from: 'n3', term, prev: [server.status.lastIndex, server.status.lastTerm] })
    server.now += 20 * STEADY_MS
    asked(server)
  }
  expect(offers(pass(server, 300 * STEADY_MS))).toEqual([])
  // Priorities that are set anew begin anew.
  const timing = { ...testTiming, leaderLeaseTimeoutMs: 100_000, leaderPriorities: { n3: 2 } }
  server.step({ type: 'timing-changed', timing })
  expect(offers(pass(server, STEADY_MS + 50))).toHaveLength(1)
})

test('a leadership that comes back much later is no disagreement', () => {
  const server = leader({ n3: 2 })
  for (let round = 0; round < 5; round++) {
    const effects = pass(server, STEADY_MS + 50)
    expect(all(effects, 'leadership-offered')).toHaveLength(1)
    const term = server.status.term + 1
    server.append({ from: 'n3', term, prev: [server.status.lastIndex, server.status.lastTerm] })
    server.now += 200 * STEADY_MS
    asked(server)
  }
})
