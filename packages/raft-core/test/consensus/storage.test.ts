// Disks that hang or fail (faults B17, F1).
import { expect, test } from 'vitest'
import { all, LoneServer, only, sender } from './lone-server.ts'

const voteRequest = {
  type: 'request-vote',
  from: sender('n2'),
  term: 5,
  lastLogIndex: 9,
  lastLogTerm: 4,
  leadershipTransfer: false,
} as const

test('a leader whose disk hangs steps down', () => {
  const server = new LoneServer()
  server.leadAndCommit()
  const effects = server.step({ type: 'storage-stalled' })
  expect(only(effects, 'role-changed')).toMatchObject({
    role: 'follower',
    reason: 'the disk is stalled',
  })
  expect(all(effects, 'proposals-orphaned')).toHaveLength(1)
})

test('while it hangs: no vote, no pre-vote, no campaign, but entries are taken', () => {
  const server = new LoneServer()
  server.step({ type: 'storage-stalled' })
  expect(only(server.receive(voteRequest), 'answer').answer).toMatchObject({
    granted: false,
    term: 1,
  })
  expect(
    only(server.receive({ ...voteRequest, type: 'request-pre-vote' }), 'answer').answer,
  ).toMatchObject({ granted: false })
  expect(
    only(server.receive({ type: 'timeout-now', from: sender('n2') }), 'answer').answer.type,
  ).toBe('error')
  for (let now = 0; now < 1000; now += 100) server.turnAt(now)
  expect(server.status.role).toBe('follower')
  expect(only(server.append({ term: 1, prev: [1, 1], entries: [1] }), 'answer').after).toEqual({
    entry: { index: 2, term: 1 },
  })
})

test('afterwards everything goes on, a full timeout later', () => {
  const server = new LoneServer()
  server.turn()
  server.step({ type: 'storage-stalled' })
  server.now = 500
  server.step({ type: 'storage-recovered' })
  expect(all(server.turnAt(599), 'role-changed')).toEqual([])
  expect(only(server.turnAt(600), 'role-changed').role).toBe('pre-candidate')
  expect(only(server.receive(voteRequest), 'answer').answer).toMatchObject({
    granted: true,
    term: 5,
  })
})

test('a candidate whose disk hangs gives up', () => {
  const server = new LoneServer({ timing: { preVote: false } })
  server.turnAt(100)
  server.step({ type: 'storage-stalled' })
  server.step({ type: 'hard-state-durable', sequence: 1 })
  expect(server.status).toMatchObject({ role: 'follower', term: 2 })
})

test('a failed write stops the server for good', () => {
  const server = new LoneServer()
  server.leadAndCommit()
  server.step({ type: 'read-requested', readId: 1, needsIndex: true })
  const effects = server.step({ type: 'storage-failed', message: 'EIO' })
  expect(only(effects, 'role-changed')).toMatchObject({
    role: 'stopped',
    reason: 'the disk failed: EIO',
  })
  expect(only(effects, 'read-refused').reason).toBe('stopped')
  expect(server.turnAt(10_000)).toEqual([])
})
