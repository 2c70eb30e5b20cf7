// The first configuration of a new cluster, given to a running server.
import type { ConsensusEvent } from '@raftkit/raft-core/consensus'
import { expect, test } from 'vitest'
import { configurationOf } from '../cluster/entries.ts'
import { all, LoneServer, only } from '../lone-server.ts'

const configuration = configurationOf(['n1', 'n2', 'n3'])

function blank(options: ConstructorParameters<typeof LoneServer>[0] = {}): LoneServer {
  return new LoneServer({ log: [], hardState: { term: 0 }, configurations: [], ...options })
}

function request(bootstrapId = 1): ConsensusEvent {
  return { type: 'bootstrap-requested', bootstrapId, configuration }
}

test('term 1 is saved, then the configuration is written as entry 1; it is told when both are durable', () => {
  const server = blank()
  const effects = server.step(request())
  expect(effects.map(({ type }) => type)).toEqual([
    'save-hard-state',
    'append-configuration',
    'configuration-changed',
    'bootstrap-ended',
  ])
  expect(only(effects, 'save-hard-state').hardState).toEqual({ term: 1 })
  expect(only(effects, 'append-configuration')).toMatchObject({ index: 1, term: 1, configuration })
  expect(only(effects, 'bootstrap-ended')).toEqual({
    type: 'bootstrap-ended',
    bootstrapId: 1,
    after: { hardState: 1, entry: { index: 1, term: 1 } },
  })
  expect(server.status).toMatchObject({ role: 'follower', term: 1, lastIndex: 1, commitIndex: 0 })
})

test('the server campaigns as soon as nobody else leads', () => {
  const server = blank()
  server.sync(server.step(request()))
  server.lead()
  expect(server.status).toMatchObject({ role: 'leader', term: 2 })
})

test('a second bootstrap is refused', () => {
  const server = blank()
  server.step(request(1))
  expect(only(server.step(request(2)), 'bootstrap-ended')).toMatchObject({
    bootstrapId: 2,
    refusal: 'has-state',
  })
})

test.each([
  ['an entry', new LoneServer()],
  ['a term', blank({ hardState: { term: 2 } })],
  ['a vote', blank({ hardState: { term: 1, votedFor: { id: 'n2', address: 'n2:1' } } })],
  ['a snapshot', new LoneServer({ log: [], snapshot: { index: 5, term: 1 } })],
])('a server with %s is not bootstrapped, and nothing changes', (_, server) => {
  const before = server.status
  const effects = server.step(request())
  expect(effects).toEqual([{ type: 'bootstrap-ended', bootstrapId: 1, refusal: 'has-state' }])
  expect(server.status).toEqual(before)
})

test('the term alone, which a crash in the middle leaves, is no hindrance', () => {
  const effects = blank({ hardState: { term: 1 } }).step(request())
  expect(all(effects, 'append-configuration')).toHaveLength(1)
})

test('a candidate and a leader are not bootstrapped', () => {
  const server = new LoneServer()
  server.turnAt(100)
  expect(only(server.step(request()), 'bootstrap-ended').refusal).toBe('has-state')
  server.leadAndCommit()
  expect(only(server.step(request()), 'bootstrap-ended').refusal).toBe('has-state')
})

test('a server that is no voter of the configuration is not bootstrapped with it', () => {
  for (const id of ['n4', 'n5']) {
    const server = blank({ id })
    const event = request()
    const wrong = configurationOf(['n1', 'n2'], ['n4'])
    const effects = server.step({ ...event, configuration: wrong } as ConsensusEvent)
    expect(effects).toEqual([{ type: 'bootstrap-ended', bootstrapId: 1, refusal: 'not-voter' }])
  }
})

test('a stopped server refuses', () => {
  const server = blank()
  server.step({ type: 'storage-failed', message: 'no disk' })
  expect(only(server.step(request()), 'bootstrap-ended').refusal).toBe('stopped')
})
